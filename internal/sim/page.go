package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// BaseOf is the URL under which the request reached the fake.
func (o Options) BaseOf(r *http.Request) string {
	if o.Base != "" {
		return strings.TrimSuffix(o.Base, "/")
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// Link is one link of a Link header (RFC 8288).
type Link struct{ Rel, URL string }

// SetLinks writes the links as several header lines or as one joined by commas: both are allowed, and which one comes
// depends on the URLs alone.
func SetLinks(h http.Header, links ...Link) {
	var lines []string
	sum := uint64(0)
	for _, l := range links {
		lines = append(lines, "<"+l.URL+`>; rel="`+l.Rel+`"`)
		sum += KeySum(l.URL)
	}
	if sum%2 == 0 {
		lines = []string{strings.Join(lines, ", ")}
	}
	for _, l := range lines {
		h.Add("Link", l)
	}
}

// WithQuery is the request's own URL below base with some parameters set, or removed where the value is "". Parameters
// come in the order of their names.
func WithQuery(base string, r *http.Request, set map[string]string) string {
	q := r.URL.Query()
	for k, v := range set {
		if v == "" {
			q.Del(k)
		} else {
			q.Set(k, v)
		}
	}
	u := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: q.Encode()}
	return base + u.String()
}

// Slice is the part of a list from the offset on that a page holds; next is the offset of the following page, 0 = none.
func Slice[T any](all []T, offset, limit int) (page []T, next int) {
	if offset < 0 || offset >= len(all) || limit <= 0 {
		return nil, 0
	}
	end := min(offset+limit, len(all))
	if end < len(all) {
		next = end
	}
	return all[offset:end], next
}

// WriteJSON answers with v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
