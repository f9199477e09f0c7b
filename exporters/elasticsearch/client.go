package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.uber.org/zap"
)

// maxReply bounds an answer; that of the largest bulk request stays below it.
const maxReply = 64 << 20

// errFlavor says that the servers are not of the kind that was configured. Nothing is sent to them.
var errFlavor = errors.New("wrong flavor")

// client sends requests to whichever node answers.
type client struct {
	web     *http.Client
	packer  *packer
	gzip    *packer // takes the place of zstd when a server does not take that
	zstd    atomic.Int32
	nodes   *nodes
	flavor  string
	key     string // the value of the header Authorization
	timeout time.Duration
	log     *zap.Logger
	now     func() time.Time
}

// What is known about a server's taste for zstd.
const (
	zstdUntried = iota
	zstdTaken
	zstdRefused
)

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	c := &client{flavor: cfg.Flavor, key: cfg.authorization(), timeout: cfg.ClientConfig.Timeout, log: set.Logger, now: time.Now}
	addresses, err := cfg.addresses()
	if err != nil {
		return nil, err
	}
	c.nodes = newNodes(addresses, func() time.Time { return c.now() })
	web := cfg.ClientConfig
	if c.packer, err = newPacker(web.Compression, web.CompressionParams.Level, cfg.NumWorkers); err != nil {
		return nil, err
	}
	if c.packer != nil && c.packer.zstd != nil {
		if c.gzip, err = newPacker(configcompression.TypeGzip, 0, cfg.NumWorkers); err != nil {
			return nil, err
		}
	}
	web.Timeout, web.Compression = 0, "" // every request has its own limit, and bodies are packed before
	if c.web, err = web.ToClient(ctx, host.GetExtensions(), set); err != nil {
		return nil, fmt.Errorf("make http client: %w", err)
	}
	c.web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

func (c *client) close() { c.web.CloseIdleConnections() }

// request is what is sent.
type request struct {
	method, path, mime string
	body               []byte
	encoding           string // of the body; set when it is packed
}

// reply is an answer.
type reply struct {
	status int
	body   []byte
	wait   time.Duration // how long the server asks to wait
}

// failure is an answer that is none of success.
type failure struct {
	reply
	typ, reason string
}

func (f *failure) Error() string {
	return fmt.Sprintf("http %d: %s: %.300s", f.status, f.typ, f.reason)
}

// do sends a request and gives the whole answer.
func (c *client) do(ctx context.Context, method, path, mime string, body []byte) (reply, error) {
	var r reply
	err := c.send(ctx, request{method: method, path: path, mime: mime, body: body}, func(res *http.Response) (err error) {
		r.status, r.wait = res.StatusCode, retryAfter(res.Header.Get("Retry-After"), c.now())
		r.body, err = io.ReadAll(io.LimitReader(res.Body, maxReply))
		return err
	})
	return r, err
}

// send sends a request, and lets take read an answer of success. The error is a *failure when a server answered.
//
// A server need not take zstd, and those that do not have no common way to say so: what fails with zstd and succeeds with gzip
// was refused for that, and gzip stays.
func (c *client) send(ctx context.Context, r request, take func(*http.Response) error) error {
	if c.gzip == nil || len(r.body) == 0 {
		return c.packed(ctx, c.packer, r, take)
	}
	var err error
	if c.zstd.Load() != zstdRefused {
		took := false
		if err = c.packed(ctx, c.packer, r, func(res *http.Response) error { took = true; return take(res) }); err == nil {
			c.zstd.CompareAndSwap(zstdUntried, zstdTaken)
		}
		var f *failure
		if took || err == nil || ctx.Err() != nil || errors.Is(err, errFlavor) || c.zstd.Load() == zstdTaken ||
			errors.As(err, &f) && f.status != http.StatusBadRequest && f.status != http.StatusUnsupportedMediaType {
			return err
		}
	}
	again := c.packed(ctx, c.gzip, r, take)
	if err != nil && again == nil && c.zstd.CompareAndSwap(zstdUntried, zstdRefused) {
		c.log.Warn("the server does not take zstd: gzip is used", zap.NamedError("answer", err))
	}
	return again
}

// packed sends a request, compressed. A node that cannot be reached, or is out of service, leads to the next.
func (c *client) packed(ctx context.Context, p *packer, r request, take func(*http.Response) error) error {
	body, release, err := p.pack(r.body)
	if err != nil {
		return err
	}
	if p != nil && len(body) > 0 {
		r.encoding = p.name
	}
	r.body = body
	for _, at := range c.nodes.order() {
		took := false
		err = c.once(ctx, at, r, func(res *http.Response) error { took = true; return take(res) })
		var f *failure
		down := err != nil && (!errors.As(err, &f) || f.status == http.StatusBadGateway || f.status == http.StatusServiceUnavailable ||
			f.status == http.StatusGatewayTimeout)
		if ctx.Err() == nil {
			c.nodes.report(at, !down)
		}
		if err == nil {
			release()
		}
		if !down || took || ctx.Err() != nil || errors.Is(err, errFlavor) {
			break
		}
	}
	return err
}

func (c *client) once(ctx context.Context, at *node, r request, take func(*http.Response) error) error {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, at.url+r.path, bytes.NewReader(r.body))
	if err != nil {
		return fmt.Errorf("make request %s %s: %w", r.method, r.path, err)
	}
	if len(r.body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	} else {
		req.Header.Set("Content-Type", r.mime)
	}
	if r.encoding != "" {
		req.Header.Set("Content-Encoding", r.encoding)
	}
	if c.key != "" {
		req.Header.Set("Authorization", c.key)
	}
	res, err := c.web.Do(req)
	if err != nil {
		return err // names the method and the address
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		f := &failure{reply: reply{status: res.StatusCode, wait: retryAfter(res.Header.Get("Retry-After"), c.now())}}
		if f.body, err = io.ReadAll(io.LimitReader(res.Body, 64<<10)); err != nil {
			return fmt.Errorf("%s %s: read answer: %w", r.method, at.url+r.path, err)
		}
		f.explain()
		return f
	}
	if err := c.product(at, res.Header); err != nil {
		return err
	}
	if err := take(res); err != nil {
		return fmt.Errorf("%s %s: read answer: %w", r.method, at.url+r.path, err)
	}
	return nil
}

// product checks that a server is what flavor says. Elasticsearch names itself in every answer, OpenSearch does not.
func (c *client) product(at *node, h http.Header) error {
	is := h.Get("X-Elastic-Product") == "Elasticsearch"
	switch {
	case is && c.flavor == openSearch:
		return fmt.Errorf("%w: the server at %s is Elasticsearch, but flavor is %s", errFlavor, at.url, openSearch)
	case !is && c.flavor == elastic:
		return fmt.Errorf("%w: the server at %s does not say that it is Elasticsearch; if it is OpenSearch, set flavor to %s",
			errFlavor, at.url, openSearch)
	}
	return nil
}

// explain reads what an answer says about a failure.
func (f *failure) explain() {
	f.typ = http.StatusText(f.status)
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	var cause struct {
		Type     string `json:"type"`
		Reason   string `json:"reason"`
		CausedBy struct {
			Reason string `json:"reason"`
		} `json:"caused_by"`
	}
	switch {
	case json.Unmarshal(f.body, &body) != nil || body.Error == nil:
		f.reason = strings.ToValidUTF8(string(f.body), "")
	case json.Unmarshal(body.Error, &cause) != nil:
		f.reason = string(body.Error)
	default:
		f.typ, f.reason = cause.Type, cause.Reason
		if cause.CausedBy.Reason != "" {
			f.reason += ": " + cause.CausedBy.Reason
		}
	}
}

// retryAfter reads a wait given in seconds or as a date; at most five minutes, never negative.
func retryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseFloat(header, 64); err == nil && seconds < 1e6 {
		wait = time.Duration(seconds * float64(time.Second))
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), 5*time.Minute)
}
