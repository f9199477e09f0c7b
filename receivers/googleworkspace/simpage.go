package googleworkspace

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simKeeps is for how long a page token is good. https://developers.google.com/workspace/admin/directory/v1/guides/manage-users
const simKeeps = 3 * 24 * time.Hour

// sameQuery is a number of all that says which list a request reads: another list needs another token.
func (c *simCall) sameQuery() uint64 {
	q := maps.Clone(c.args)
	for _, name := range []string{"pageToken", "maxResults", "pageSize", "fields"} {
		q.Del(name)
	}
	who := ""
	if c.by != nil {
		who = c.by.id
	}
	return sim.KeySum(c.r.URL.Path + "?" + q.Encode() + who)
}

// token is a page token for a place in the list that the request reads.
func (s *simOrg) token(c *simCall, place string) string {
	return "~!!~" + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%x %d %s", c.sameQuery(), s.o.Now().Unix(), place))
}

// place is what the page token of the request says: "" = the beginning.
func (s *simOrg) place(c *simCall) (string, *simNo) {
	token := c.query("pageToken")
	if token == "" {
		return "", nil
	}
	raw, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "~!!~")) // what is left of another text is no place
	part := strings.SplitN(string(raw), " ", 3)
	if len(part) != 3 || part[0] != strconv.FormatUint(c.sameQuery(), 16) {
		return "", simInvalid("pageToken", token)
	}
	if made, err := strconv.ParseInt(part[1], 10, 64); err != nil || s.o.Now().After(time.Unix(made, 0).Add(simKeeps)) {
		return "", simInvalid("pageToken", token)
	}
	return part[2], nil
}

// size is how many rows a page has. Directory takes more than the most for the most; Drive and Reports refuse it.
func (c *simCall) size(usual, most int) (int, *simNo) {
	for _, name := range []string{"maxResults", "pageSize"} {
		text := c.query(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		strict := !strings.HasPrefix(c.r.URL.Path, "/admin/directory/")
		if err != nil || n < 1 || n > most && strict {
			return 0, &simNo{http.StatusBadRequest, "invalidParameter",
				fmt.Sprintf("Invalid value '%s'. Values must be within the range: [1, %d]", text, most), name}
		}
		return min(n, most), nil
	}
	return usual, nil
}

// simPaged answers with a page of a list. In Admin SDK a list that is empty has no member for its rows, and one has an etag.
func simPaged[T any](s *simOrg, c *simCall, name, kind string, all []T, usual, most int, show func(T) obj) (any, *simNo) {
	limit, no := c.size(usual, most)
	if no != nil {
		return nil, no
	}
	at, no := s.place(c)
	if no != nil {
		return nil, no
	}
	from, _ := strconv.Atoi("0" + at)
	page, next := sim.Slice(all, from, limit)
	admin := strings.HasPrefix(c.r.URL.Path, "/admin/")
	out, rows := obj{"kind": kind}, []obj{}
	if admin {
		out["etag"] = s.etag(40, c.sameQuery(), uint64(from))
	}
	for _, row := range page {
		rows = append(rows, show(row))
	}
	if len(rows) > 0 || !admin {
		out[name] = rows
	}
	if next > 0 {
		out["nextPageToken"] = s.token(c, itoa(next))
	}
	return out, nil
}

// simMask is what a fields parameter selects: by name what of it, nothing or "*" = all.
// https://developers.google.com/workspace/drive/api/guides/fields-parameter
type simMask map[string]simMask

// simMaskOf reads a fields parameter: names, a/b, a(b,c).
func simMaskOf(text string) (simMask, *simNo) {
	m, rest, ok := simReadMask(text)
	if !ok || rest != "" {
		return nil, &simNo{http.StatusBadRequest, "invalidParameter", "Invalid field selection " + text, "fields"}
	}
	return m, nil
}

// simReadMask reads up to the parenthesis that it cannot account for.
func simReadMask(text string) (m simMask, rest string, ok bool) {
	m = simMask{}
	for {
		n := strings.IndexAny(text+",", ",()/")
		name := strings.TrimSpace(text[:n])
		if text = text[n:]; name == "" {
			return nil, text, false
		}
		in := simMask{}
		m[name] = in
		for strings.HasPrefix(text, "/") {
			n = strings.IndexAny(text[1:]+",", ",()/") + 1
			sub := simMask{}
			in[text[1:n]], in, text = sub, sub, text[n:]
		}
		if strings.HasPrefix(text, "(") {
			got, after, fine := simReadMask(text[1:])
			if !fine || !strings.HasPrefix(after, ")") {
				return nil, text, false
			}
			for k, v := range got {
				in[k] = v
			}
			text = after[1:]
		}
		if !strings.HasPrefix(text, ",") {
			return m, text, true
		}
		text = text[1:]
	}
}

// of is what the mask leaves of a value.
func (m simMask) of(v any) any {
	if _, all := m["*"]; len(m) == 0 || all {
		return v
	}
	switch v := v.(type) {
	case obj:
		out := obj{}
		for name, in := range m {
			if f, ok := v[name]; ok {
				out[name] = in.of(f)
			}
		}
		return out
	case []obj:
		out := make([]any, len(v))
		for i := range v {
			out[i] = m.of(v[i])
		}
		return out
	}
	return v
}

// asks says whether the mask selects the field at a path.
func (m simMask) asks(path ...string) bool {
	for _, name := range path {
		_, all := m["*"]
		in, ok := m[name]
		if len(m) == 0 || all && !ok {
			return true
		}
		if !ok {
			return false
		}
		m = in
	}
	return true
}
