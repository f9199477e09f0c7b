package simtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Handler answers as h does and records what in the request or the answer the description does not allow. Answers are
// held in memory.
func (c *Checker) Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		answer := out.Body.Bytes()
		maps.Copy(w.Header(), out.Header())
		w.WriteHeader(out.Code)
		_, _ = w.Write(answer)

		checked := r.Clone(context.Background())
		checked.Body = io.NopCloser(bytes.NewReader(body))
		c.check(checked, out.Code, out.Header(), answer)
	})
}

func (c *Checker) check(r *http.Request, status int, h http.Header, answer []byte) {
	route, params := c.route(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if route == nil {
		c.note(r.Method, r.URL.Path, "request", "", "the description has no such operation")
		return
	}
	c.seen[r.Method+" "+route.Path]++
	c.statuses[fmt.Sprint(r.Method, " ", route.Path, " ", status)] = true
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{
		MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	for name := range r.URL.Query() {
		if p := parameter(route, name); p == nil {
			c.note(r.Method, route.Path, "request", "?"+name, "the description has no such parameter")
		}
	}
	if status < 400 || status >= 500 { // 4xx: the request may be wrong, and was told so
		c.noteAll(r.Method, route.Path, "request", openapi3filter.ValidateRequest(context.Background(), in))
	}
	code := strconv.Itoa(status)
	if all := route.Operation.Responses; all.Value(code) == nil && all.Default() == nil {
		c.note(r.Method, route.Path, code, "", "the description has no such status")
		return
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{RequestValidationInput: in,
		Status: status, Header: h, Body: io.NopCloser(bytes.NewReader(answer)), Options: in.Options})
	c.noteAll(r.Method, route.Path, code, err)
}

func parameter(route *routers.Route, name string) *openapi3.Parameter {
	if p := route.Operation.Parameters.GetByInAndName("query", name); p != nil {
		return p
	}
	return route.PathItem.Parameters.GetByInAndName("query", name)
}

// noteAll records each single error within err.
func (c *Checker) noteAll(method, path, status string, err error) {
	var many openapi3.MultiError
	var bad *openapi3.SchemaError
	var req *openapi3filter.RequestError
	list, direct := err.(openapi3.MultiError)
	switch {
	case err == nil:
	case !direct && errors.As(err, &req) && req.Parameter != nil:
		c.note(method, path, status, "?"+req.Parameter.Name, err.Error())
	case direct || errors.As(err, &many):
		for _, e := range append(list, many...) {
			c.noteAll(method, path, status, e)
		}
	case errors.As(err, &bad):
		c.note(method, path, status, "/"+strings.Join(bad.JSONPointer(), "/"), reason(bad))
	default:
		c.note(method, path, status, "", err.Error())
	}
}

func reason(e *openapi3.SchemaError) string {
	why := e.Reason
	var inner *openapi3.SchemaError
	if e.Origin != nil && errors.As(e.Origin, &inner) && inner != e {
		why += " (" + strings.Join(inner.JSONPointer(), "/") + ": " + reason(inner) + ")"
	}
	value := fmt.Sprint(e.Value)
	return fmt.Sprintf("%s; the value is %.200s", why, value)
}

// note records a violation, unless it is excused. Numbers in the pointer are rows: the same in each row is one violation.
func (c *Checker) note(method, path, status, pointer, why string) {
	parts := strings.Split(pointer, "/")
	for i, p := range parts {
		if _, err := strconv.Atoi(p); err == nil {
			parts[i] = "*"
		}
	}
	fields := [4]string{method, path, status, strings.Join(parts, "/")}
	if pointer == "" {
		fields[3] = "-"
	}
	if !c.excused(fields) {
		c.found[strings.Join(fields[:], " ")] = why
	}
}

// route finds the operation: the path with the most literal segments wins.
func (c *Checker) route(r *http.Request) (*routers.Route, map[string]string) {
	have := strings.Split(r.URL.EscapedPath(), "/")
	var best *routers.Route
	var params map[string]string
	most := -1
	for path, item := range c.doc.Paths.Map() {
		op := item.GetOperation(r.Method)
		want := strings.Split(path, "/")
		if op == nil || len(want) != len(have) {
			continue
		}
		literal, found := 0, map[string]string{}
		for i, seg := range want {
			if strings.HasPrefix(seg, "{") && have[i] != "" {
				found[strings.Trim(seg, "{}")], _ = url.PathUnescape(have[i])
			} else if seg == have[i] {
				literal++
			} else {
				literal = -len(want)
			}
		}
		if literal > most {
			most, params = literal, found
			best = &routers.Route{Spec: c.doc, Server: c.doc.Servers[0], Path: path, PathItem: item, Method: r.Method, Operation: op}
		}
	}
	return best, params
}
