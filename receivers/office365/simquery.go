package office365

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simSelect is the object with these properties only; what the fake does not know of is null.
func simSelect(o simObj, names []string) simObj {
	out := simObj{}
	for _, n := range names {
		if out[n] = o[n]; strings.HasPrefix(n, "@") && o[n] == nil {
			delete(out, n)
		}
	}
	return out
}

// simSelected is $select as it applies to objects of one type: usual = what shows without.
func simSelected(c *simCall, usual []string) func(o simObj) simObj {
	names := usual
	if v := c.query("$select"); v != "" {
		names = strings.Split(v, ",")
	}
	expanded := strings.Split(c.query("$expand"), ",")
	return func(o simObj) simObj {
		if names == nil || o["@odata.type"] != nil && c.query("$select") == "" {
			return o
		}
		keep := slices.Clone(names)
		if o["@odata.type"] != nil { // one of several types, which need not have all that is asked for
			keep = slices.DeleteFunc(keep, func(n string) bool { _, ok := o[n]; return !ok })
		}
		for _, n := range append(expanded, "@odata.type", "@removed") {
			if _, ok := o[n]; ok && !slices.Contains(keep, n) {
				keep = append(keep, n)
			}
		}
		return simSelect(o, keep)
	}
}

// one answers with one object.
func (s *simOrg) one(c *simCall, context string, o simObj, usual []string) (int, any) {
	out := simSelected(c, usual)(o)
	out["@odata.context"] = simContext + context
	return http.StatusOK, out
}

// list answers with a page of the objects that $filter keeps.
func (s *simOrg) list(c *simCall, set string, all []simObj, usual, most int) (int, any) {
	top, no := simTop(c, usual, most)
	if no != nil {
		return 0, no
	}
	keep, err := simFilter(c.query("$filter"))
	if err != nil {
		return 0, simNo{http.StatusBadRequest, "Request_UnsupportedQuery", err.Error()}
	}
	at := 0
	if v := c.query("$skiptoken"); v != "" {
		n, err := strconv.ParseUint(strings.TrimPrefix(v, simTokenPrefix), 36, 31)
		if err != nil || !strings.HasPrefix(v, simTokenPrefix) {
			return 0, simNo{http.StatusBadRequest, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be " +
				"included in the request."}
		}
		at = int(n)
	}
	all = slices.DeleteFunc(all, func(o simObj) bool { return !keep(o) })
	page, next := sim.Slice(all, at, top)
	shown := simUsualOf(set)
	out := simObj{"@odata.context": simContext + set, "value": simAll(page, simSelected(c, shown))}
	if next > 0 {
		out["@odata.nextLink"] = simLink(c, "$skiptoken", simTokenPrefix+strconv.FormatInt(int64(next), 36))
	}
	return http.StatusOK, out
}

func simUsualOf(set string) []string {
	if set == "users" {
		return simUsual
	}
	return nil
}

// simLink is the request's URL with another parameter. The names of parameters keep their dollar.
func simLink(c *simCall, name, value string) string {
	q := c.r.URL.Query()
	if q.Set(name, value); name == "$deltatoken" {
		q.Del("$skiptoken")
	}
	var parts []string
	for _, k := range []string{"$select", "$filter", "$expand", "$orderby", "$top", "$skiptoken", "$deltatoken", "token"} {
		if q.Get(k) != "" {
			parts = append(parts, k+"="+url.QueryEscape(q.Get(k)))
		}
	}
	return c.base + c.r.URL.EscapedPath() + "?" + strings.Join(parts, "&")
}

// delta answers with everything, page by page, or with what changed since a token.
func (s *simOrg) delta(c *simCall, set string, all []simObj) (int, any) {
	changes, show := s.changes(set), simSelected(c, simUsualOf(set))
	out := simObj{"@odata.context": simContext + set}
	if token := c.query("$deltatoken"); token != "" {
		keys, next, err := changes.Since(token, 1<<12)
		if err != nil {
			return 0, simNo{http.StatusGone, "syncStateNotFound", "The sync state generation is not found. Restart with a full synchronization."}
		}
		rows := []simObj{}
		for _, k := range keys {
			if i := slices.IndexFunc(all, func(o simObj) bool { return o["id"] == k }); i >= 0 {
				rows = append(rows, show(all[i]))
			} else {
				rows = append(rows, simObj{"id": k, "@removed": simObj{"reason": "changed"}})
			}
		}
		out["value"], out["@odata.deltaLink"] = rows, simLink(c, "$deltatoken", next)
		return http.StatusOK, out
	}
	_, now, _ := changes.Since("", 1) // no token expires that was not given out
	at := 0
	if v := c.query("$skiptoken"); v != "" {
		first, rest, _ := strings.Cut(v, "_")
		n, err := strconv.Atoi(first)
		if err != nil {
			return 0, simNo{http.StatusBadRequest, "Directory_ExpiredPageToken", "The specified page token value has expired."}
		}
		at, now = n, rest
	}
	page, next := sim.Slice(all, at, 100)
	if out["value"] = simAll(page, show); next > 0 {
		out["@odata.nextLink"] = simLink(c, "$skiptoken", strconv.Itoa(next)+"_"+now)
		return http.StatusOK, out
	}
	out["@odata.deltaLink"] = simLink(c, "$deltatoken", now)
	return http.StatusOK, out
}

// simFilter reads comparisons joined by and: eq, ne, ge, le and startsWith.
func simFilter(expr string) (keep func(o simObj) bool, err error) {
	var all []func(simObj) bool
	for part := range strings.SplitSeq(expr, " and ") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		w := strings.SplitN(part, " ", 3)
		if in, ok := strings.CutPrefix(strings.ToLower(part[:min(11, len(part))]), "startswith("); ok && in == "" {
			name, rest, _ := strings.Cut(strings.TrimSuffix(part[11:], ")"), ",")
			w = []string{name, "startswith", rest}
		}
		if len(w) != 3 || !slices.Contains([]string{"eq", "ne", "ge", "le", "startswith"}, w[1]) {
			return nil, errors.New("Invalid filter clause: " + part)
		}
		want := strings.Trim(strings.TrimSpace(w[2]), "'")
		all = append(all, func(o simObj) bool { return simCompare(w[1], simText(o[w[0]]), want) })
	}
	return func(o simObj) bool {
		for _, ok := range all {
			if !ok(o) {
				return false
			}
		}
		return true
	}, nil
}

func simCompare(op, have, want string) bool {
	switch op {
	case "eq":
		return strings.EqualFold(have, want)
	case "ne":
		return !strings.EqualFold(have, want)
	case "ge":
		return have >= want
	case "le":
		return have <= want
	}
	return strings.HasPrefix(strings.ToLower(have), strings.ToLower(want))
}

func simText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
