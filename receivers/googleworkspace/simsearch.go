package googleworkspace

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// simTerm is a term of a query that the fake knows.
var simTerm = regexp.MustCompile(`^(?:'([^']*)' in (owners|parents|writers|readers)|(not )?(sharedWithMe)|` +
	`(trashed|mimeType|name|modifiedTime)\s*(=|!=|>|>=|<|<=)\s*'?([^']*?)'?)$`)

// query reads q, terms joined by and. https://developers.google.com/workspace/drive/api/guides/search-files
func (s *simOrg) search(c *simCall) (func(f *simFile) bool, *simNo) {
	var all []func(f *simFile) bool
	for _, text := range strings.Split(c.query("q"), " and ") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		m := simTerm.FindStringSubmatch(text)
		if m == nil {
			return nil, &simNo{http.StatusBadRequest, "invalid", "Invalid Value", "q"}
		}
		all = append(all, s.term(c, m))
	}
	return func(f *simFile) bool {
		return !slices.ContainsFunc(all, func(is func(*simFile) bool) bool { return !is(f) })
	}, nil
}

// term is one term.
func (s *simOrg) term(c *simCall, m []string) func(f *simFile) bool {
	who := m[1]
	if who == "me" {
		who = c.by.email
	}
	if home := s.tree.homeOf(c.by); who == "root" && home != nil {
		who = home.id
	}
	least := map[string]string{"owners": "owner", "writers": "writer", "readers": "reader"}[m[2]]
	switch {
	case m[2] == "parents":
		return func(f *simFile) bool { return f.parent == who }
	case m[2] != "":
		return func(f *simFile) bool {
			return slices.ContainsFunc(s.tree.held(f), func(p simHeld) bool { return p.email == who && simRank(p.role) >= simRank(least) })
		}
	case m[4] != "":
		return func(f *simFile) bool { return (f.home.user != nil && f.home.user != c.by) != (m[3] != "") }
	}
	get := map[string]func(f *simFile) string{"trashed": func(f *simFile) string { return simText(s.tree.inTrash(f)) },
		"mimeType": func(f *simFile) string { return f.mime }, "name": func(f *simFile) string { return f.name },
		"modifiedTime": func(f *simFile) string { return simTime(f.edited) }}[m[5]]
	want := m[7]
	if t, err := time.Parse(time.RFC3339, want); err == nil {
		want = simTime(t)
	}
	return func(f *simFile) bool {
		is := strings.Compare(get(f), want)
		return m[6] == "=" && is == 0 || m[6] == "!=" && is != 0 || strings.HasPrefix(m[6], ">") && is > 0 ||
			strings.HasPrefix(m[6], "<") && is < 0 || len(m[6]) == 2 && m[6] != "!=" && is == 0
	}
}

// found is what a corpus holds for who asks, by place.
func (s *simOrg) found(c *simCall) (n int, at func(i int) *simFile, no *simNo) {
	t := s.tree
	var homes []*simHome
	mine := t.homeOf(c.by)
	corpora, drive := c.query("corpora"), c.query("driveId")
	switch {
	case corpora == "drive" != (drive != ""),
		(corpora == "drive" || corpora == "allDrives") && !(c.yes("includeItemsFromAllDrives") && c.yes("supportsAllDrives")):
		return 0, nil, simBad("invalid", "The driveId, corpora, includeItemsFromAllDrives and supportsAllDrives parameters do not fit together.")
	case corpora == "drive":
		h := t.drive(drive)
		if h == nil || !s.member(c, h) {
			return 0, nil, &simNo{http.StatusNotFound, "notFound", "Shared drive not found: " + drive, "driveId"}
		}
		homes = []*simHome{h}
	case corpora == "" || corpora == "user":
		homes = []*simHome{mine}
	case corpora == "domain", corpora == "allDrives":
		homes = t.homes
	default:
		return 0, nil, simInvalid("corpora", corpora)
	}
	own := 0
	var ends []int // of the homes
	for _, h := range homes {
		own += t.size(h)
		ends = append(ends, own)
	}
	var shared []string
	if corpora == "" || corpora == "user" {
		shared = t.sharedWith(c.by)
	}
	return own + len(shared), func(i int) *simFile {
		if i >= own {
			if f := t.get(shared[i-own]); f != nil && f.home.user != c.by && t.role(c.by, f, false) != "" {
				return f
			}
			return nil
		}
		h, _ := slices.BinarySearch(ends, i+1)
		_, one := t.list(homes[h])
		f := t.holds(homes[h], one(i-ends[h]+t.size(homes[h])))
		if f == nil || len(homes) > 1 && !t.finds(c.by, f, corpora) {
			return nil
		}
		return f
	}, nil
}

func (t *simTree) size(h *simHome) int {
	n, _ := t.list(h)
	return n
}

// finds says whether a search of the domain, or of all drives, shows a file.
func (t *simTree) finds(u *simUser, f *simFile, corpora string) bool {
	if corpora == "allDrives" {
		return t.role(u, f, false) != ""
	}
	return slices.ContainsFunc(t.held(f), func(p simHeld) bool { return p.email == "" && p.discover })
}

// sharedWith are the files of others that a user was given a permission of their own for.
func (t *simTree) sharedWith(u *simUser) []string {
	out := slices.Clone(t.guests[u.email])
	all := len(t.s.users) - 1
	h := (u.n - 1 + all) % all
	for n := range t.filesOf(h) {
		if id := t.id(h, n); simHolds(n) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// listFiles is GET /files.
func (s *simOrg) listFiles(c *simCall) (any, *simNo) {
	if c.by == nil {
		return obj{"kind": "drive#fileList", "incompleteSearch": false, "files": []obj{}}, nil
	}
	limit, no := c.size(100, 1000)
	if no != nil {
		return nil, no
	}
	at, no := s.place(c)
	if no != nil {
		return nil, no
	}
	keep, no := s.search(c)
	if no != nil {
		return nil, no
	}
	n, get, no := s.found(c)
	if no != nil {
		return nil, no
	}
	place, _ := strconv.Atoi("0" + at)
	rows, mask := []obj{}, c.mask["files"]
	for ; place < n && len(rows) < limit; place++ {
		if f := get(place); f != nil && keep(f) {
			rows = append(rows, s.file(c, f, s.tree.role(c.by, f, true), mask))
		}
	}
	out := obj{"kind": "drive#fileList", "incompleteSearch": c.query("corpora") == "allDrives", "files": rows}
	if place < n {
		out["nextPageToken"] = s.token(c, itoa(place))
	}
	return out, nil
}
