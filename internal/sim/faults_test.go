package sim

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const smallPage = `[{"id":"a","actor":{"n":"}"},"text":"\"{["},{"id":"b","actor":null}]`

// small is a fake with a list and an item.
func small(t *testing.T, o Options) *Sim {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items", func(w http.ResponseWriter, r *http.Request) {
		SetLinks(w.Header(), Link{"next", "http://" + r.Host + "/items?after=1"})
		_, _ = io.WriteString(w, smallPage)
	})
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "none" {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	mux.HandleFunc("POST /items", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusCreated) })
	return New(o, Vendor{Mux: mux, Fail: func(w http.ResponseWriter, _ *http.Request, status int) {
		w.Header().Set("X-Reset", "60")
		WriteJSON(w, status, map[string]int{"code": status})
	}})
}

// fetch gets the list over a real connection.
func fetch(t *testing.T, s *Sim) (*http.Response, string, error) {
	t.Helper()
	base, stop, err := Serve("127.0.0.1:0", s, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, base+"/items", nil)
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func TestStatusFaultsAnswerAsTheVendorUnlessTold(t *testing.T) {
	s := small(t, Options{})
	f := func(fault Fault, status int, body, reset string) {
		t.Helper()
		s.Faults.Next(1, "GET /items", fault)
		w := get(s.Handler, "/items")
		if w.Code != status || w.Body.String() != body || w.Header().Get("X-Reset") != reset {
			t.Errorf("%d %q %q, want %d %q %q", w.Code, w.Body, w.Header().Get("X-Reset"), status, body, reset)
		}
		if w := get(s.Handler, "/items"); w.Code != 200 || w.Body.String() != smallPage {
			t.Errorf("the request after it: %d", w.Code)
		}
	}
	f(Fault{Status: 429}, 429, `{"code":429}`, "60")
	f(Fault{Status: 429, Header: http.Header{"X-Reset": nil}}, 429, `{"code":429}`, "")
	f(Fault{Status: 429, Header: http.Header{"X-Reset": {"-60"}}}, 429, `{"code":429}`, "-60")
	f(Fault{Status: 503, Body: "<html>", Header: http.Header{"Retry-After": {"7"}}}, 503, "<html>", "")
}

func TestFaultsChooseRequestsByMethodAndPattern(t *testing.T) {
	s := small(t, Options{})
	s.Faults.Next(2, "GET /items/{id}", Fault{Status: 500})
	for i, want := range []int{500, 500, 200} {
		if get(s.Handler, "/items").Code != 200 {
			t.Fatal("another route failed")
		}
		if got := get(s.Handler, "/items/1").Code; got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
	}
	if s.Faults.Hits() != 2 {
		t.Errorf("%d hits", s.Faults.Hits())
	}
	s.Faults.Next(1, "GET /items$", Fault{Status: 500})
	if got := [2]int{get(s.Handler, "/items/1").Code, get(s.Handler, "/items").Code}; got != [2]int{200, 500} {
		t.Errorf("a pattern's end chose %v", got)
	}
	s.Faults.Next(9, "", Fault{Status: 500})
	if s.Faults.Clear(); get(s.Handler, "/items").Code != 200 {
		t.Error("cleared faults go on")
	}
}

func TestSharesAreSeeded(t *testing.T) {
	run := func(seed int64) (failed []int) {
		s := small(t, Options{Seed: seed})
		s.Faults.Share(0.1, "", Fault{Status: 500})
		for i := range 1000 {
			if get(s.Handler, "/items").Code == 500 {
				failed = append(failed, i)
			}
		}
		return failed
	}
	a, b, c := run(1), run(1), run(2)
	if !slices.Equal(a, b) || slices.Equal(a, c) || len(a) < 60 || len(a) > 140 {
		t.Errorf("%d, %d and %d of 1000 failed", len(a), len(b), len(c))
	}
}

func TestRecordsAreDamagedInPlace(t *testing.T) {
	s := small(t, Options{})
	f := func(kind Kind, want string) {
		t.Helper()
		s.Faults.Next(1, "", Fault{Kind: kind})
		got := get(s.Handler, "/items").Body.String()
		if !strings.HasPrefix(got, want) || !json.Valid([]byte(got)) {
			t.Errorf("got %s, want %s…", got, want)
		}
		if kind != NullField && !strings.HasSuffix(got, smallPage[1:]) {
			t.Errorf("got %s: the records themselves changed", got)
		}
	}
	f(Null, `[null,{"id":"a"`)
	f(Malformed, `[{"uuid":{"no":1},`)
	f(NullField, `[{"id":"a","actor":null,"text":"\"{["}`)
	s.Faults.Next(1, "", Fault{Kind: Null})
	if w := get(s.Handler, "/items/1"); w.Body.Len() != 0 {
		t.Errorf("an answer without records became %s", w.Body)
	}
}

func TestLinksLeadElsewhere(t *testing.T) {
	s := small(t, Options{})
	s.Faults.Next(1, "", Fault{Kind: Elsewhere, Host: "https://evil.test"})
	if got := get(s.Handler, "/items").Header().Get("Link"); got != `<https://evil.test/items?after=1>; rel="next"` {
		t.Error(got)
	}
}

func TestConnectionsBreak(t *testing.T) {
	f := func(fault Fault, ok func(res *http.Response, body string, err error) bool) {
		t.Helper()
		s := small(t, Options{})
		s.Faults.Next(99, "", fault)
		if res, body, err := fetch(t, s); !ok(res, body, err) {
			t.Errorf("%+v: got %v, %q, %v", fault, res, body, err)
		}
	}
	half := smallPage[:len(smallPage)/2]
	f(Fault{Kind: Reset}, func(_ *http.Response, _ string, err error) bool { return err != nil })
	f(Fault{Kind: Cut}, func(_ *http.Response, body string, err error) bool { return err != nil && body == half })
	f(Fault{Kind: Truncated}, func(_ *http.Response, body string, err error) bool { return err == nil && body == half })
	f(Fault{Kind: Hang}, func(_ *http.Response, _ string, err error) bool {
		return err != nil && strings.Contains(err.Error(), "deadline")
	})
	f(Fault{Kind: Slow, Bytes: 16, Every: time.Millisecond}, func(_ *http.Response, body string, err error) bool { return body == smallPage })
	f(Fault{Kind: Slow, Bytes: 1, Every: time.Second}, func(_ *http.Response, body string, err error) bool {
		return err != nil && len(body) < 9
	})
	f(Fault{Kind: Giant, Bytes: 1 << 20}, func(_ *http.Response, body string, err error) bool {
		return err == nil && len(body) > 1<<20 && json.Valid([]byte(body)) && strings.HasSuffix(body, smallPage[1:])
	})
	f(Fault{Kind: Giant, Bytes: 3 << 40}, func(_ *http.Response, body string, err error) bool { return err != nil && len(body) > 1<<16 })
}

func TestDateHeaderCanBeWrong(t *testing.T) {
	s := small(t, Options{Now: (&clock{noon}).now})
	s.Faults.Skew(-90 * time.Second)
	if got := get(s.Handler, "/items").Header().Get("Date"); got != "Tue, 24 Nov 2026 11:58:30 GMT" {
		t.Error(got)
	}
}

func TestFaultsAreReadFromText(t *testing.T) {
	s := small(t, Options{})
	f := func(spec string, ok bool) {
		t.Helper()
		if err := s.Faults.Parse(spec); (err == nil) != ok {
			t.Errorf("%q: %v", spec, err)
		}
	}
	f("429:0.01,500=0.01, hang:0.002,cut=0.002,reset=0,truncate=1,null=0.1,elsewhere=0.5", true)
	for _, bad := range []string{"", "429", "429=2", "429=-1", "429=NaN", "200=0.1", "frob=0.1", "429=0.1,"} {
		f(bad, false)
	}
	s.Faults.Clear()
	f("503=1", true)
	if w := get(s.Handler, "/items"); w.Code != 503 || w.Body.String() != `{"code":503}` {
		t.Error(w.Code, w.Body)
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, s := range []string{"429=0.1", "hang:0.5,cut:1", "==", ":", "1e9=0", "429=1e-400"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fs := newFaults(1, nil)
		if err := fs.Parse(s); (err == nil) != (len(fs.rules) > 0) {
			t.Errorf("%q: %v, and %d faults", s, err, len(fs.rules))
		}
	})
}

func TestServeKeepsToLoopback(t *testing.T) {
	if base, stop, err := Serve("0.0.0.0:0", small(t, Options{}), "", ""); err == nil {
		stop()
		t.Errorf("served at %s", base)
	}
}

func TestServeSpeaksHTTPS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	own := newKey(t)
	one := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, one, one, own.Public(), own)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base, stop, err := Serve("127.0.0.1:0", small(t, Options{}), cert, key)
	if err != nil || !strings.HasPrefix(base, "https://127.0.0.1:") {
		t.Fatal(base, err)
	}
	defer stop()
	pool := x509.NewCertPool()
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(made)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer tr.CloseIdleConnections()
	for range 2 {
		res, err := (&http.Client{Transport: tr}).Get(base + "/items/1")
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	if _, _, err := Serve("127.0.0.1:0", small(t, Options{}), filepath.Join(dir, "none"), key); err == nil {
		t.Error("a certificate that is not there was taken")
	}
}
