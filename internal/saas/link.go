package saas

import (
	"net/http"
	"net/url"
	"strings"
)

// link reads Link headers (RFC 8288), several of them or joined by commas.
func (p *reply) link(rel string) string {
	for _, h := range p.resp.Header.Values("Link") {
		for h != "" {
			open := strings.IndexByte(h, '<')
			end := strings.IndexByte(h, '>')
			if open < 0 || end < open {
				break
			}
			target := h[open+1 : end]
			params := h[end+1:]
			next := -1
			if at := strings.IndexByte(params, '<'); at >= 0 {
				next = strings.LastIndexByte(params[:at], ',')
			}
			h = ""
			if next >= 0 {
				params, h = params[:next], params[next+1:]
			}
			if hasRel(params, rel) {
				return absolute(p.resp.Request, target)
			}
		}
	}
	return ""
}

func hasRel(params, rel string) bool {
	for part := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(strings.TrimSpace(k), "rel") {
			continue
		}
		for r := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(v), `"`)) {
			if strings.EqualFold(r, rel) {
				return true
			}
		}
	}
	return false
}

// absolute is the target of a link as a URL: a relative one is meant from the request's own.
func absolute(req *http.Request, target string) string {
	if req == nil || strings.Contains(target, "://") {
		return target
	}
	u, err := req.URL.Parse(target)
	if err != nil {
		return target
	}
	return u.String()
}

// mayFollow refuses a next request that leaves the configured hosts before it becomes a mark: refused only when sent, it
// would stop the stream for good.
func (p *reply) mayFollow(ref string) error {
	u, err := url.Parse(ref)
	if err == nil && u.IsAbs() {
		err = p.c.allowed(u, p.resp.Request.URL)
	}
	if err != nil {
		return &Error{Outcome: Invalid, Req: p.what, Err: err}
	}
	return nil
}
