package simtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const document = `openapi: 3.0.3
info: {title: t, version: "1"}
servers: [{url: "https://vendor.test/v9"}]
paths:
  /things/{id}:
    servers: [{url: "https://other.test/"}]
    get:
      security: [{oauth2: [things.read]}]
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer, maximum: 10}}
      responses:
        "200":
          description: ok
          content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Thing"}}}}
  /things/{id}#frob:
    get: {parameters: [{name: frob, in: query, required: true, schema: {type: string}}], responses: {"200": {description: ok}}}
  /things/all:
    get:
      responses: {"204": {description: none}}
    put:
      servers: [{url: "https://{region}.test/up/v9"}]
      responses: {"204": {description: none}, default: {description: error, content: {application/json: {schema: {type: object}}}}}
    post:
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
      responses: {"204": {description: none}}
components:
  securitySchemes: {oauth2: {type: oauth2, flows: {clientCredentials: {tokenUrl: /t, scopes: {things.read: read}}}}}
  schemas:
    Thing: {type: object, required: [id, typo], properties: {id: {type: string}, n: {type: integer}, of: {$ref: "#/components/schemas/Of"}}}
    Of:
      allOf:
        - {$ref: "#/components/schemas/Thing"}
        - {description: what it is of}
        - {nullable: true}
        - {required: [m, id], properties: {x: {type: integer}}}
        - {properties: {m: {type: integer}}}
`

// recording is a testing.TB that only remembers errors.
type recording struct {
	testing.TB
	errors []string
}

func (r *recording) Helper() {}

func (r *recording) Error(args ...any) { r.errors = append(r.errors, args[0].(string)) }

func (r *recording) Errorf(format string, _ ...any) { r.errors = append(r.errors, format) }

func setUp(t *testing.T, exceptions string) *Checker {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("LONGSHORE_SPECS", dir)
	for name, text := range map[string]string{"api.yaml": document, "exceptions.txt": exceptions} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Spec(t, "api.yaml", filepath.Join(dir, "exceptions.txt"))
}

// answer sends one request that is answered with the status and the body.
func answer(c *Checker, method, target, in string, status int, body string) string {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, target, strings.NewReader(in))
	if in != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", string(got))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})).ServeHTTP(w, r)
	return w.Header().Get("X-Got") + " " + w.Body.String()
}

func TestViolationsAreFoundWhereTheyAre(t *testing.T) {
	f := func(method, target, in string, status int, body string, want ...string) {
		t.Helper()
		c := setUp(t, "")
		if got := answer(c, method, target, in, status, body); got != in+" "+body {
			t.Errorf("the answer became %q", got)
		}
		got := c.Violations()
		if len(got) != len(want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		slices.Sort(got)
		for i := range got {
			if !strings.HasPrefix(got[i], want[i]+": ") {
				t.Errorf("got %q, want %q", got[i], want[i])
			}
		}
	}
	f("GET", "/things/1", "", 200, `[{"id":"a"}]`)
	f("GET", "/things/1?limit=10", "", 200, `[]`)
	f("GET", "/things/1", "", 200, `[{"id":"a","of":null},{"id":"b","of":{"id":"c","m":1}}]`)
	f("GET", "/things/1", "", 200, `[{"id":"a","of":{"n":1,"m":1}}]`, "GET /things/{id} 200 /*/of/id")
	f("GET", "/things/1", "", 200, `[{"id":"a","of":{"id":"c"}}]`, "GET /things/{id} 200 /*/of/m")
	f("GET", "/v9/things/all", "", 204, "")
	f("GET", "/things/1", "", 200, `[{"id":"a"},{"id":null},{"id":null},{"n":"x","id":"b"}]`,
		"GET /things/{id} 200 /*/id", "GET /things/{id} 200 /*/n")
	f("GET", "/things/1?limit=11&frob=1", "", 200, `[]`, "GET /things/{id} request ?frob", "GET /things/{id} request ?limit")
	f("GET", "/things/1", "", 200, `[`, "GET /things/{id} 200 -")
	f("GET", "/things/1", "", 404, `{}`, "GET /things/{id} 404 -")
	f("PUT", "/things/1", "", 200, `{}`, "PUT /things/1 request -")
	f("PUT", "/up/v9/things/all", "", 204, "")
	f("PUT", "/up/v9/things/all", "", 418, "{}")
	f("PUT", "/up/v9/things/all", "", 418, "[]", "PUT /up/v9/things/all 418 /")
	f("PUT", "/v9/things/all", "", 204, "", "PUT /v9/things/all request -")
	f("POST", "/v9/things/all", `{"n":1}`, 204, "", "POST /v9/things/all request /id")
}

func TestExceptionsExcuseAndGoStale(t *testing.T) {
	c := setUp(t, "# a comment\n\nGET /things/{id} 200 /*/id the service sends null\n* * 404 - not described\nGET /x 200 - no longer needed\n")
	answer(c, "GET", "/things/1", "", 200, `[{"id":null}]`)
	answer(c, "GET", "/things/1", "", 404, ``)
	if v := c.Violations(); len(v) != 0 {
		t.Error(v)
	}
	r := &recording{TB: t}
	if c.Done(r, false); len(r.errors) != 0 {
		t.Error(r.errors)
	}
	if c.Done(r, true); len(r.errors) != 1 {
		t.Errorf("%d complaints, want one, about the exception for /x", len(r.errors))
	}
	answer(c, "GET", "/things/1", "", 200, `{}`)
	if r.errors = nil; len(c.Violations()) != 1 {
		t.Error("an exception excuses too much")
	}
	if c.Done(r, false); len(r.errors) != 1 {
		t.Errorf("%d complaints, want one", len(r.errors))
	}
	if c.Seen("GET", "/things/{id}") != 3 || !c.Got("GET", "/things/{id}", 404) || c.Got("GET", "/things/{id}", 500) {
		t.Error("the requests were not counted")
	}
}

func TestExceptionsNeedAReason(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.txt")
	if err := os.WriteFile(name, []byte("GET /things 200 /id because\nGET /things 200 /id\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readExceptions(name); err == nil || !strings.Contains(err.Error(), ":2:") {
		t.Error(err)
	}
}

func TestScopesAreRead(t *testing.T) {
	if got := setUp(t, "").Scopes()["GET /things/{id}"]; !slices.Equal(got, []string{"things.read"}) {
		t.Error(got)
	}
}
