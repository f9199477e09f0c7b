package saas

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	prioAction  = 0 // kinds follow from 1 on, content last
	prioWalk    = 1 + int(Accounts)
	headBytes   = 512     // of a good answer shown to Fault
	faultBytes  = 1 << 16 // of a bad one
	maxTries    = 5       // of one request that the vendor could not serve
	maxThrottle = 20      // waits for one request that the vendor refused for now
)

// link is what all requests of one instance share.
type link struct {
	inst    *Instance
	base    *url.URL
	client  *http.Client
	pool    *pool
	tokens  *tokens
	budgets *budgets
	timeout time.Duration // for headers, and between two reads of a body
	maxBody int64
	agent   string
	log     *zap.Logger
	skew    clockSkew
	stats   linkStats
}

type linkStats struct{ requests, throttled, failed atomic.Int64 }

// conn is a link as one user of it sees it.
type conn struct {
	*link
	prio    int
	careful bool   // what may have been done is not sent again: actions
	accept  string // the kind of answers, where that is not JSON: a file's content
}

// clockSkew estimates vendor time − our time from Date headers, which cut the fraction of a second: the largest
// difference of late is the nearest to the truth.
type clockSkew struct {
	mu    sync.Mutex
	best  time.Duration
	at    time.Time
	known bool
}

func (s *clockSkew) saw(date string, now time.Time) {
	t, err := http.ParseTime(date)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := t.Sub(now); !s.known || d > s.best || now.Sub(s.at) > 10*time.Minute {
		s.best, s.at, s.known = d, now, true
	}
}

func (s *clockSkew) get() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.best
}

// vendorNow is the vendor's clock.
func (l *link) vendorNow() time.Time { return time.Now().Add(l.skew.get()) }

func (c *conn) do(ctx context.Context, q Req) (*Reply, error) {
	reminted, tries, waits := false, 0, 0
	for {
		rep, key, serial, err := c.once(ctx, q)
		if err == nil {
			return rep, nil
		}
		e := asError(err)
		if ctx.Err() != nil {
			return nil, e
		}
		var wait time.Duration
		switch e.Outcome {
		case Unauthorized:
			if q.NoAuth || reminted || serial == 0 {
				return nil, e
			}
			reminted = true
			c.tokens.drop(ctx, key, serial)
		case Throttled:
			if waits++; waits > maxThrottle {
				return nil, e
			}
			wait = c.throttleWait(e, waits)
		case Unavailable:
			if tries++; tries >= maxTries || c.careful && e.Status == 0 {
				return nil, e
			}
			wait = max(backoff(tries), e.Until.Sub(c.vendorNow()))
		default:
			return nil, e
		}
		if dl, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(dl) {
			return nil, e
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, &Error{Outcome: Unavailable, Req: e.Req, Err: err}
		}
	}
}

func (c *conn) throttleWait(e *Error, n int) time.Duration {
	if wait := e.Until.Sub(c.vendorNow()); wait > 0 {
		return wait + skewMargin + rand.N(skewMargin)
	}
	return backoff(min(n, 6))
}

// backoff is 0.25 s, 0.5 s, 1 s … 60 s, each with jitter.
func backoff(n int) time.Duration {
	d := min(250*time.Millisecond<<min(n-1, 10), time.Minute)
	return d/2 + rand.N(d)
}

// once sends q one time.
func (c *conn) once(ctx context.Context, q Req) (rep *Reply, key string, serial int, err error) {
	method := q.Method
	if method == "" {
		method = http.MethodGet
		if q.Body != "" {
			method = http.MethodPost
		}
	}
	var tok Token
	if !q.NoAuth && c.inst.Auth.Mint != nil {
		key = c.tokens.key(q)
		if tok, serial, err = c.tokens.get(ctx, key); err != nil {
			return nil, key, 0, err
		}
	}
	u, err := c.resolve(q.URL, tok.Base)
	if err != nil {
		return nil, key, serial, err
	}
	what := method + " " + u.Path
	g, err := c.budgets.acquire(ctx, q, c.prio)
	if err != nil {
		return nil, key, serial, &Error{Outcome: Unavailable, Req: what, Err: fmt.Errorf("wait for the budget: %w", err)}
	}
	rctx, cancel := context.WithCancelCause(ctx)
	fail := func(e *Error) (*Reply, string, int, error) {
		cancel(nil)
		g.release()
		e.Req = what
		c.stats.failed.Add(1)
		return nil, key, serial, e
	}
	req, err := c.request(rctx, method, u, q, tok)
	if err != nil {
		return fail(&Error{Outcome: Invalid, Err: err})
	}
	watch := time.AfterFunc(c.timeout, func() { cancel(errSilent) })
	c.stats.requests.Add(1)
	resp, err := c.client.Do(req)
	watch.Stop()
	if err != nil {
		return fail(sendError(rctx, err))
	}
	return c.judge(rctx, resp, cancel, g, what, key, serial)
}

var errSilent = errors.New("no answer within the timeout")

func sendError(ctx context.Context, err error) *Error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else {
		var ue *url.Error // its text holds the whole URL, query and all
		if errors.As(err, &ue) {
			err = ue.Err
		}
	}
	var e *Error
	if errors.As(err, &e) { // a redirect that may not be followed
		return &Error{Outcome: e.Outcome, Err: e.Err}
	}
	return &Error{Outcome: Unavailable, Err: err}
}

// judge turns a response into a good Reply or an *Error.
func (c *conn) judge(ctx context.Context, resp *http.Response, cancel context.CancelCauseFunc, g *grant, what, key string,
	serial int) (*Reply, string, int, error) {
	c.skew.saw(resp.Header.Get("Date"), time.Now())
	now := c.vendorNow()
	q := readQuota(resp.Header, now)
	g.hear(resp.Header)
	rep := &Reply{reply{c: c, resp: resp, what: what}}
	rep.in = &body{rc: resp.Body, cancel: cancel, idle: c.timeout, left: c.maxBody, end: g.release}
	bad, isBad := byStatus(resp.StatusCode)
	head := rep.peek(isBad)
	var e *Error
	if c.inst.Fault != nil {
		e = c.inst.Fault(resp.StatusCode, resp.Header, head)
	}
	if e == nil && isBad {
		e = &Error{Outcome: bad}
	}
	if e == nil {
		g.learn(q, false, time.Time{})
		return rep, key, serial, nil
	}
	if e.Until.IsZero() {
		e.Until = readWhen(resp.Header.Get("Retry-After"), now)
		if e.Until.IsZero() && e.Outcome == Throttled && q.remaining <= 0 {
			e.Until = q.reset
		}
	}
	e.Status, e.Header, e.Req = resp.StatusCode, resp.Header, what
	g.learn(q, e.Outcome == Throttled, e.Until)
	if e.Outcome == Throttled {
		c.stats.throttled.Add(1)
	}
	rep.in.Close()
	c.stats.failed.Add(1)
	return nil, key, serial, e
}

func (c *conn) request(ctx context.Context, method string, u *url.URL, q Req, tok Token) (*http.Request, error) {
	var rd io.Reader
	body := []byte(q.Body)
	if q.Body != "" {
		rd = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), rd)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", cmp.Or(c.accept, "application/json"))
	if q.Body != "" {
		req.Header.Set("Content-Type", contentType(q.Body))
	}
	for k, v := range q.Header {
		req.Header.Set(k, v)
	}
	if q.NoAuth || c.inst.Auth.Mint == nil {
		return req, nil
	}
	if c.inst.Auth.Sign == nil {
		req.Header.Set("Authorization", "Bearer "+tok.Value)
		return req, nil
	}
	return req, c.inst.Auth.Sign(req, body, tok)
}

func contentType(body string) string {
	switch body[0] {
	case '{', '[':
		return "application/json"
	case '<':
		return "application/xml"
	}
	return "application/x-www-form-urlencoded"
}

// resolve makes the URL absolute and refuses what leaves the configured hosts.
func (l *link) resolve(ref, tokenBase string) (*url.URL, error) {
	base := l.base
	if tokenBase != "" {
		b, err := url.Parse(tokenBase)
		if err != nil {
			return nil, &Error{Outcome: Invalid, Err: fmt.Errorf("parse base %q of the token: %w", tokenBase, err)}
		}
		base = b
	}
	r, err := url.Parse(ref)
	if err != nil {
		return nil, &Error{Outcome: Invalid, Err: fmt.Errorf("parse URL of a request: %w", err)}
	}
	u := r
	if !r.IsAbs() {
		top := *base
		top.Path = cmp.Or(top.Path, "/")
		u = top.JoinPath(r.EscapedPath())
		u.RawQuery = r.RawQuery
		if r.Host != "" {
			u = base.ResolveReference(r)
		}
	}
	if err := l.allowed(u, base); err != nil {
		return nil, &Error{Outcome: Invalid, Err: err}
	}
	return u, nil
}

func (l *link) allowed(u, base *url.URL) error {
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return fmt.Errorf("refuse %s://%s: only https is spoken with a host that is not this machine", u.Scheme, u.Host)
	}
	if u.User != nil {
		return fmt.Errorf("refuse %s: its URL holds a user", u.Host)
	}
	host := hostPort(u.Host, u.Scheme)
	if host == hostPort(l.base.Host, l.base.Scheme) || host == hostPort(base.Host, base.Scheme) {
		return nil
	}
	for _, h := range l.inst.Hosts {
		domain, wild := strings.CutPrefix(h, "*")
		if host == hostPort(h, "https") || wild && strings.HasPrefix(domain, ".") && strings.HasSuffix(host, hostPort(domain, "https")) {
			return nil
		}
	}
	hosts := slices.Concat([]string{l.base.Host}, l.inst.Hosts)
	return fmt.Errorf("refuse %s: not among the hosts of this connection (%s)", u.Host, strings.Join(hosts, ", "))
}

// hostPort is a host as it is compared: in small letters, with the port.
func hostPort(host, scheme string) string {
	u := url.URL{Host: strings.ToLower(host)}
	switch {
	case u.Port() != "":
	case scheme == "http":
		u.Host += ":80"
	default:
		u.Host += ":443"
	}
	return u.Host
}

// loopback reports whether a host name can only be this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// redirect is the client's CheckRedirect.
func (l *link) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > 5 {
		return &Error{Outcome: Invalid, Err: errors.New("refuse redirect: more than 5 in a row")}
	}
	if err := l.allowed(req.URL, via[0].URL); err != nil { // which may be below the base of the token
		return &Error{Outcome: Invalid, Err: fmt.Errorf("follow redirect: %w", err)}
	}
	at := func(r *http.Request) string { return hostPort(r.URL.Host, r.URL.Scheme) }
	if at(req) == at(via[0]) && !slices.ContainsFunc(via, func(r *http.Request) bool { return at(r) != at(via[0]) }) {
		return nil
	}
	if req.Body != nil { // of a form, which may hold a secret
		return &Error{Outcome: Invalid, Err: fmt.Errorf("follow redirect to %s: another host is not given the body of a request", req.URL.Host)}
	}
	for name := range req.Header { // credentials, and on whose behalf
		if name != "User-Agent" && name != "Accept" {
			delete(req.Header, name)
		}
	}
	return nil
}
