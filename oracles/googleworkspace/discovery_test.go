package googleworkspace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// description is a discovery document.
type description struct {
	ServicePath string
	Parameters  map[string]*schema
	Schemas     map[string]*schema
	Methods     map[string]*method
	Resources   map[string]*resource
}

type resource struct {
	Methods   map[string]*method
	Resources map[string]*resource
}

// method is a method; pattern is its path as an expression, of which the host is left out.
type method struct {
	ID, HTTPMethod, Path, FlatPath string
	Parameters                     map[string]*schema
	Request, Response              *schema
	Scopes                         []string
	MediaUpload                    *struct {
		Protocols map[string]struct{ Path string }
	}

	of      *description
	pattern *regexp.Regexp
	upload  bool
}

// schema describes a value, or a parameter.
type schema struct {
	Ref                         string `json:"$ref"`
	Type, Format                string
	Enum                        []string
	Properties                  map[string]*schema
	Items, AdditionalProperties *schema
	Location, Minimum, Maximum  string
	Required, Repeated          bool
}

// documents are those of the APIs that are used, below the folder of the module.
var documents = []string{"admin/reports/v1/admin-api.json", "admin/directory/v1/admin-api.json", "drive/v3/drive-api.json",
	"drivelabels/v2/drivelabels-api.json", "alertcenter/v1beta1/alertcenter-api.json", "iamcredentials/v1/iamcredentials-api.json"}

var variable = regexp.MustCompile(`\{\+?[^}]*\}`)

// methods reads all documents.
func methods(t *testing.T) (all []*method) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		t.Fatalf("find the discovery documents: %v", err)
	}
	for _, name := range documents {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), name))
		if err != nil {
			t.Fatal(err)
		}
		d := &description{}
		if err := json.Unmarshal(text, d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		collect := func(ms map[string]*method) {
			for _, m := range ms {
				m.of = d
				path := m.FlatPath
				if path == "" {
					path = m.Path
				}
				m.pattern = expression("/" + d.ServicePath + path)
				all = append(all, m)
				if m.MediaUpload != nil {
					up := *m
					up.upload, up.pattern = true, expression(m.MediaUpload.Protocols["simple"].Path)
					all = append(all, &up)
				}
			}
		}
		collect(d.Methods)
		walk(d.Resources, collect)
	}
	return all
}

func walk(rs map[string]*resource, collect func(map[string]*method)) {
	for _, r := range rs {
		collect(r.Methods)
		walk(r.Resources, collect)
	}
}

func expression(path string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(variable.ReplaceAllString(path, "\x00"))
	return regexp.MustCompile("^" + strings.ReplaceAll(quoted, "\x00", "[^/]+") + "$")
}

// checker holds what passes against the descriptions.
type checker struct {
	methods []*method
	mu      sync.Mutex
	found   map[string]string
	done    map[string]int      // by id of the method, answered with success
	granted map[string][]string // scopes by token
}

func newChecker(t *testing.T) *checker {
	return &checker{methods: methods(t), found: map[string]string{}, done: map[string]int{}, granted: map[string][]string{}}
}

// excused are what the descriptions leave out, with the reason.
var excused = []struct{ where, why string }{
	{"POST /token", "the token endpoint of OAuth has no description"},
	{"GET /download/", "where a download lies is no method: the answer of files.download names it"},
	{"PUT /upload/drive/v3/files/", "the address of a session for an upload is no method: the answer that opened it names it"},
}

// wrap answers as h does and checks what passes.
func (c *checker) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		answer := bytes.Clone(out.Body.Bytes())
		maps.Copy(w.Header(), out.Header())
		w.WriteHeader(out.Code)
		_, _ = w.Write(answer)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.check(r, body, out, answer)
	})
}

// note keeps a violation, once for each place.
func (c *checker) note(where, format string, args ...any) {
	if _, ok := c.found[where]; !ok {
		c.found[where] = fmt.Sprintf(format, args...)
	}
}

func (c *checker) check(r *http.Request, body []byte, out *httptest.ResponseRecorder, answer []byte) {
	at := r.Method + " " + r.URL.Path
	if r.URL.Path == "/token" {
		c.grant(body, answer)
	}
	for _, e := range excused {
		if strings.HasPrefix(at, e.where) {
			return
		}
	}
	m := c.method(r)
	if m == nil {
		c.note(at, "no method has this path")
		return
	}
	if out.Code >= 500 || out.Code == http.StatusUnauthorized || out.Code == http.StatusTooManyRequests {
		return
	}
	c.scope(m, r, out.Code)
	if out.Code >= 400 { // the request may be wrong, and was told so
		var e struct {
			Error struct{ Code int }
		}
		if json.Unmarshal(answer, &e) != nil || e.Error.Code != out.Code {
			c.note(m.ID+" "+strconv.Itoa(out.Code), "the error is %.200s", answer)
		}
		return
	}
	c.done[m.ID]++
	c.parameters(m, r)
	if m.Request != nil && len(body) > 0 && !m.upload {
		c.value(m.of, m.ID+" request", m.Request, body)
	}
	switch media := r.URL.Query().Get("alt") == "media" || out.Code == http.StatusFound; {
	case m.Response == nil && m.ID == "drive.files.export", media, out.Header().Get("Location") != "":
	case m.Response == nil && len(answer) > 0:
		c.note(m.ID+" answer", "want no body, got %.200s", answer)
	case m.Response != nil:
		c.value(m.of, m.ID+" answer", m.Response, answer)
	}
}

// method finds the method; one without variables goes before.
func (c *checker) method(r *http.Request) *method {
	var best *method
	for _, m := range c.methods {
		if m.HTTPMethod == r.Method && m.pattern.MatchString(r.URL.EscapedPath()) && (best == nil ||
			strings.Count(m.FlatPath, "{") < strings.Count(best.FlatPath, "{")) {
			best = m
		}
	}
	return best
}

// grant remembers what scopes a token has.
func (c *checker) grant(form, answer []byte) {
	q, _ := url.ParseQuery(string(form))
	part := strings.Split(q.Get("assertion"), ".")
	var claims struct{ Scope string }
	var token struct {
		Value string `json:"access_token"`
	}
	if len(part) == 3 {
		_ = json.Unmarshal(decode(part[1]), &claims) // an assertion that cannot be read gets no token
	}
	if json.Unmarshal(answer, &token) == nil && token.Value != "" {
		c.granted[token.Value] = strings.Fields(claims.Scope)
	}
}

// scope checks that the token may do this by one of its scopes, and that a refusal for scopes is right.
func (c *checker) scope(m *method, r *http.Request, status int) {
	have, ok := c.granted[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !ok || len(m.Scopes) == 0 {
		return
	}
	may := slices.ContainsFunc(have, func(s string) bool { return slices.Contains(m.Scopes, s) })
	if !may && status != http.StatusForbidden {
		c.note(m.ID+" scope", "answered %d to a token with %v, want one of %v", status, have, m.Scopes)
	}
}

// parameters checks the query.
func (c *checker) parameters(m *method, r *http.Request) {
	q := r.URL.Query()
	for name, p := range m.Parameters {
		if p.Location == "query" && p.Required && !q.Has(name) {
			c.note(m.ID+" ?"+name, "missing")
		}
	}
	for name, values := range q {
		p := m.Parameters[name]
		if p == nil {
			p = m.of.Parameters[name]
		}
		if p == nil {
			c.note(m.ID+" ?"+name, "the method has no such parameter")
			continue
		}
		v := values[0]
		n, err := strconv.Atoi(v)
		low, lowErr := strconv.Atoi(p.Minimum)
		high, highErr := strconv.Atoi(p.Maximum)
		switch {
		case len(values) > 1 && !p.Repeated:
			c.note(m.ID+" ?"+name, "twice")
		case len(p.Enum) > 0 && !slices.Contains(p.Enum, v):
			c.note(m.ID+" ?"+name, "%q, want one of %v", v, p.Enum)
		case p.Type == "integer" && err != nil, p.Type == "boolean" && v != "true" && v != "false",
			lowErr == nil && n < low, highErr == nil && n > high:
			c.note(m.ID+" ?"+name, "%q is no %s of %s to %s", v, p.Type, p.Minimum, p.Maximum)
		}
		if name == "fields" && m.Response != nil {
			c.fields(m, v)
		}
	}
}

var selected = regexp.MustCompile(`[(),/]|[^(),/]+`)

// fields checks that what a mask selects is in the answer's schema.
func (c *checker) fields(m *method, mask string) {
	var above []*schema
	at, last := m.of.resolve(m.Response), m.of.resolve(m.Response)
	inPath := at
	for _, tok := range selected.FindAllString(mask, -1) {
		switch tok {
		case "(":
			above, at = append(above, at), last
			inPath = at
		case ")":
			at, above = above[len(above)-1], above[:len(above)-1]
			inPath = at
		case ",":
			inPath = at
		case "/":
			inPath = last
		default:
			if tok = strings.TrimSpace(tok); tok == "*" {
				continue
			}
			p := inPath.Properties[tok]
			if p == nil && inPath.AdditionalProperties == nil {
				c.note(m.ID+" fields "+tok, "%q is not in the answer", mask)
				return
			}
			if last = m.of.resolve(p); last.Type == "array" {
				last = m.of.resolve(last.Items)
			}
		}
	}
}

// resolve follows a reference.
func (d *description) resolve(s *schema) *schema {
	if s != nil && s.Ref != "" {
		return d.Schemas[s.Ref]
	}
	if s == nil {
		return &schema{}
	}
	return s
}

func (c *checker) value(d *description, where string, s *schema, text []byte) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		c.note(where, "no JSON: %v: %.200s", err, text)
		return
	}
	c.conform(d, where, s, v)
}

// conform checks a value against a schema: no member that is not described, and every one of its type.
func (c *checker) conform(d *description, where string, s *schema, v any) {
	s = d.resolve(s)
	bad := func() { c.note(where, "%v is no %s %s %v", v, s.Type, s.Format, s.Enum) }
	switch s.Type {
	case "object":
		o, ok := v.(map[string]any)
		if !ok {
			bad()
			return
		}
		for name, in := range o {
			p := s.Properties[name]
			if p == nil {
				p = s.AdditionalProperties
			}
			if p == nil {
				c.note(where+"."+name, "not described")
				continue
			}
			c.conform(d, where+"."+name, p, in)
		}
	case "array":
		all, ok := v.([]any)
		if !ok {
			bad()
		}
		for _, in := range all {
			c.conform(d, where+"[]", s.Items, in)
		}
	case "string":
		text, ok := v.(string)
		_, numErr := strconv.ParseInt(text, 10, 64)
		_, timeErr := time.Parse(time.RFC3339Nano, text)
		if !ok || s.Format == "int64" && numErr != nil || (s.Format == "date-time" || s.Format == "google-datetime") && timeErr != nil || len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			bad()
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			bad()
		}
	case "integer", "number":
		if _, ok := v.(json.Number); !ok {
			bad()
		}
	}
}
