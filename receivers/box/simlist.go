package box

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ownerOf is whose an item is: that of the folder it is in.
func (t *simTree) ownerOf(it *simItem) string {
	for p := it.parent; ; {
		if user, ok := strings.CutPrefix(p, "0/"); ok {
			return user
		}
		f := t.get(p)
		if f == nil {
			return it.owner
		}
		p = f.parent
	}
}

// live says that neither the item nor a folder above it is in a trash.
func (t *simTree) live(it *simItem) bool {
	for it != nil && it.trashed.IsZero() {
		if strings.HasPrefix(it.parent, "0/") {
			return true
		}
		it = t.get(it.parent)
	}
	return false
}

// generated is what a folder was generated with: how much, and the id of each.
func (t *simTree) generated(folder string) (n int, at func(i int) string) {
	u, j := 0, 0
	if user, ok := strings.CutPrefix(folder, "0/"); !ok {
		var kind int
		if kind, u, j, ok = t.parse(folder); !ok || kind != simFolder {
			return 0, nil
		}
	} else if u, ok = t.number[user]; !ok {
		return 0, nil
	}
	_, _, _, folders := t.layout(u)
	sub, from, to, web := min(max(0, folders-2*j-1), 2), 0, 0, 0
	from, to = t.span(u, j)
	if j%3 == 1 {
		web = 1
	}
	return sub + to - from + web, func(i int) string {
		switch {
		case i < sub:
			return t.id(simFolder, u, 2*j+1+i)
		case i < sub+to-from:
			return t.id(simFile, u, from+i-sub)
		}
		return t.id(simWebLink, u, j)
	}
}

// list calls each for what the user finds in the folder from place on, with the place behind it, until each returns false.
func (t *simTree) list(user, folder string, place int, each func(it *simItem, next int) bool) {
	n, at := t.generated(folder)
	rest := t.added[folder]
	guests := 0
	if folder == simRoot(user) {
		later := slices.Concat(t.guests(user), t.visited[user])
		guests, rest = len(later), slices.Concat(later, rest)
	}
	for ; place < n+len(rest); place++ {
		var it *simItem
		in := true
		if place < n {
			it = t.get(at(place))
			in = it != nil && it.parent == folder
		} else if it = t.get(rest[place-n]); place-n < guests {
			in = it != nil && t.ownerOf(it) != user && t.live(it) && t.role(user, it) != ""
		} else {
			in = it != nil && (it.parent == folder || it.kind == "folder" && t.loops(folder, it.id))
		}
		if in && it.trashed.IsZero() && !each(it, place+1) {
			return
		}
	}
}

// loops says whether the folder lies below the one with the id: one that a test put into itself.
func (t *simTree) loops(folder, id string) bool {
	for f := t.get(folder); f != nil; f = t.get(f.parent) {
		if f.id == id {
			return true
		}
	}
	return false
}

// put notes that an item came into a folder.
func (t *simTree) put(folder, id string) {
	if first := t.generate(id); first == nil || first.parent != folder {
		simNote(t.added, folder, id)
	}
}

// discard notes that an item came into the trash of its owner.
func (t *simTree) discard(it *simItem) {
	if first := t.generate(it.id); first == nil || first.trashed.IsZero() || first.owner != it.owner {
		simNote(t.binned, it.owner, it.id)
	}
}

func simNote(in map[string][]string, key, id string) {
	if !slices.Contains(in[key], id) {
		in[key] = append(in[key], id)
	}
}

// bin calls each for what is in the user's trash, like list.
func (t *simTree) bin(user string, place int, each func(it *simItem, next int) bool) {
	n := 0
	u, ok := t.number[user]
	if files := t.filesOf(u); ok && files > simTrashed {
		n = (files-simTrashed-1)/simTrashEvery + 1
	}
	for later := t.binned[user]; place < n+len(later); place++ {
		id := ""
		if place < n {
			id = t.id(simFile, u, simTrashed+place*simTrashEvery)
		} else {
			id = later[place-n]
		}
		if it := t.get(id); it != nil && !it.trashed.IsZero() && it.owner == user && !each(it, place+1) {
			return
		}
	}
}

// every calls f for all items of the enterprise as they are now, with whether they are where their owner finds them: what
// is in a trash, or in a folder that is, is not. It ends when f returns false.
func (t *simTree) every(f func(it *simItem, live bool) bool) {
	for u := range t.users() {
		_, _, _, folders := t.layout(u)
		for j := range folders {
			home := t.folder(u, j)
			up := t.get(home)
			above := j == 0 || up != nil && t.live(up)
			n, at := t.generated(home)
			for i := range n {
				id := at(i)
				if it := t.changed[id]; it == nil {
					it = t.generate(id)
					if !f(it, above && it.trashed.IsZero()) {
						return
					}
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.changed)) {
		if it := t.changed[id]; !it.gone && t.ownerOf(it) != simPartner.id && !f(it, t.live(it)) {
			return
		}
	}
}

// simPaging reads limit, marker and offset. https://developer.box.com/guides/api-calls/pagination/
func simPaging(f *simAsk) (limit, place, offset int, no any) {
	limit, err := 100, error(nil)
	if v := f.query("limit"); v != "" {
		limit, err = strconv.Atoi(v)
	}
	if v := f.query("offset"); v != "" && err == nil {
		offset, err = strconv.Atoi(v)
	}
	if err != nil || limit < 1 || offset < 0 || offset > 10000 {
		return 0, 0, 0, simBad("Invalid limit or offset: want numbers, an offset of at most 10000")
	}
	if v := f.query("marker"); v != "" {
		raw, err := base64.RawURLEncoding.DecodeString(v)
		at, owner, _ := strings.Cut(string(raw), " ")
		if place, _ = strconv.Atoi(at); err != nil || owner != f.r.URL.Path+f.user.id {
			return 0, 0, 0, simBad("Invalid marker: it is of another list")
		}
	}
	return min(limit, 1000), place, offset, nil
}

func (f *simAsk) marker(place int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(itoa(place) + " " + f.r.URL.Path + f.user.id))
}

// entries answers with a page of a list.
func (s *simOrg) entries(f *simAsk, list func(place int, each func(it *simItem, next int) bool)) (int, any) {
	limit, place, offset, no := simPaging(f)
	if no != nil {
		return 0, no
	}
	marked := f.query("usemarker") == "true"
	page, total, next, more := []obj{}, 0, 0, false
	list(place, func(it *simItem, behind int) bool {
		if total++; total <= offset && !marked {
			return true
		}
		if len(page) == limit {
			more = true
			return !marked
		}
		fields := f.fields()
		if fields == nil {
			fields = simMini[it.kind]
		}
		page, next = append(page, f.view.item(it, fields)), behind
		return true
	})
	if !marked {
		return http.StatusOK, obj{"total_count": total, "offset": offset, "limit": limit, "entries": page}
	}
	out := obj{"limit": limit, "entries": page, "next_marker": ""}
	if more {
		out["next_marker"] = f.marker(next)
	}
	if s.tree.odd.stuck {
		out["next_marker"] = f.marker(0)
	}
	return http.StatusOK, out
}
