package saas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/sim"
)

// answer is a good answer outside a run.
func answer(text []byte, h http.Header) *Reply {
	l := &link{inst: &Instance{}, maxBody: 1 << 26}
	u, _ := url.Parse("https://acme.example.com/api/v1/users?after=1")
	resp := &http.Response{StatusCode: 200, Header: h, Body: io.NopCloser(bytes.NewReader(text)), Request: &http.Request{URL: u}}
	rep := &Reply{reply{c: &conn{link: l}, resp: resp, what: "GET /x"}}
	rep.in = &body{rc: resp.Body, cancel: func(error) {}, idle: time.Minute, left: l.maxBody, end: func() {}}
	return rep
}

// all reads rows to the end.
func all(rows Rows) (out []string, err error) {
	for raw, err := range rows {
		if err != nil {
			return out, err
		}
		out = append(out, string(raw))
	}
	return out, nil
}

func TestLinksAreFoundInEveryForm(t *testing.T) {
	f := func(want string, headers ...string) {
		t.Helper()
		if got := answer(nil, http.Header{"Link": headers}).Link("next"); got != want {
			t.Errorf("%q: got %q, want %q", headers, got, want)
		}
	}
	const next = "https://a.example.com/x?after=2,3;b"
	f(next, `<https://a.example.com/x>; rel="self"`, `<`+next+`>; rel="next"`)
	f(next, `<https://a.example.com/x>; rel="self", <`+next+`>; rel="next"`)
	f(next, `<`+next+`>; rel="next", <https://a.example.com/x>; rel="self"`)
	f(next, `<`+next+`>;rel=next`)
	f(next, `<`+next+`>; title="a, b"; REL="prev Next"`)
	f("https://acme.example.com/api/v1/users?after=2", `</api/v1/users?after=2>; rel="next"`)
	f("https://acme.example.com/api/v1/users?after=2", `<?after=2>; rel="next"`)
	f("", `<https://a.example.com/x>; rel="self"`)
	f("", `<https://a.example.com/x>; rel="nextish"`)
	f("", `<https://a.example.com/x>`)
	f("", `https://a.example.com/x; rel="next"`)
	f("", `>; rel="next"<`)
	f("", "")
	f("")
}

func FuzzLinksAreReadWithoutHarm(f *testing.F) {
	for _, s := range []string{`<https://a/x>; rel="self", <https://a/y?z=1,2>; rel="next"`, `<a>;rel=next`, `<<>>;;,,rel=next`, `<`,
		`>,<`, "<\xff>; rel=next", `<%zz>; rel="next"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := answer(nil, http.Header{"Link": {s}}).Link("next")
		if got != "" && !strings.Contains(strings.ToLower(s), "next") {
			t.Errorf("%q gives %q", s, got)
		}
	})
}

func TestBlobsMayBeGzipOrMarked(t *testing.T) {
	f := func(body []byte) {
		t.Helper()
		got, err := all(answer(body, nil).JSON("Records"))
		if err != nil || !slices.Equal(got, []string{`{"a":1}`, `{"a":2}`}) {
			t.Errorf("got %v, %v", got, err)
		}
	}
	const text = `{"Records":[{"a":1},{"a":2}],"n":"7"}`
	f([]byte(text))
	f(sim.Gzip([]byte(text)))
	f([]byte("\ufeff" + text))
	f(sim.Gzip([]byte("\ufeff" + text)))
	f(append(sim.Gzip([]byte(text[:9])), sim.Gzip([]byte(text[9:]))...)) // as log shippers append them
	if _, err := all(answer(sim.Gzip([]byte(text))[:20], nil).JSON("Records")); !Is(err, Unavailable) {
		t.Errorf("a cut gzip: %v", err)
	}
	if _, err := all(answer([]byte("\x1f\x8bnonsense"), nil).JSON("Records")); !Is(err, Unavailable) {
		t.Errorf("no gzip: %v", err)
	}
	p := answer(sim.Gzip([]byte(text)), http.Header{"X-Total": {"2"}})
	if _, err := all(p.JSON("Records")); err != nil || p.Field("n") != "7" || p.Field("X-Total") != "2" || p.Field("none") != "" {
		t.Errorf("fields %q, %q, %v", p.Field("n"), p.Field("X-Total"), err)
	}
}

func TestAGzipBombIsBounded(t *testing.T) {
	bomb := sim.Gzip(bytes.Repeat([]byte("0"), 1<<27))
	f := func(rows func(*Reply) Rows) {
		t.Helper()
		if _, err := all(rows(answer(bomb, nil))); !Is(err, Invalid) {
			t.Errorf("got %v", err)
		}
	}
	f(func(p *Reply) Rows { return p.CSV() })
	f(func(p *Reply) Rows { return p.XML("a") })
	if _, err := answer(bomb, nil).Raw(); !Is(err, Invalid) {
		t.Errorf("read whole: %v", err)
	}
}

func TestCSVLinesBecomeObjects(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		got, err := all(answer([]byte(in), nil).CSV())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v", in, got, err)
		}
	}
	f("")
	f("a,b\n")
	f("a,b\n1,2\n", `{"a":"1","b":"2"}`)
	f("a,b\r\n1,2\r\n\r\n3,4", `{"a":"1","b":"2"}`, `{"a":"3","b":"4"}`)
	f("\ufeff\"a\",b\n1,2\n", `{"a":"1","b":"2"}`)
	f("a,b\n\"x, \"\"y\"\"\nz\",2\n", `{"a":"x, \"y\"\nz","b":"2"}`)
	f("a\nsay \"hi\"\n", `{"a":"say \"hi\""}`)
	f("a\n\xff\n", `{"a":"\ufffd"}`)
	f("a\n\x00\n", `{"a":"\u0000"}`)
	if got, err := all(answer([]byte("a,b\n1,2\n3\n4,5\n"), nil).CSV()); err == nil || len(got) != 1 {
		t.Errorf("outside a run an odd line is an error: %v, %v", got, err)
	}
	long := "a,b\n1,2\n\"" + strings.Repeat("x", maxRow+1<<16) + "\",2\n"
	if got, err := all(answer([]byte(long), nil).CSV()); !Is(err, Invalid) || len(got) != 1 {
		t.Errorf("a line without end: %d rows, %v", len(got), err)
	}
}

func FuzzCSVRowsAreObjects(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\ufeffa\n\"x\ny\"\n", "a,a\n1,\n", "\"\n\"", "a\n\xff\x00\n", "\x1f\x8b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for raw, err := range answer(b, nil).CSV() {
			if err != nil {
				return
			}
			if !json.Valid(raw) || !utf8.Valid(raw) || raw[0] != '{' {
				t.Errorf("%q gives %q", b, raw)
			}
		}
	})
}

func TestXMLElementsBecomeObjects(t *testing.T) {
	const text = `<?xml version="1.0"?><R xmlns="urn:x"><Out><List>` +
		`<member><Id>1</Id><Tag>a</Tag><Tag>b</Tag><In><K>v</K></In></member>` +
		`<member><Id>2</Id><Empty/><Text>x &amp; y <![CDATA[<z>]]></Text></member><member/>` +
		`</List><IsTruncated>true</IsTruncated><Marker> m1 </Marker></Out></R>`
	p := answer([]byte(text), nil)
	got, err := all(p.XML("List/member"))
	want := []string{`{"Id":"1","In":{"K":"v"},"Tag":["a","b"]}`, `{"Empty":"","Id":"2","Text":"x \u0026 y \u003cz\u003e"}`, `""`}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if p.Field("Marker") != "m1" || p.Field("IsTruncated") != "true" || p.Field("Id") != "" {
		t.Errorf("fields %q %q %q", p.Field("Marker"), p.Field("IsTruncated"), p.Field("Id"))
	}
	got, err = all(answer([]byte(text), nil).XML("Out|In/Id|Marker|K"))
	if err != nil || !slices.Equal(got, []string{`"v"`, `"m1"`}) {
		t.Errorf("of several names %v, %v", got, err)
	}
	f := func(in string, o Outcome, rows int) {
		t.Helper()
		got, err := all(answer([]byte(in), nil).XML("List/member"))
		if !Is(err, o) || len(got) != rows {
			t.Errorf("%.60q…: %d rows, %v", in, len(got), err)
		}
	}
	f(text[:130], Unavailable, 1)
	f("<a><b></a>", Unavailable, 0)
	f(strings.Repeat("<a>", 1<<20), Invalid, 0)
	f("<List><member>"+strings.Repeat("<a>", 1<<20), Invalid, 0)
	f("<List><member>"+strings.Repeat("x", maxRow+1<<16)+"</member></List>", Invalid, 0)
	f(`<!DOCTYPE a [<!ENTITY b "c">]><List><member>&b;</member></List>`, Unavailable, 0)
}

func FuzzXMLRowsAreJSON(f *testing.F) {
	for _, s := range []string{"<a><m>1</m></a>", "<a><m><b/><b>2</b></m></a>", "<m><m></m></m>", "<a>\xff</a>", "<a><m>&lt;</m>",
		"<?x?><!-- --><a/>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := answer(b, nil)
		for raw, err := range p.XML("m") {
			if err != nil {
				return
			}
			if !json.Valid(raw) {
				t.Errorf("%q gives %q", b, raw)
			}
		}
		if len(p.fields) > maxFields {
			t.Errorf("%d fields", len(p.fields))
		}
	})
}

func TestScalarsOfAnXMLAnswerAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("<r>")
	for i := range 1000 {
		fmt.Fprintf(&b, "<f%d>%s</f%d>", i, strings.Repeat("x", 10*i), i)
	}
	b.WriteString("</r>")
	p := answer([]byte(b.String()), nil)
	if _, err := all(p.XML("none")); err != nil || len(p.fields) != maxFields {
		t.Errorf("%d fields, %v", len(p.fields), err)
	}
}

func TestSmallBodiesAreReadWhole(t *testing.T) {
	var v struct{ A int }
	if err := answer([]byte(`{"a":3}`), nil).Into(&v); err != nil || v.A != 3 {
		t.Errorf("got %+v, %v", v, err)
	}
	if err := answer(nil, nil).Into(&v); err != nil {
		t.Errorf("an empty answer: %v", err)
	}
	if err := answer([]byte(`{"a":"s3cret"}`), nil).Into(&v); !Is(err, Unavailable) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("another form: %v", err)
	}
	if _, err := answer(bytes.Repeat([]byte("x"), maxSmallBody+1), nil).Raw(); !Is(err, Invalid) {
		t.Errorf("a large body: %v", err)
	}
}
