package googleworkspace

import (
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simTree is everybody's files. What it holds is a function of the seed and of numbers, so that a million files need no
// memory; only what requests changed is held, and bounded by them. A home is somebody's My Drive or a shared drive; file n of
// home h is generated whenever it is asked for. Reading needs no lock as long as nothing is changed; simOrg.mu is that lock.
type simTree struct {
	s      *simOrg
	seed   int64
	files  int // of all homes together
	homes  []*simHome
	byRoot map[string]*simHome // by the id of the root folder, which is the id of a shared drive

	made    uint64              // serial number of what requests made
	changed map[string]*simFile // what is not as it was generated, by id
	added   map[*simHome][]string
	guests  map[string][]string // what was shared with somebody later, by address
	log     []simChange
	last    map[string]int // the last entry of the log about a file

	odd simOdd
}

// simOdd is what the tree does wrong; tests of the package set it before the first request.
type simOdd struct {
	huge   map[string]bool // files that are too large to export
	absent map[string]bool // files that are listed but cannot be read
	host   string          // where downloads are; "" = where they are asked for
}

// simHome is a My Drive or, without a user, a shared drive.
type simHome struct {
	n       int
	id      string // of the shared drive; of the root folder
	name    string
	user    *simUser
	made    time.Time
	members []simPerm // of a shared drive
}

// simFile is a file, a folder or a shortcut.
type simFile struct {
	id, name, mime string
	home           *simHome
	parent, target string // target of a shortcut
	made, edited   time.Time
	version        int
	trashed        time.Time
	revs           []simRev // the last is the head
	perms          []simPerm
	labels         []simLabelled
	locks          []obj // contentRestrictions
	shareless      bool  // writers may not share
	copyless       bool  // readers may neither copy, print nor download
	barren         bool  // nothing is inherited
	abusive        bool
	gone           bool
}

// simRev is a version of a file: generated content, or what was uploaded.
type simRev struct {
	id, by  string
	doc     sim.Doc
	data    []byte // nil = doc
	at      time.Time
	forever bool
}

func (r simRev) bytes() []byte {
	if r.data != nil {
		return r.data
	}
	return r.doc.Bytes()
}

// simPerm is a permission.
type simPerm struct {
	id, kind, role string
	email, domain  string
	discover       bool
	expires        time.Time
}

const (
	simGoogle   = "application/vnd.google-apps."
	simFolder   = simGoogle + "folder"
	simShortcut = simGoogle + "shortcut"
)

func newSimTree(o sim.Options, s *simOrg) *simTree {
	t := &simTree{s: s, seed: o.Seed, files: o.Files, byRoot: map[string]*simHome{}, changed: map[string]*simFile{},
		added: map[*simHome][]string{}, guests: map[string][]string{}, last: map[string]int{},
		odd: simOdd{huge: map[string]bool{}, absent: map[string]bool{}}}
	for _, u := range s.users {
		if u.deleted.IsZero() {
			t.homes = append(t.homes, &simHome{user: u, name: "My Drive", made: u.made})
		}
	}
	users := len(t.homes)
	for d := range max(2, users/10) {
		h := &simHome{name: "Team " + simTeams[d%len(simTeams)] + " " + itoa(d), made: s.users[0].made}
		member := func(role, kind, email string) {
			h.members = append(h.members, simPerm{id: simPermID(email), kind: kind, role: role, email: email})
		}
		member("writer", "group", s.groups[d%len(s.groups)].email) // the first is nobody to act for
		member("organizer", "user", s.users[(d*3+2)%4].email)
		member("organizer", "user", s.users[0].email)
		h.members = slices.CompactFunc(h.members, func(a, b simPerm) bool { return a.id == b.id })
		member("fileOrganizer", "user", s.users[users-1-d%2].email)
		member("reader", "user", simOutside[d%3])
		t.homes = append(t.homes, h)
	}
	for i, h := range t.homes {
		h.n, h.id = i, "0A"+string(sim.NewRand(o.Seed, 61, uint64(i)).Name(nil, 14))+"PVA"
		t.byRoot[h.id] = h
	}
	if t.files <= 0 {
		t.files = 10 * len(t.homes)
	}
	return t
}

// filesOf is how many files a home was generated with.
func (t *simTree) filesOf(h int) int {
	n := t.files / len(t.homes)
	if h < t.files%len(t.homes) {
		n++
	}
	return n
}

// drive is the shared drive with the id, or nil.
func (t *simTree) drive(id string) *simHome {
	if h := t.byRoot[id]; h != nil && h.user == nil {
		return h
	}
	return nil
}

// homeOf is the My Drive of a user.
func (t *simTree) homeOf(u *simUser) *simHome {
	for _, h := range t.homes {
		if h.user == u {
			return h
		}
	}
	return nil
}

// simDigits are the characters of the number in an id.
const simDigits = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"

// id is the id of file n of home h: the number, and what makes it as long as Google's.
func (t *simTree) id(h, n int) string {
	b, at := []byte{'1'}, n*len(t.homes)+h
	for range 7 {
		b = append(b, simDigits[at%len(simDigits)])
		at /= len(simDigits)
	}
	return string(sim.NewRand(t.seed, 62, uint64(n), uint64(h)).Name(b, 25))
}

// parse finds what a generated id is of.
func (t *simTree) parse(id string) (h, n int, ok bool) {
	if len(id) != 33 {
		return 0, 0, false
	}
	at := 0
	for i := 7; i > 0; i-- {
		d := strings.IndexByte(simDigits, id[i])
		if d < 0 {
			return 0, 0, false
		}
		at = at*len(simDigits) + d
	}
	h, n = at%len(t.homes), at/len(t.homes)
	return h, n, n < t.filesOf(h) && t.id(h, n) == id
}

// newID is the id of a file that a request makes.
func (t *simTree) newID() string {
	t.made++
	return string(sim.NewRand(t.seed, 63, t.made).Name([]byte("1_"), 31))
}

// newRev is the id of a revision that a request makes.
func (t *simTree) newRev() string {
	t.made++
	return string(sim.NewRand(t.seed, 67, t.made).Name([]byte("0B"), 50))
}

// get is a file as it is now, nil = there is none. It is not to be changed.
func (t *simTree) get(id string) *simFile {
	f := t.changed[id]
	if f == nil {
		if h, n, ok := t.parse(id); ok {
			return t.generate(h, n)
		}
		return nil
	}
	if f.gone {
		return nil
	}
	return f
}

// edit is a file that may be changed, and is another version of it from now on.
func (t *simTree) edit(f *simFile) *simFile {
	now := *f
	now.perms, now.labels, now.revs = slices.Clone(f.perms), slices.Clone(f.labels), slices.Clone(f.revs)
	now.version++
	t.changed[f.id] = &now
	return &now
}

// some is any of the generated files.
func (t *simTree) some(rnd *sim.Rand) *simFile {
	for {
		h := rnd.N(len(t.homes))
		if n := t.filesOf(h); n > 0 {
			return t.generate(h, rnd.N(n))
		}
	}
}

// plain says whether file n of a home is one that may hold a value: neither a folder nor a shortcut, nor of somebody whose
// files cannot be read.
func (t *simTree) plain(h, n int) bool {
	return n%12 != 0 && n%29 != 13 && (t.homes[h].user == nil || t.homes[h].user.live())
}

// plantedIn says what a file holds that dlp must find, or only seems to hold.
func (t *simTree) plantedIn(h, n int) (dataType string, decoy bool) {
	if !t.plain(h, n) {
		return "", false
	}
	return sim.PlantedFile(t.seed, n*len(t.homes)+h)
}

// planted counts, by type, the files that hold a value.
func (t *simTree) planted() map[string]int {
	return sim.CountPlantedFiles(t.seed, t.files, func(i int) bool { return t.plain(i%len(t.homes), i/len(t.homes)) })
}

// simEditors are the editors' files, by the kinds of documents that they are exported as.
var simEditors = []string{"document", "spreadsheet", "presentation"}

// generate is a file as it was before anything changed.
func (t *simTree) generate(h, n int) *simFile {
	rnd := sim.NewRand(t.seed, 64, uint64(h), uint64(n))
	home := t.homes[h]
	f := &simFile{id: t.id(h, n), home: home, parent: home.id, version: 3 + rnd.N(90),
		made: t.s.o.Start.Add(-time.Duration(24+rnd.N(20000)) * time.Hour)}
	f.edited = f.made.Add(time.Duration(rnd.N(24)) * time.Hour)
	if n%3 == 1 || n%12 == 0 && n > 0 {
		f.parent = t.id(h, max(0, n-1)/12*12)
	}
	by := t.s.users[0].email
	if home.user != nil {
		by = home.user.email
	}
	kind, decoy := t.plantedIn(h, n)
	empty := kind == "" && !decoy
	doc := sim.Doc{Seed: t.seed, N: rnd.Next(), Planted: kind, Decoy: decoy}
	doc.Kind = sim.DocKindOf(doc.N, !empty)
	f.name = sim.Title(rnd, n%17 == 8) + " " + itoa(n)
	revs := 1
	switch {
	case n%12 == 0:
		f.mime, revs = simFolder, 0
	case n%29 == 13:
		f.mime, f.target, revs = simShortcut, t.id(h, n-2), 0
	case n%5 == 2 && n%25 == 22 && empty:
		f.mime, revs = simGoogle+"form", 0
	case n%5 == 2:
		f.mime = simGoogle + simEditors[n/5%3]
	default:
		f.mime, f.abusive = doc.Kind.MIME, n%41 == 17 && empty
		if f.name += "." + doc.Kind.Ext; n%20 == 9 && empty { // a letterhead that everybody has a copy of
			doc.N, doc.Kind, f.mime = 1, &sim.DocKinds[5], sim.DocKinds[5].MIME
			f.name = "Letterhead " + itoa(n) + ".docx"
		}
		if n%6 == 1 {
			revs = 3
		}
	}
	for v := range revs {
		d := doc
		if v < revs-1 {
			d = sim.Doc{Seed: t.seed, N: doc.N + uint64(v) + 1, Kind: doc.Kind}
		}
		f.revs = append(f.revs, simRev{id: "0B" + string(sim.NewRand(t.seed, 65, uint64(h), uint64(n), uint64(v)).Name(nil, 50)), by: by, doc: d,
			at: f.edited})
	}
	if n%37 == 6 && empty {
		f.trashed = t.s.o.Start.Add(-time.Duration(1+rnd.N(20)) * 24 * time.Hour)
	}
	f.perms = t.invited(h, n)
	if n%13 == 3 {
		f.labels = []simLabelled{{simLabelID, simFieldID, sim.Pick(rnd, simChoices)[0]}}
	}
	f.copyless = n%19 == 7
	return f
}

// next is the home whose user the files of home h are shared with.
func (t *simTree) neighbour(h int) *simUser {
	return t.s.users[(h+1)%(len(t.s.users)-1)] // the last one left
}

// simHolds says whether file n was generated shared with the neighbour.
func simHolds(n int) bool { return n == 0 || n%9 == 4 }

// invited are the permissions that file n was generated with, beside that of its owner.
func (t *simTree) invited(h, n int) (out []simPerm) {
	add := func(p simPerm) {
		if p.email != "" {
			p.id = simPermID(p.email)
		}
		out = append(out, p)
	}
	if simHolds(n) && t.homes[h].user != nil {
		add(simPerm{kind: "user", role: []string{"writer", "reader"}[min(1, n)], email: t.neighbour(h).email})
	}
	switch {
	case n%14 == 3:
		add(simPerm{id: "anyone", kind: "anyone", role: "reader", discover: true})
	case n%7 == 3:
		add(simPerm{id: "anyoneWithLink", kind: "anyone", role: []string{"reader", "writer"}[n%2]})
	}
	if n%11 == 5 {
		add(simPerm{kind: "user", role: "writer", email: simOutside[n%3], expires: t.s.o.Start.Add(900 * time.Hour)})
	}
	if n%13 == 7 {
		add(simPerm{id: simPermID(simDomain) + "k", kind: "domain", role: "reader", domain: simDomain, discover: n%2 == 0})
	}
	if n%17 == 8 {
		add(simPerm{kind: "group", role: "commenter", email: t.s.groups[n%len(t.s.groups)].email})
	}
	return out
}

// list is everything that a home holds, by place: what was generated there and what came later.
func (t *simTree) list(h *simHome) (n int, at func(i int) string) {
	made, later := t.filesOf(h.n), t.added[h]
	return made + len(later), func(i int) string {
		if i < made {
			return t.id(h.n, i)
		}
		return later[i-made]
	}
}

// holds says whether the file is in the home now.
func (t *simTree) holds(h *simHome, id string) *simFile {
	if f := t.get(id); f != nil && f.home == h {
		return f
	}
	return nil
}

// put notes that a file came into a home.
func (t *simTree) put(h *simHome, id string) {
	made, _, ok := t.parse(id)
	if (!ok || made != h.n) && !slices.Contains(t.added[h], id) {
		t.added[h] = append(t.added[h], id)
	}
}
