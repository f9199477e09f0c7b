package aws

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
)

// client asks what one instance reads.
type client struct {
	*Config
	*credential
	labels  *infile.Labels
	offline bool // only the mapping is wanted

	mu      sync.Mutex
	own     map[string]bool // the accounts of the organization
	buckets map[string]bucket
}

// bucket is where a bucket is: in a Region, of an account.
type bucket struct {
	Name    string `json:"name,omitempty"`
	Region  string `json:"region,omitempty"`
	Account string `json:"account,omitempty"`
}

const (
	maxBuckets = 100_000 // whose place is remembered
	maxRows    = 100_000 // of a list that is held whole
)

// saw remembers where a bucket is.
func (c *client) saw(b bucket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buckets == nil || len(c.buckets) >= maxBuckets {
		c.buckets = map[string]bucket{}
	}
	c.buckets[b.Name] = b
}

// place fills in what is known of where a bucket is.
func (c *client) find(b bucket) bucket {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.buckets[b.Name]
	if b.Region == "" {
		b.Region = known.Region
	}
	if b.Account == "" {
		b.Account = known.Account
	}
	return b
}

// object asks for a bucket or an object in it, and once more in the Region that an answer names.
func (c *client) object(ctx context.Context, d saas.Doer, q saas.Req, b bucket) (*saas.Reply, error) {
	rep, err := d.Do(ctx, q)
	var e *saas.Error
	if !errors.As(err, &e) || e.Header.Get(regionHeader) == "" || e.Header.Get(regionHeader) == b.Region ||
		e.Status != http.StatusMovedPermanently && e.Status != http.StatusBadRequest && e.Status != http.StatusForbidden {
		return rep, err
	}
	was, _, _ := strings.Cut(q.Header[scopeHeader], "/")
	b.Region = e.Header.Get(regionHeader)
	if was == b.Region {
		return rep, err
	}
	c.saw(b)
	again := c.s3(q.Method, b, "", "")
	_, old := c.at("s3", was)
	q.URL = strings.Replace(q.URL, "."+old+".", "."+b.Region+".", 1)
	q.Header[scopeHeader] = again.Header[scopeHeader]
	return d.Do(ctx, q)
}

// each calls f for the rows of a list of a JSON service, in pages.
func (c *client) each(ctx context.Context, d saas.Doer, name, region, as, operation string, in params, rows string,
	f func(json.RawMessage) error) error {
	return pages(ctx, d, func(next string) saas.Req {
		if next != "" {
			in["NextToken"] = next
		}
		return c.json(name, region, as, operation, in)
	}, func(p *saas.Reply) saas.Rows { return p.JSON(rows) }, "NextToken", f)
}

// eachXML is each for a list of IAM. in is as query takes it.
func (c *client) eachXML(ctx context.Context, d saas.Doer, as, action, rows string, f func(json.RawMessage) error, in ...string) error {
	return pages(ctx, d, func(next string) saas.Req {
		return c.query("iam", as, action, append(in[:len(in):len(in)], "Marker", next)...)
	}, func(p *saas.Reply) saas.Rows { return p.XML(rows) }, "Marker", f)
}

// pages calls f for the rows of all pages.
func pages(ctx context.Context, d saas.Doer, ask func(next string) saas.Req, rows func(*saas.Reply) saas.Rows, field string,
	f func(json.RawMessage) error) error {
	var way saas.Circle
	for next := ""; ; {
		rep, err := d.Do(ctx, ask(next))
		if err != nil {
			return err
		}
		for row, err := range rows(rep) {
			if err == nil {
				err = f(row)
			}
			if err != nil {
				return err
			}
		}
		if next = rep.Field(field); next == "" || rep.Field("IsTruncated") == "false" {
			return nil
		}
		if way.Back(next) {
			return &saas.Error{Outcome: saas.Invalid, Req: ask("").Header["X-Amz-Target"], Msg: "the next page was read before in this listing"}
		}
	}
}

// gather keeps the rows of a list: requests that they lead to are sent when it was read.
func gather(list func(f func(json.RawMessage) error) error) (rows []json.RawMessage, err error) {
	err = list(func(row json.RawMessage) error {
		if len(rows) >= maxRows {
			return &saas.Error{Outcome: saas.Invalid, Msg: "a list has more rows than can be held"}
		}
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

// jsonRow reads the answer of a JSON service that is small.
func (c *client) jsonRow(ctx context.Context, d saas.Doer, name, region, as, operation string, in params) (json.RawMessage, error) {
	rep, err := d.Do(ctx, c.json(name, region, as, operation, in))
	if err != nil {
		return nil, err
	}
	return rep.Raw()
}

// none makes an answer that there is no such thing an empty one.
func none(raw json.RawMessage, err error) (json.RawMessage, error) {
	if saas.Is(err, saas.Missing) {
		return nil, nil
	}
	return raw, err
}

// members are the elements of a list as XML answers have it: {"member": [a, b]} or, with one, {"member": a}.
func members(raw json.RawMessage, name string) []json.RawMessage {
	in := saas.Member(raw, name)
	if len(in) == 0 {
		return nil
	}
	if in[0] != '[' {
		return []json.RawMessage{in}
	}
	var out []json.RawMessage
	for e := range event.Elems(in) {
		out = append(out, e)
	}
	return out
}
