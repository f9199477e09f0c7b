package sim

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLinksComeInBothForms(t *testing.T) {
	forms := map[int]int{}
	for i := range 40 {
		h := http.Header{}
		SetLinks(h, Link{"self", fmt.Sprint("http://a/x?p=", i)}, Link{"next", fmt.Sprint("http://a/x?after=", i)})
		lines := h.Values("Link")
		forms[len(lines)]++
		if want := fmt.Sprintf(`<http://a/x?after=%d>; rel="next"`, i); !strings.HasSuffix(strings.Join(lines, ", "), ", "+want) {
			t.Fatalf("got %q, want %q at the end", lines, want)
		}
		again := http.Header{}
		SetLinks(again, Link{"self", fmt.Sprint("http://a/x?p=", i)}, Link{"next", fmt.Sprint("http://a/x?after=", i)})
		if !slices.Equal(lines, again.Values("Link")) {
			t.Fatal("the form depends on something else than the links")
		}
	}
	if forms[1] < 5 || forms[2] < 5 {
		t.Errorf("forms by lines: %v", forms)
	}
}

func TestQueriesOfLinksKeepTheRest(t *testing.T) {
	r := httptest.NewRequest("GET", "/a%2Fb?z=1&search=status+eq+%22X%22&since=t", nil)
	if got, want := WithQuery("http://h", r, map[string]string{"after": "a b", "since": ""}),
		"http://h/a%2Fb?after=a+b&search=status+eq+%22X%22&z=1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSliceEnds(t *testing.T) {
	f := func(offset, limit int, want string) {
		t.Helper()
		page, next := Slice([]int{1, 2, 3, 4, 5}, offset, limit)
		if got := fmt.Sprint(page, next); got != want {
			t.Errorf("from %d, %d: got %s, want %s", offset, limit, got, want)
		}
	}
	f(0, 2, "[1 2] 2")
	f(2, 3, "[3 4 5] 0")
	f(4, 9, "[5] 0")
	f(5, 1, "[] 0")
	f(-1, 1, "[] 0")
	f(0, 0, "[] 0")
}

// limited is a fake with a limit of two requests a minute and one in flight.
func limited(c *clock, factor float64, h http.HandlerFunc) http.Handler {
	l := &Limiter{Now: c.now, Factor: factor, InFlight: 1, Of: func(r *http.Request) (string, int) { return r.URL.Path, 2 },
		Tell: func(h http.Header, w Window) {
			h.Set("X-Left", fmt.Sprint(w.Limit, " ", w.Remaining, " ", w.Reset.Unix()))
		},
		Deny: func(w http.ResponseWriter, _ *http.Request, _ Window) { w.WriteHeader(429) }}
	return l.Gate(h)
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w
}

func TestWindowsAreFixedAndByKey(t *testing.T) {
	c := &clock{noon.Add(30 * time.Second)}
	h := limited(c, 0, func(http.ResponseWriter, *http.Request) {})
	reset := noon.Add(time.Minute).Unix()
	f := func(path string, status int, left string) {
		t.Helper()
		w := get(h, path)
		if w.Code != status || w.Header().Get("X-Left") != left {
			t.Errorf("%s: %d %q, want %d %q", path, w.Code, w.Header().Get("X-Left"), status, left)
		}
	}
	f("/a", 200, fmt.Sprint("2 1 ", reset))
	f("/a", 200, fmt.Sprint("2 0 ", reset))
	f("/a", 429, fmt.Sprint("2 0 ", reset))
	f("/b", 200, fmt.Sprint("2 1 ", reset))
	c.t = noon.Add(time.Minute)
	f("/a", 200, fmt.Sprint("2 1 ", reset+60))
}

func TestLimitsScaleAndCanBeOff(t *testing.T) {
	c := &clock{noon}
	ok := func(factor float64) (n int) {
		h := limited(c, factor, func(http.ResponseWriter, *http.Request) {})
		for range 50 {
			if get(h, "/a").Code == 200 {
				n++
			}
		}
		return n
	}
	for factor, want := range map[float64]int{0: 2, 1: 2, 3: 6, 0.01: 1, -1: 50} {
		if got := ok(factor); got != want {
			t.Errorf("factor %v: %d requests pass, want %d", factor, got, want)
		}
	}
}

func TestRequestsCountAsWhatTheyCost(t *testing.T) {
	l := &Limiter{Now: (&clock{noon}).now, Of: func(r *http.Request) (string, int) { return r.URL.Path, 6 },
		Tell: func(http.Header, Window) {},
		Cost: func(r *http.Request) int { return int(r.ContentLength) },
		Deny: func(w http.ResponseWriter, _ *http.Request, by Window) { w.WriteHeader(429 + by.Remaining) }}
	h := l.Gate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	f := func(path string, cost, want int) {
		t.Helper()
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
		r.ContentLength = int64(cost)
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s, cost %d: %d, want %d", path, cost, w.Code, want)
		}
	}
	f("/a", 5, 200)
	f("/a", 2, 430) // one is left
	f("/a", 1, 200)
	f("/a", 1, 429)
	f("/b", 7, 200) // or it would never pass
	f("/b", 1, 429)
}

func TestRequestsInFlightAreLimited(t *testing.T) {
	var h http.Handler
	inner := 0
	h = limited(&clock{noon}, 1, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/a" {
			w := get(h, "/b")
			inner = w.Code
			if !strings.HasPrefix(w.Header().Get("X-Left"), "0 0 ") {
				t.Errorf("headers of a refusal: %q", w.Header().Get("X-Left"))
			}
		}
	})
	if outer := get(h, "/a").Code; outer != 200 || inner != 429 {
		t.Errorf("outer %d, inner %d", outer, inner)
	}
	if code := get(h, "/b").Code; code != 200 {
		t.Errorf("afterwards: %d", code)
	}
}

func TestCounterCountsByPatternAndStatus(t *testing.T) {
	s := small(t, Options{})
	for _, p := range []string{"/items/1", "/items/2", "/items/none", "/nowhere"} {
		get(s.Handler, p)
	}
	f := func(method, pattern string, status, want int) {
		t.Helper()
		if got := s.Seen.Count(method, pattern, status); got != want {
			t.Errorf("%s %s %d: %d, want %d", method, pattern, status, got, want)
		}
	}
	f("GET", "/items/{id}", 200, 2)
	f("GET", "/items/{id}", 404, 1)
	f("GET", "/items/{id}", 0, 3)
	f("", "", 0, 4)
	f("POST", "", 0, 0)
	if s.Seen.MaxInFlight() != 1 {
		t.Errorf("%d in flight", s.Seen.MaxInFlight())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /all", func(http.ResponseWriter, *http.Request) {})
	named := New(Options{}, Vendor{Mux: mux, Pattern: func(r *http.Request) string { return r.Pattern + "?of=" + r.URL.Query().Get("of") }})
	q := httptest.NewRequest(http.MethodGet, "/all?of=users", nil)
	named.Handler.ServeHTTP(httptest.NewRecorder(), q)
	if q.Pattern != "GET /all?of=users" || named.Seen.Count("GET", "/all?of=users", 200) != 1 {
		t.Errorf("the route is named %q", q.Pattern)
	}
	if s.Seen.Reset(); s.Seen.Count("", "", 0) != 0 {
		t.Error("reset forgot nothing")
	}
}

func TestRoutesAreNamedAsTheVendorSays(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /query", func(http.ResponseWriter, *http.Request) {})
	s := New(Options{}, Vendor{Mux: mux, Pattern: func(r *http.Request) string { return r.Pattern + " of " + r.URL.RawQuery }})
	r := httptest.NewRequest(http.MethodGet, "/query?users", nil)
	s.Handler.ServeHTTP(httptest.NewRecorder(), r)
	if r.Pattern != "GET /query of users" || s.Seen.Count("GET", "/query of users", 200) != 1 {
		t.Errorf("%q, counted as %v", r.Pattern, s.Seen.All())
	}
}

func TestInterceptSeesRequestsFirst(t *testing.T) {
	s := small(t, Options{})
	s.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/items/1" {
			w.WriteHeader(http.StatusTeapot)
			return true
		}
		return false
	}
	if a, b := get(s.Handler, "/items/1").Code, get(s.Handler, "/items/2").Code; a != http.StatusTeapot || b != 200 {
		t.Errorf("%d %d", a, b)
	}
	if s.Seen.Count("GET", "/items/{id}", http.StatusTeapot) != 1 {
		t.Error("the intercepted request was not counted")
	}
}

func TestDateIsTheFakesClock(t *testing.T) {
	s := small(t, Options{Now: (&clock{noon}).now})
	if got := get(s.Handler, "/items/1").Header().Get("Date"); got != "Tue, 24 Nov 2026 12:00:00 GMT" {
		t.Error(got)
	}
}

func TestDigestIsOfTheSet(t *testing.T) {
	s := &Sim{Published: func(stream string, f func(string) bool) {
		for _, k := range strings.Fields(stream) {
			if !f(k) {
				return
			}
		}
	}}
	n, a := s.Digest("x y z")
	_, b := s.Digest("z x y")
	_, c := s.Digest("x y w")
	if n != 3 || s.Count("x y z") != 3 || a != b || a == c {
		t.Error(n, a, b, c)
	}
}

var (
	cardLike = regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`)
	ibanLike = regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b`)
)

func passes(s string) bool {
	sum, double := 0, false
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		d := int(s[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum, double = sum+d, !double
	}
	return sum%10 == 0
}

func mod97(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	digits := ""
	for _, r := range s[4:] + s[:4] {
		if r >= 'A' {
			digits += fmt.Sprint(int(r-'A') + 10)
		} else {
			digits += string(r)
		}
	}
	n, ok := new(big.Int).SetString(digits, 10)
	return ok && new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1
}

// holds lists the data types that a slow, independent reading finds.
func holds(s string) []string {
	var out []string
	if slices.ContainsFunc(cardLike.FindAllString(s, -1), passes) {
		out = append(out, Card)
	}
	for _, m := range regexp.MustCompile(`\b(\d{3})-\d\d-\d{4}\b`).FindAllStringSubmatch(s, -1) {
		if m[1] != "000" {
			out = append(out, SSN)
		}
	}
	if slices.ContainsFunc(ibanLike.FindAllString(s, -1), mod97) {
		out = append(out, IBAN)
	}
	if regexp.MustCompile(`\bAKIA[A-Z2-7]{16}\b`).MatchString(s) {
		out = append(out, AWSKey)
	}
	if m := regexp.MustCompile(`\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]{43}\b`).FindString(s); m != "" {
		if j, err := ReadJWT(m); err == nil && j.Header.Alg == "HS256" && j.Text("sub") != "" {
			out = append(out, JWT)
		}
	}
	return out
}

func TestPlantedValuesAreValidAndDecoysAreNot(t *testing.T) {
	for i := range uint64(3000) {
		r := NewRand(9, i)
		for _, want := range plantTypes {
			if text := Plant(r, want); !slices.Equal(holds(text), []string{want}) {
				t.Fatalf("%q holds %v, want %s", text, holds(text), want)
			}
		}
		if text := Decoy(r); len(holds(text)) != 0 {
			t.Fatalf("decoy %q holds %v", text, holds(text))
		}
	}
}

func TestGeneratedNamesLookLikeNothingElse(t *testing.T) {
	digits := regexp.MustCompile(`\d{5}`)
	for i := range uint64(20000) {
		r := NewRand(3, i)
		for _, text := range []string{string(r.Name(nil, 40)), string(r.UUID(nil))} {
			if len(holds(text)) != 0 || digits.MatchString(text) {
				t.Fatalf("%q", text)
			}
		}
	}
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if u := string(NewRand(1).UUID(nil)); !form.MatchString(u) {
		t.Errorf("%q is no UUID of version 4", u)
	}
}

func TestPlantedRecordsAreCounted(t *testing.T) {
	for _, n := range []int{0, 1, 199, 2500, 12345} {
		want := map[string]int{}
		decoys := 0
		for i := range uint64(n) {
			t, decoy := Planted(7, 1, i)
			if t != "" {
				want[t]++
			}
			if decoy {
				decoys++
			}
		}
		got := CountPlanted(7, 1, n)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("of %d: %v, want %v", n, got, want)
		}
		if n == 12345 && (decoys < 50 || len(want) != len(plantTypes)) {
			t.Errorf("%d decoys, planted %v", decoys, want)
		}
	}
}

func TestBlobsAreListedAndRead(t *testing.T) {
	b := &Blobs{Now: (&clock{noon}).now}
	b.Put("b.csv", "text/csv", CSV([]string{"id", "name"}, []string{"1", "a,b"}))
	b.Put("a.json.gz", "application/gzip", Gzip([]byte("{\"id\":1}\n")))
	var page struct {
		Blobs []Blob
		Next  string
	}
	var names []string
	for next := "/?limit=1"; next != ""; {
		page.Next = ""
		if err := json.Unmarshal(get(b, next).Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		names = append(names, page.Blobs[0].Name)
		if next = page.Next; next != "" {
			next = "/?limit=1&after=" + next
		}
	}
	z, err := gzip.NewReader(get(b, "/a.json.gz").Body)
	if err != nil {
		t.Fatal(err)
	}
	line, err := io.ReadAll(z)
	if csv := get(b, "/b.csv").Body.String(); csv != "id,name\n1,\"a,b\"\n" || string(line) != "{\"id\":1}\n" || err != nil {
		t.Errorf("%q, %q, %v", csv, line, err)
	}
	if !slices.Equal(names, []string{"a.json.gz", "b.csv"}) || get(b, "/none").Code != 404 {
		t.Error(names)
	}
}

func TestMessagesComeAgainUntilDeleted(t *testing.T) {
	c := &clock{noon}
	q := &Queue{Now: c.now}
	q.Send("one")
	q.Send("two")
	first := q.Receive(1, time.Minute)
	if other := q.Receive(9, time.Hour); len(first) != 1 || len(other) != 1 || other[0].Body != "two" {
		t.Fatal(first, other)
	}
	c.t = c.t.Add(2 * time.Minute)
	again := q.Receive(9, time.Minute)
	if len(again) != 1 || again[0].Body != "one" || again[0].Deliveries != 2 {
		t.Fatal(again)
	}
	if q.Delete(first[0].Receipt) {
		t.Error("an old receipt deleted the message")
	}
	if !q.Delete(again[0].Receipt) || q.Delete(again[0].Receipt) {
		t.Error("the receipt does not delete once")
	}
}

func TestDeltaTokensExpire(t *testing.T) {
	d := &Changes{Keep: 3}
	_, start, _ := d.Since("", 10)
	for _, k := range []string{"a", "b", "c"} {
		d.Add(k)
	}
	keys, next, err := d.Since(start, 2)
	if err != nil || !slices.Equal(keys, []string{"a", "b"}) {
		t.Fatal(keys, err)
	}
	d.Add("d")
	if keys, _, err = d.Since(next, 10); err != nil || !slices.Equal(keys, []string{"c", "d"}) {
		t.Error(keys, err)
	}
	for _, bad := range []string{start, "99", "x"} {
		if _, _, err := d.Since(bad, 10); err != ErrExpired {
			t.Errorf("token %q: %v", bad, err)
		}
	}
}
