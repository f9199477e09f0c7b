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
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	es "github.com/elastic/go-elasticsearch/v8"
	"go.opentelemetry.io/collector/component"
)

// maxReply bounds an answer; that of the largest bulk request stays below it.
const maxReply = 64 << 20

// client sends requests to whichever node answers.
type client struct {
	es      *es.BaseClient
	nodes   int
	timeout time.Duration
	now     func() time.Time
}

func newClient(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*client, error) {
	web, err := cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, fmt.Errorf("make http client: %w", err)
	}
	nodes := cfg.endpoints()
	c, err := es.NewBaseClient(es.Config{
		Addresses: nodes, APIKey: string(cfg.APIKey), Username: cfg.User, Password: string(cfg.Password),
		Transport: web.Transport, DisableRetry: true, DisableMetaHeader: true,
		Interceptors: []elastictransport.InterceptorFunc{anyProduct},
	})
	if err != nil {
		return nil, fmt.Errorf("make elasticsearch client: %w", err)
	}
	return &client{c, len(nodes), cfg.ClientConfig.Timeout, time.Now}, nil
}

// anyProduct lets servers pass that speak the protocol under another name, such as OpenSearch.
func anyProduct(next elastictransport.RoundTripFunc) elastictransport.RoundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		res, err := next(req)
		if err == nil {
			res.Header.Set("X-Elastic-Product", "Elasticsearch")
		}
		return res, err
	}
}

func (c *client) close(ctx context.Context) error { return c.es.Close(ctx) }

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

// do sends a request; a node that cannot be reached, or is out of service, leads to the next. The error is a *failure when
// a server answered.
func (c *client) do(ctx context.Context, method, path, mime string, body []byte) (reply, error) {
	var r reply
	var err error
	for range c.nodes {
		if r, err = c.once(ctx, method, path, mime, body); err == nil || ctx.Err() != nil {
			return r, err
		}
		var f *failure
		if errors.As(err, &f) && f.status != http.StatusBadGateway && f.status != http.StatusServiceUnavailable &&
			f.status != http.StatusGatewayTimeout {
			return r, err
		}
	}
	return r, err
}

func (c *client) once(ctx context.Context, method, path, mime string, body []byte) (reply, error) {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return reply{}, fmt.Errorf("make request %s %s: %w", method, path, err)
	}
	if len(body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	} else {
		req.Header.Set("Content-Type", mime)
	}
	res, err := c.es.Perform(req)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	r := reply{status: res.StatusCode, wait: retryAfter(res.Header.Get("Retry-After"), c.now())}
	if r.body, err = io.ReadAll(io.LimitReader(res.Body, maxReply)); err != nil {
		return r, fmt.Errorf("%s %s: read answer: %w", method, path, err)
	}
	if r.status/100 != 2 {
		return r, explain(r)
	}
	return r, nil
}

// explain reads what an answer says about a failure.
func explain(r reply) error {
	f := &failure{reply: r, typ: http.StatusText(r.status)}
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
	case json.Unmarshal(r.body, &body) != nil || body.Error == nil:
		f.reason = string(bytes.ToValidUTF8(r.body, nil))
	case json.Unmarshal(body.Error, &cause) != nil:
		f.reason = string(body.Error)
	default:
		f.typ, f.reason = cause.Type, cause.Reason
		if cause.CausedBy.Reason != "" {
			f.reason += ": " + cause.CausedBy.Reason
		}
	}
	return f
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
