package office365

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simSite is a site: a team's or a person's. Each has one library.
type simSite struct {
	n                   int
	id, web, name, path string // path: /sites/… or /personal/…
	owner               *simUser
	drive               *simDrive
	created             time.Time
}

// simDrive is the library of a site. Its change log is bounded; tokens of what left it have expired.
type simDrive struct {
	n        int
	id, list string
	site     *simSite
	root     string
	items    []string // in the order in which they came, whatever became of them
	log      []simChange
	gone     int // changes that left the log
}

// simChange is a change of an item; shared = of who may see it, and nothing else.
type simChange struct {
	id     string
	shared bool
}

// simItem is a file or a folder.
type simItem struct {
	id, uid           string
	drive             *simDrive
	parent, name      string // parent "" = it is the root
	born, dir         string // its first name and folder, which events tell of
	folder            bool
	by                string // who changed it last
	created, modified time.Time
	etag, ctag        int
	versions          []*simVersion // of a file; the last is the current one
	perms             []*simPerm
	label, next       string // next: from then on
	labelled          time.Time
	binned, gone      bool
}

// simVersion is a version of a file: generated content, or what was uploaded.
type simVersion struct {
	id   string
	doc  sim.Doc
	data []byte // nil = doc
	at   time.Time
	sum  string // of the content, and its size; "" = not made yet
	size int
}

// simPerm is a permission: a link, or a person's.
type simPerm struct {
	id, role         string
	scope, kind      string // of a link: anonymous, organization or users; view or edit
	user             string // who was invited: an id, or an address
	group            string
	expires          time.Time
	password, locked bool // locked: the owner's, or the site's
}

func (v *simVersion) bytes() []byte {
	if v.data != nil {
		return v.data
	}
	return v.doc.Bytes()
}

// measure makes hash and size.
func (v *simVersion) measure() (sum string, size int) {
	if v.sum == "" {
		b := v.bytes()
		v.sum, v.size = simQuickXor(b), len(b)
	}
	return v.sum, v.size
}

// simQuickXor is the hash that SharePoint gives of a file.
// https://learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash
func simQuickXor(b []byte) string {
	const bits, step = 160, 11
	var h [bits / 8]byte
	for i, c := range b {
		at := i * step % bits
		h[at/8] ^= c << (at % 8)
		h[(at/8+1)%len(h)] ^= byte(uint16(c) >> (8 - at%8))
	}
	for i := range 8 {
		h[12+i] ^= byte(uint64(len(b)) >> (8 * i))
	}
	return base64.StdEncoding.EncodeToString(h[:])
}

// simDriveID is the id of a library: the ids of its site, its web and its list run together.
func simDriveID(guids ...string) string {
	var all []byte
	for _, g := range guids {
		b, _ := hex.DecodeString(strings.ReplaceAll(g, "-", ""))
		b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7] = b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]
		all = append(all, b...)
	}
	return "b!" + base64.RawURLEncoding.EncodeToString(all)
}

// shelve makes sites, drives and files. Guests and some others have no drive.
func (s *simOrg) shelve() {
	for i, g := range s.groups {
		s.addSite(&simSite{n: i, name: g.name, path: "/sites/team" + strconv.Itoa(i), created: g.created})
	}
	for _, u := range s.users {
		if !u.guest && u.n%8 != 6 {
			local, _, _ := strings.Cut(u.upn, "@")
			s.addSite(&simSite{n: u.n, name: u.name, path: "/personal/" + local + "_contoso_example", owner: u, created: u.created})
		}
	}
	files := s.o.Files
	if files <= 0 {
		files = 10 * len(s.users)
	}
	for k := range files {
		s.addFile(k)
	}
}

func (s *simOrg) addSite(site *simSite) {
	i := uint64(len(s.sites))
	site.id, site.web = s.uuid(50, i), s.uuid(51, i)
	d := &simDrive{n: len(s.drives), list: s.uuid(52, i), site: site}
	d.id = simDriveID(site.id, site.web, d.list)
	site.drive = d
	s.sites, s.drives = append(s.sites, site), append(s.drives, d)
	by := s.users[0].id
	if site.owner != nil {
		by = site.owner.id
	}
	root := s.place(d, &simItem{name: "root", folder: true, by: by, created: site.created})
	d.root = root.id
	p := &simPerm{id: "owner" + strconv.Itoa(d.n), role: "owner", user: by, locked: true}
	if site.owner == nil {
		p.user, p.group = "", site.name+" Members"
		p.role = "write"
	}
	root.perms = []*simPerm{p}
	for j := range 3 {
		f := s.place(d, &simItem{name: []string{"Archive", "Plans & Büro", "Shared"}[j], parent: d.root, folder: true, by: by,
			created: site.created})
		if j == 2 {
			f.perms = []*simPerm{s.newLink("organization", "view")}
		}
	}
}

// place puts something new into a drive.
func (s *simOrg) place(d *simDrive, it *simItem) *simItem {
	n := uint64(len(s.items))
	it.drive, it.uid, it.etag, it.ctag = d, s.uuid(53, n), 1, 1
	it.id = "01" + strings.ToUpper(string(sim.NewRand(s.o.Seed, 54, n).Name(nil, 32)))
	if it.modified.IsZero() {
		it.modified = it.created
	}
	it.born = it.name
	s.items[it.id], d.items = it, append(d.items, it.id)
	return it
}

// simTrashed and simTrashEvery say which files lie in a recycle bin from the beginning.
const simTrashed, simTrashEvery = 6, 37

// addFile makes file k.
func (s *simOrg) addFile(k int) {
	rnd := sim.NewRand(s.o.Seed, 55, uint64(k))
	d := s.drives[k%len(s.drives)]
	folder := []string{d.root, d.items[1], d.items[2], d.items[3]}[rnd.N(4)]
	it := &simItem{parent: folder, by: s.items[d.root].by,
		created: s.o.Start.Add(-time.Duration(24+rnd.N(900)) * time.Hour).Truncate(time.Second)}
	it.modified = it.created.Add(time.Duration(rnd.N(24)) * time.Hour)
	kind, decoy := sim.PlantedFile(s.o.Seed, k)
	doc := sim.Doc{Seed: s.o.Seed, N: rnd.Next(), Planted: kind, Decoy: decoy}
	doc.Kind = sim.DocKindOf(doc.N, kind != "" || decoy)
	if k%20 == 7 && kind == "" && !decoy { // a letterhead that everybody has a copy of
		doc.N, doc.Kind = 1, &sim.DocKinds[5]
	}
	if k%6 == 1 {
		old := doc
		old.N, old.Planted, old.Decoy = doc.N+1, "", false
		it.versions = append(it.versions, &simVersion{id: "1.0", doc: old, at: it.created})
	}
	it.versions = append(it.versions, &simVersion{id: strconv.Itoa(len(it.versions)+1) + ".0", doc: doc, at: it.modified})
	it.name = simName(sim.Title(rnd, k%17 == 8)) + " " + strconv.Itoa(k) + "." + doc.Kind.Ext
	s.place(d, it)
	s.files = append(s.files, it)
	it.etag, it.ctag, it.dir = len(it.versions)+1, len(it.versions), strings.TrimPrefix(s.items[folder].name, "root")
	s.shareFirst(it, k)
	if k%simTrashEvery == simTrashed && kind == "" {
		s.discard(it, it.by, s.o.Start.Add(-time.Duration(1+rnd.N(200))*time.Hour))
	}
}

// simName is a name without what SharePoint does not take.
func simName(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"*:<>?/\\|", r) || r < ' ' {
			return '_'
		}
		return r
	}, name))
}

// shareFirst gives file k the permissions that it has from the beginning.
func (s *simOrg) shareFirst(it *simItem, k int) {
	other := s.users[(k*7+3)%len(s.users)]
	switch k % 13 {
	case 2:
		p := s.newLink("anonymous", []string{"view", "edit"}[k%2])
		if p.password = k%3 == 0; k%5 == 0 {
			p.expires = s.o.Start.Add(simMonth).Truncate(time.Second)
		}
		it.perms = append(it.perms, p)
	case 5:
		it.perms = append(it.perms, s.newLink("organization", "edit"))
	case 8:
		it.perms = append(it.perms, &simPerm{id: s.permID(), role: "write", user: other.id})
	case 11:
		p := s.newLink("users", "view")
		p.user = "guest" + strconv.Itoa(k) + "@partner.example"
		it.perms = append(it.perms, p, &simPerm{id: s.permID(), role: "read", user: p.user})
	}
}

func (s *simOrg) permID() string {
	s.made++
	return string(sim.NewRand(s.o.Seed, 56, s.made).Name([]byte("aT"), 22))
}

func (s *simOrg) newLink(scope, kind string) *simPerm {
	role := "read"
	if kind == "edit" {
		role = "write"
	}
	return &simPerm{id: s.permID(), role: role, scope: scope, kind: kind}
}

// host is where the site is, as its URLs have it.
func (s *simOrg) host(site *simSite) string {
	if site.owner != nil {
		return s.domain + "-my.sharepoint.com"
	}
	return s.domain + ".sharepoint.com"
}

// library is the name of the library in URLs.
func (d *simDrive) library() string {
	if d.site.owner != nil {
		return "Documents"
	}
	return "Shared Documents"
}

// url is where the item is; first = where it was in the beginning.
func (s *simOrg) url(it *simItem) string {
	at := "https://" + s.host(it.drive.site) + it.drive.site.path + "/" + strings.ReplaceAll(it.drive.library(), " ", "%20")
	for _, name := range s.names(it) {
		at += "/" + url.PathEscape(name)
	}
	return at
}

// names are those of the folders that the item lies in, and its own; none for a root.
func (s *simOrg) names(it *simItem) []string {
	if it.parent == "" {
		return nil
	}
	return append(s.names(s.items[it.parent]), it.name)
}

// changed notes a change of the item, for delta queries. What a library's delta queries do not tell is who may see an item.
func (s *simOrg) changedItem(it *simItem, shared bool) {
	if shared && it.drive.site.owner == nil {
		return
	}
	d := it.drive
	if d.log = append(d.log, simChange{it.id, shared}); len(d.log) > 1<<12 {
		d.log, d.gone = append([]simChange(nil), d.log[1<<11:]...), d.gone+1<<11
	}
}

// live says whether the item is neither deleted nor in something that is.
func (s *simOrg) live(it *simItem) bool {
	for {
		if it.binned || it.gone {
			return false
		}
		if it.parent == "" {
			return true
		}
		it = s.items[it.parent]
	}
}

// inherited are the permissions that folders give the item, with the folder that each comes from.
func (s *simOrg) inherited(it *simItem) (all []*simPerm, from []*simItem) {
	for it.parent != "" {
		it = s.items[it.parent]
		for _, p := range it.perms {
			all, from = append(all, p), append(from, it)
		}
	}
	return all, from
}

// scope is the widest way in which the item is shared; "" = it is not.
func (s *simOrg) scope(it *simItem) (widest string) {
	rank := map[string]int{"": 0, "users": 1, "organization": 2, "anonymous": 3}
	all, _ := s.inherited(it)
	for _, p := range append(all, it.perms...) {
		scope := p.scope
		if scope == "" && !p.locked {
			scope = "users"
		}
		if rank[scope] > rank[widest] {
			widest = scope
		}
	}
	return widest
}
