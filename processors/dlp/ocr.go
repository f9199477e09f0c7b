package dlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// OCRConfig is a server that reads the text of pictures, with the interface of Apache Tika's: PUT /tika gives the text of what is sent.
// https://cwiki.apache.org/confluence/display/TIKA/TikaServer
type OCRConfig struct {
	// ClientConfig is how it is reached, as all HTTP clients of the collector are configured: endpoint, timeout (default: 30s), headers,
	// auth, tls, proxy_url, … Pictures are sent to no other place, and to none if there is no endpoint. Example of an endpoint:
	// http://localhost:9998. Default: no endpoint.
	confighttp.ClientConfig `mapstructure:",squash"`
	// MaxBytes is the size from which a picture is not sent. Default: 16MiB.
	MaxBytes Size `mapstructure:"max_bytes"`
	// MaxText is the size from which an answer is not taken. Default: 4MiB.
	MaxText Size `mapstructure:"max_text"`
	// MaxImages is how many pictures of a file are sent, where it holds several. Default: 20.
	MaxImages int `mapstructure:"max_images"`
	// Workers is how many pictures are sent at the same time. Default: 2.
	Workers int `mapstructure:"workers"`
}

func defaultOCR() OCRConfig {
	c := OCRConfig{ClientConfig: confighttp.NewDefaultClientConfig(), MaxBytes: 16 << 20, MaxText: 4 << 20, MaxImages: 20, Workers: 2}
	c.Timeout = 30 * time.Second
	return c
}

func (c *OCRConfig) on() bool { return c.Endpoint != "" }

func (c *OCRConfig) validate() error {
	if u, err := url.Parse(c.Endpoint); c.on() && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("endpoint: %q: want a URL, as https://tika.acme.example:9998", c.Endpoint)
	}
	for _, s := range []struct {
		key  string
		size Size
	}{{"max_bytes", c.MaxBytes}, {"max_text", c.MaxText}} {
		if s.size < minSize || s.size > maxSize {
			return fmt.Errorf("%s: %s: want 1KiB to 1GiB", s.key, s.size)
		}
	}
	for _, n := range []struct {
		key   string
		n, to int
	}{{"max_images", c.MaxImages, 10_000}, {"workers", c.Workers, maxWorkers}} {
		if n.n < 1 || n.n > n.to {
			return fmt.Errorf("%s: %d: want 1 to %d", n.key, n.n, n.to)
		}
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > 10*time.Minute {
		return fmt.Errorf("timeout: %v: want 100ms to 10m", c.Timeout)
	}
	return c.ClientConfig.Validate()
}

// ocr is the client of such a server.
type ocr struct {
	web   *http.Client
	url   string
	most  int64         // bytes of an answer
	slots chan struct{} // one for each request at the same time
}

func newOCR(ctx context.Context, c *OCRConfig, host component.Host, set component.TelemetrySettings) (*ocr, error) {
	web, err := c.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, fmt.Errorf("content: ocr: %w", err)
	}
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // to nobody else
	return &ocr{web: web, url: strings.TrimSuffix(strings.TrimSuffix(c.Endpoint, "/"), "/tika") + "/tika", most: int64(c.MaxText),
		slots: make(chan struct{}, c.Workers)}, nil
}

// read is an extract.OCR.
func (o *ocr) read(ctx context.Context, kind string, content []byte) ([]byte, error) {
	select {
	case o.slots <- struct{}{}:
		defer func() { <-o.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, o.url, bytes.NewReader(content))
	if err != nil {
		return nil, errors.New("there can be no request to the OCR server")
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "text/plain")
	resp, err := o.web.Do(req)
	if err != nil {
		return nil, unanswered(err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent:
		return nil, nil
	default: // what it says may be of the content
		return nil, fmt.Errorf("the OCR server answered http %d", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, o.most+1))
	switch {
	case err != nil:
		return nil, unanswered(err)
	case int64(len(text)) > o.most:
		return nil, fmt.Errorf("the OCR server answered more than max_text, %s", Size(o.most))
	}
	return text, nil
}

// unanswered says in short why there is no answer.
func unanswered(err error) error {
	var late interface{ Timeout() bool }
	if errors.As(err, &late) && late.Timeout() {
		return errors.New("the OCR server did not answer in time")
	}
	return errors.New("the OCR server could not be reached, or broke off")
}

var _ extract.OCR = (*ocr)(nil).read
