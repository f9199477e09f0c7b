package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// maxAnswer bounds what the client reads.
const maxAnswer = 64 << 20

// Client calls a running agent.
type Client struct{ Socket string }

// Connectors lists the connected tenants.
func (c Client) Connectors(ctx context.Context) ([]Connector, error) {
	var out []Connector
	err := c.call(ctx, http.MethodGet, "/v1/connectors", &out)
	return out, err
}

// Disable stops a tenant and gives its state after it.
func (c Client) Disable(ctx context.Context, id string) (Connector, error) {
	var out Connector
	err := c.call(ctx, http.MethodPost, "/v1/connectors/"+url.PathEscape(id)+"/disable", &out)
	return out, err
}

// Enable lets a tenant go on and gives its state after it.
func (c Client) Enable(ctx context.Context, id string) (Connector, error) {
	var out Connector
	err := c.call(ctx, http.MethodPost, "/v1/connectors/"+url.PathEscape(id)+"/enable", &out)
	return out, err
}

func (c Client) call(ctx context.Context, method, path string, out any) error {
	tr := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.Socket)
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, nil)
	if err != nil {
		return fmt.Errorf("call the agent at %q: %w", c.Socket, err)
	}
	resp, err := tr.RoundTrip(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no agent is listening at %q: start one whose service has the extension control, or name its socket with --socket",
			c.Socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open %q: only the account that runs the agent may", c.Socket)
	case err != nil:
		return fmt.Errorf("call the agent at %q: %w", c.Socket, err)
	}
	defer resp.Body.Close()
	body := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode != http.StatusOK {
		var f failure
		if body.Decode(&f) != nil || f.Error == "" {
			f.Error = resp.Status
		}
		return errors.New(f.Error)
	}
	if err = body.Decode(out); err != nil {
		return fmt.Errorf("read the agent's answer: %w", err)
	}
	return nil
}
