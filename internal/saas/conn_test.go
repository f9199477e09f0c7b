package saas

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/component"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// line is a connection to a vendor in memory, for the inside of a bubble.
type line struct {
	*Conn
	t    *testing.T
	core *core
	net  *simtest.Net
	base string
}

type netHost map[component.ID]component.Component

func (h netHost) GetExtensions() map[component.ID]component.Component { return h }

func connect(t *testing.T, inst Instance, h http.HandlerFunc) *line {
	t.Helper()
	n := &simtest.Net{}
	base, stop := n.Serve(h)
	if inst.Base == "" {
		inst.Base = base
	}
	p := &Provider{Name: "own", Config: func() any { return &ownConfig{} }, Open: func(any, Setup) (*Instance, error) {
		made := inst
		return &made, nil
	}}
	c := &core{id: component.MustNewIDWithName("own", "acme"), provider: p, cfg: defaultConfig(p), log: zap.NewNop(), version: "1"}
	c.cfg.QuotaShare = 1
	c.cfg.HTTP.Middlewares = simtest.Middleware()
	set := component.TelemetrySettings{Logger: c.log, MeterProvider: metricnoop.NewMeterProvider(),
		TracerProvider: tracenoop.NewTracerProvider()}
	if err := c.connect(t.Context(), netHost{simtest.NetID: n}, set); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.link.pool.close()
		stop()
	})
	return &line{&Conn{conn{link: c.link, prio: 1}}, t, c, n, base}
}

// get asks for a URL and reads the answer.
func (l *line) get(url string) (string, error) {
	p, err := l.Do(l.t.Context(), Req{URL: url})
	if err != nil {
		return "", err
	}
	raw, err := p.Raw()
	return string(raw), err
}

// inBubble runs f with virtual time.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestRequestsStayOnTheConfiguredHosts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := connect(t, Instance{Base: "https://acme.okta.com/api", Hosts: []string{"*.files.example.com", "login.example.com",
			"127.0.0.1:9"}}, nil)
		f := func(url, want string) {
			t.Helper()
			u, err := l.link.resolve(url, "")
			got := ""
			if err == nil {
				got = u.String()
			} else if !Is(err, Invalid) {
				t.Errorf("%s: %v", url, err)
			}
			if got != want {
				t.Errorf("%s is %q, want %q (%v)", url, got, want, err)
			}
		}
		f("/v1/users?limit=2", "https://acme.okta.com/api/v1/users?limit=2")
		f("v1/users/a%2Fb%20c", "https://acme.okta.com/api/v1/users/a%2Fb%20c")
		f("/v1/100%25", "https://acme.okta.com/api/v1/100%25")
		f("/../../v1/users", "https://acme.okta.com/v1/users")
		f("https://acme.okta.com/x", "https://acme.okta.com/x")
		f("https://ACME.okta.com:443/x", "https://ACME.okta.com:443/x")
		f("https://login.example.com/token", "https://login.example.com/token")
		f("https://a.files.example.com/f", "https://a.files.example.com/f")
		f("https://a.b.files.example.com/f", "https://a.b.files.example.com/f")

		f("https://evil-okta.com/x", "")
		f("https://acme.okta.com.evil.com/x", "")
		f("https://acme.okta.com:8443/x", "")
		f("https://acme.okta.com@evil.com/x", "")
		f("https://user:pw@acme.okta.com/x", "")
		f("//evil.com/x", "")
		f("https:evil.com", "")
		f("https:///x", "")
		f("http://acme.okta.com/x", "")
		f("https://evilfiles.example.com/f", "")
		f("https://files.example.com/f", "") // the pattern is of what is below
		f("https://a.files.example.com:8443/f", "")
		f("https://a.files.example.com.evil.com/f", "")
		f("https://[::1]/x", "")
		f("https://[fe80::1%25en0]/x", "")
		f("http://127.evil.com/x", "")
		f("http://127.0.0.1:9/x", "http://127.0.0.1:9/x")
		f("http://127.0.0.1:8/x", "")
		f("http://localhost.evil.com/x", "")
		f("http://169.254.169.254/latest/meta-data", "")
		f("ftp://acme.okta.com/x", "")
		f("javascript:alert(1)", "")
		f("https://acme.okta.com\\@evil.com/", "")
		f(" https://evil.com/", "")
		f("\x00", "")
	})
}

func TestOnlyThisMachineIsLoopback(t *testing.T) {
	f := func(host string, want bool) {
		t.Helper()
		if loopback(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
	f("localhost", true)
	f("127.0.0.1", true)
	f("127.9.9.9", true)
	f("::1", true)
	f("127.evil.com", false)
	f("127.0.0.1.evil.com", false)
	f("127.1", false)
	f("0.0.0.0", false)
	f("localhost.evil.com", false)
	f("10.0.0.1", false)
	f("", false)
}

func TestRedirectsStayOnTheConfiguredHosts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var target atomic.Value
		mux := func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/go":
				http.Redirect(w, r, target.Load().(string), http.StatusFound)
			case "/round":
				http.Redirect(w, r, "/round", http.StatusFound)
			default:
				_, _ = io.WriteString(w, r.Header.Get("Authorization"))
			}
		}
		mint := func(context.Context, *Conn, string) (Token, error) { return Token{Value: "t0ken"}, nil }
		l := connect(t, Instance{Auth: Auth{Mint: mint}}, mux)
		f := func(to, want string) {
			t.Helper()
			target.Store(to)
			got, err := l.get("/go")
			if want != "" && got != want || want == "" && !Is(err, Invalid) {
				t.Errorf("redirect to %q: %q, %v", to, got, err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error holds the query: %v", err)
			}
		}
		f("/there", "Bearer t0ken")
		f("https://evil.example.com/?s3cret", "")
		f("http://127.0.0.2:1/", "")
		if _, err := l.get("/round"); !Is(err, Invalid) {
			t.Errorf("going round: %v", err)
		}
	})
}

func TestARedirectBelowTheBaseOfATokenIsFollowed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var base string
		l := connect(t, Instance{Auth: Auth{Mint: func(context.Context, *Conn, string) (Token, error) {
			return Token{Value: "t", Base: base},
				nil
		}}},
			func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/a" {
					http.Redirect(w, r, "/b", http.StatusTemporaryRedirect)
					return
				}
				_, _ = io.WriteString(w, r.URL.Path)
			})
		base = l.base
		l.core.link.base.Host = "127.0.0.1:1" // the vendor's login; the token says where the tenant is
		if got, err := l.get("/a"); got != "/b" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// A download is often redirected to a store elsewhere, whose URL is all it needs.
func TestARedirectToAnotherHostCarriesNoCredentials(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		back := ""
		l := connect(t, Instance{Hosts: []string{"127.0.0.1:8002"}, Auth: Auth{Mint: func(context.Context, *Conn, string) (Token, error) {
			return Token{Value: "secret"}, nil
		}}}, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/at/home":
				http.Redirect(w, r, "/file", http.StatusFound)
			case "/away", "/moved":
				http.Redirect(w, r, "http://127.0.0.1:8002/store?signed=1", map[string]int{"/away": 302, "/moved": 307}[r.URL.Path])
			case "/there/and/back":
				http.Redirect(w, r, "http://127.0.0.1:8002/back", http.StatusFound)
			}
			if r.URL.Path == "/file" {
				back = r.Header.Get("As-User") + " " + r.Header.Get("Authorization")
			}
		})
		var seen []http.Header
		base, stop := l.net.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Header)
			if r.URL.Path == "/back" {
				http.Redirect(w, r, l.base+"/file", http.StatusFound)
			}
			_, _ = io.WriteString(w, "bytes")
		}))
		t.Cleanup(stop)
		if base != "http://127.0.0.1:8002" {
			t.Fatalf("the store is at %s", base)
		}
		ask := func(path string, body string) (*Reply, error) {
			return l.Do(t.Context(), Req{URL: path, Body: body, Header: map[string]string{"As-User": "7", "If-Match": "x", "Cookie": "c=1",
				"X-Api-Key": "secret", "Accept": "text/plain"}})
		}
		f := func(path, want string) {
			t.Helper()
			seen, back = nil, ""
			p, err := ask(path, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Raw(); err != nil {
				t.Fatal(err)
			}
			if back != want {
				t.Errorf("%s: the first host was given %q, want %q", path, back, want)
			}
			for _, h := range seen {
				for name := range h {
					if name != "User-Agent" && name != "Accept" && name != "Accept-Encoding" {
						t.Errorf("%s: another host was given %s: %q", path, name, h.Get(name))
					}
				}
				if h.Get("Accept") != "text/plain" {
					t.Errorf("%s: another host was told to send %q", path, h.Get("Accept"))
				}
			}
		}
		f("/at/home", "7 Bearer secret")
		f("/away", "")
		f("/there/and/back", " ") // another host may not say what is done with our credentials
		if len(seen) != 1 {
			t.Error("the other host was not asked")
		}
		seen = nil
		_, err := ask("/moved", "client_secret=s")
		if !Is(err, Invalid) || !strings.Contains(err.Error(), "not given the body") || len(seen) > 0 {
			t.Errorf("a form was sent to another host: %v", err)
		}
	})
}

func TestATokenIsMintedOnceMoreAfterARefusal(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var mints, asked atomic.Int64
		good := "none"
		l := connect(t, Instance{Auth: Auth{Mint: func(context.Context, *Conn, string) (Token, error) {
			return Token{Value: fmt.Sprint("t", mints.Add(1))}, nil
		}}}, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if r.Header.Get("Authorization") != "Bearer "+good {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		if _, err := l.get("/x"); !Is(err, Unauthorized) || mints.Load() != 2 || asked.Load() != 2 {
			t.Errorf("%v after %d requests and %d mints, want 2 of each", err, asked.Load(), mints.Load())
		}
		good = "t3"
		if _, err := l.get("/x"); err != nil || mints.Load() != 3 {
			t.Errorf("%v after %d mints", err, mints.Load())
		}
		if _, err := l.Do(t.Context(), Req{URL: "/x", NoAuth: true}); !Is(err, Unauthorized) || mints.Load() != 3 {
			t.Errorf("a request without a token: %v, %d mints", err, mints.Load())
		}
	})
}

func TestFailuresAreTriedAgainByTheirKind(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var answers []int
		asked := 0
		head := http.Header{}
		l := connect(t, Instance{Fault: func(status int, _ http.Header, body []byte) *Error {
			switch {
			case strings.Contains(string(body), "slow down"):
				return &Error{Outcome: Throttled, Until: time.Now().Add(40 * time.Second)}
			case strings.Contains(string(body), "in the body"): // good status, bad answer
				return &Error{Outcome: Denied, Code: "E7"}
			}
			return nil
		}}, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			status := 200
			if len(answers) > 0 {
				status, answers = answers[0], answers[1:]
				maps.Copy(w.Header(), head)
			}
			switch status {
			case 1:
				_, _ = io.WriteString(w, `{"error":"in the body"}`)
			case 2:
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, "slow down")
			case 3:
				panic(http.ErrAbortHandler)
			default:
				w.WriteHeader(status)
			}
		})
		f := func(c *Conn, want Outcome, requests int, least, most time.Duration, h http.Header, statuses ...int) {
			t.Helper()
			mu.Lock()
			answers, asked, head = statuses, 0, h
			mu.Unlock()
			begun := time.Now()
			_, err := c.Do(t.Context(), Req{URL: "/x", Body: "{}"}) // what net/http does not repeat itself
			if ok := want < 0 && err == nil || want >= 0 && Is(err, want); !ok || asked != requests {
				t.Errorf("%v: %v after %d requests, want %v after %d", statuses, err, asked, want, requests)
			}
			if d := time.Since(begun); d < least || d > most {
				t.Errorf("%v took %v, want %v to %v", statuses, d, least, most)
			}
		}
		const ok = Outcome(-1)
		none := http.Header{}
		f(l.Conn, ok, 3, 300*time.Millisecond, 2*time.Second, none, 500, 503)
		f(l.Conn, ok, 2, 7*time.Second, 9*time.Second, http.Header{"Retry-After": {"7"}}, 503)
		f(l.Conn, ok, 2, 7*time.Second, 9*time.Second, http.Header{"Retry-After": {"7"}}, 429)
		f(l.Conn, ok, 2, 100*time.Millisecond, time.Second, http.Header{"Retry-After": {"Sun, 01 Mar 1970 00:00:00 GMT"}}, 429)
		f(l.Conn, ok, 2, 40*time.Second, 42*time.Second, none, 2)
		f(l.Conn, ok, 2, 100*time.Millisecond, time.Second, none, 3)
		f(l.Conn, Unavailable, 5, time.Second, 20*time.Second, none, 500, 500, 500, 500, 500, 500)
		f(l.Conn, Denied, 1, 0, time.Second, none, 403)
		f(l.Conn, Denied, 1, 0, time.Second, none, 1)
		f(l.Conn, Missing, 1, 0, time.Second, none, 404)
		f(l.Conn, Expired, 1, 0, time.Second, none, 410)
		f(l.Conn, Invalid, 1, 0, time.Second, none, 400)
		careful := &Conn{conn{link: l.link, careful: true}}
		f(careful, Unavailable, 1, 0, time.Second, none, 3) // it may have been done
		f(careful, ok, 2, 100*time.Millisecond, 2*time.Second, none, 503)

		// A wait that does not end before the deadline is not begun.
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		mu.Lock()
		answers, head = []int{429}, http.Header{"Retry-After": {"60"}}
		mu.Unlock()
		begun := time.Now()
		if _, err := l.Do(ctx, Req{URL: "/x"}); !Is(err, Throttled) || time.Since(begun) > time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestASilentServerEndsWithTheTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := connect(t, Instance{}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/half" {
				_, _ = io.WriteString(w, `[{"a":1},`)
				_ = http.NewResponseController(w).Flush()
			}
			if r.URL.Path == "/slow" { // slower than the timeout as a whole, never silent for long
				for range 10 {
					_, _ = io.WriteString(w, " ")
					_ = http.NewResponseController(w).Flush()
					time.Sleep(30 * time.Second)
				}
				_, _ = io.WriteString(w, "[]")
				return
			}
			<-r.Context().Done()
		})
		begun := time.Now()
		_, err := l.get("/nothing")
		if !Is(err, Unavailable) || !errors.Is(err, errSilent) || time.Since(begun) > 6*time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		begun = time.Now()
		if _, err := l.get("/half"); !Is(err, Unavailable) || time.Since(begun) > 2*time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if got, err := l.get("/slow"); err != nil || strings.TrimSpace(got) != "[]" {
			t.Errorf("a slow answer: %q, %v", got, err)
		}
	})
}

func TestAnswersAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := connect(t, Instance{}, func(w http.ResponseWriter, r *http.Request) {
			row := strings.Repeat(`{"id":"a row of some length"},`, 1<<11)
			var out io.Writer = w
			if r.URL.Path == "/gzip" {
				z := gzip.NewWriter(w)
				defer func() { _ = z.Close() }()
				out = z
			}
			if r.URL.Path != "/csv" {
				_, _ = io.WriteString(out, "[")
			} else {
				row = strings.Repeat("a,b\n", 1<<14)
			}
			for range 3 << 30 / len(row) { // 3 GB
				if _, err := io.WriteString(out, row); err != nil {
					return
				}
			}
		})
		l.link.maxBody = 1 << 22
		f := func(path string, rows func(*Reply) Rows, least int) {
			t.Helper()
			p, err := l.Do(t.Context(), Req{URL: path})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, e := range rows(p) {
				if err = e; err != nil {
					break
				}
				n++
			}
			if !Is(err, Invalid) || !strings.Contains(err.Error(), "more than 4194304 bytes") || n < least {
				t.Errorf("%s: %v after %d rows", path, err, n)
			}
		}
		f("/json", func(p *Reply) Rows { return p.JSON("") }, 100_000)
		f("/gzip", func(p *Reply) Rows { return p.JSON("") }, 100_000)
		f("/csv", func(p *Reply) Rows { return p.CSV() }, 900_000)
		l.link.maxBody = defaultMaxBody
		if _, err := l.get("/gzip"); !Is(err, Invalid) { // a small body that is none
			t.Errorf("a body read whole: %v", err)
		}
	})
}

func TestTruncatedAnswersAreTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := connect(t, Instance{}, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"items":[{"a":1},{"a"`) })
		p, err := l.Do(t.Context(), Req{URL: "/x"})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range p.JSON("items") {
			if err = e; err != nil {
				break
			}
			n++
		}
		if n != 1 || !Is(err, Unavailable) {
			t.Errorf("%d rows, then %v", n, err)
		}
		var v any
		if p, err = l.Do(t.Context(), Req{URL: "/x"}); err == nil {
			err = p.Into(&v)
		}
		if !Is(err, Unavailable) {
			t.Errorf("decoding: %v", err)
		}
	})
}

func TestTheVendorsClockIsLearnt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		off := 10 * time.Minute
		refuse := true
		l := connect(t, Instance{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
			if refuse { // an absolute moment, by the vendor's clock
				refuse = false
				w.Header().Set("X-RateLimit-Limit", "10")
				w.Header().Set("X-RateLimit-Remaining", "0")
				w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(off+5*time.Second).Unix()))
				w.WriteHeader(http.StatusTooManyRequests)
			}
		})
		begun := time.Now()
		if _, err := l.get("/x"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begun); d < 4*time.Second || d > 8*time.Second {
			t.Errorf("waited %v, want until the reset in 5 s", d)
		}
		if d := time.Until(l.link.vendorNow()); (d - off).Abs() > 2*time.Second {
			t.Errorf("the vendor's clock is %v ahead, want %v", d, off)
		}
		off = -10 * time.Minute
		time.Sleep(11 * time.Minute)
		if _, err := l.get("/x"); err != nil {
			t.Fatal(err)
		}
		if d := time.Until(l.link.vendorNow()); (d - off).Abs() > 2*time.Second {
			t.Errorf("the vendor's clock is %v ahead, want %v", d, off)
		}
	})
}

func TestErrorsOfRequestsHoldNoQueryAndNoToken(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := connect(t, Instance{Auth: Auth{Mint: func(context.Context, *Conn, string) (Token, error) { return Token{Value: "t0psecret"}, nil }}},
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		_, err := l.get("/x?key=t0psecret")
		if err == nil || strings.Contains(err.Error(), "t0psecret") || !strings.Contains(err.Error(), "GET /x") {
			t.Errorf("got %v", err)
		}
		for _, v := range []any{Token{Value: "t0psecret", Extra: map[string]string{"k": "t0psecret"}}, &Token{Value: "t0psecret"}} {
			if s := fmt.Sprintf("%v %+v %#v", v, v, v); strings.Contains(s, "t0psecret") {
				t.Errorf("a token that is printed shows itself: %s", s)
			}
		}
	})
}

func TestAConnectionIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := connect(t, Instance{}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/bad" {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = io.WriteString(w, `[{"a":1}]`)
		})
		for range 5 {
			p, err := l.Do(t.Context(), Req{URL: "/x"})
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range p.JSON("") {
				if err != nil {
					t.Fatal(err)
				}
			}
			_, _ = l.get("/bad")
			_, _ = l.get("/whole")
		}
		if n := l.net.Dialed(); len(n) != 1 || n[strings.TrimPrefix(l.base, "http://")] != 1 {
			t.Errorf("dialled %v for 15 requests, want once", n)
		}
	})
}
