package box

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simTree is everybody's files. What it holds is a function of the seed and of numbers, so that a million files need no
// memory; only what requests changed is held, and bounded by them. Owner u has the files k that folders j hold, of which
// folder 0 is his root, 1 holds a quarter of all, 2 is shared; the last owner is of another enterprise.
//
// Reading needs no lock as long as nothing is changed; simOrg.files is that lock.
type simTree struct {
	seed   int64
	start  time.Time
	files  int // of managed users together
	owners []simPerson
	number map[string]int       // of owners, by id
	people map[string]simPerson // owners and others, by id
	teams  []*simGroup          // that items are shared with

	made    uint64               // serial number of what requests made
	changed map[string]*simItem  // what is not as it was generated, by id
	added   map[string][]string  // what came into a folder later, by the folder; some of it left again
	binned  map[string][]string  // what an owner put into his trash
	visited map[string][]string  // what a user was later invited to
	grants  map[string]*simGrant // collaborations that changed, by id
	granted map[string][]string  // collaborations that were made, by item

	odd simOdd
}

// simOdd is what the tree does wrong; tests of the package set it before the first request.
type simOdd struct {
	vanished map[string]bool  // files that are listed but cannot be read
	longer   map[string]int64 // by how much a download claims to be longer than it is, by file
	stuck    bool             // every list names the same marker for ever
	unready  time.Duration    // for how long a new version cannot be downloaded: 202
	host     string           // where downloads are; "" = at the fake's own URL
}

// simPerson is somebody that items belong to or are shared with.
type simPerson struct {
	id, name, login string
	active          bool // nothing is planted in the files of others, whom nobody may act for
}

// simItem is a file, a folder or a web link.
type simItem struct {
	id, kind, name string // kind: file, folder or web_link
	owner, parent  string // the last owner known; id of a folder, or simRoot
	etag           int
	made, edited   time.Time
	maker, by      string // who made it, and changed it last
	class          string
	classed        int // how often the class changed
	link           *simLink
	versions       []simVersion // of a file; the last is the current one
	trashed        time.Time
	gone           bool
}

// simVersion is a version of a file: generated content, or what was uploaded.
type simVersion struct {
	id   string
	doc  sim.Doc
	data []byte // nil = doc
	by   string
	at   time.Time

	trashed time.Time
}

func (v simVersion) bytes() []byte {
	if v.data != nil {
		return v.data
	}
	return v.doc.Bytes()
}

// simSum is the hash and the size of content, as files show them.
func simSum(b []byte) (sum string, size int) {
	h := sha1.Sum(b)
	return hex.EncodeToString(h[:]), len(b)
}

func newSimTree(o sim.Options, owners []simPerson) *simTree {
	t := &simTree{seed: o.Seed, start: o.Start, files: o.Files, owners: append(slices.Clone(owners), simPartner),
		number: map[string]int{}, people: map[string]simPerson{}, changed: map[string]*simItem{}, added: map[string][]string{},
		binned: map[string][]string{}, visited: map[string][]string{}, grants: map[string]*simGrant{}, granted: map[string][]string{},
		odd: simOdd{vanished: map[string]bool{}, longer: map[string]int64{}}}
	if t.files <= 0 {
		t.files = 10 * len(owners)
	}
	for i, p := range t.owners {
		t.number[p.id] = i
	}
	for _, p := range slices.Concat(t.owners, simOutsiders) {
		t.people[p.id] = p
	}
	return t
}

// What ids are of. An id says what it is of, and where that is.
const (
	simFile = iota
	simFolder
	simWebLink
	simCollab
	simVer
	simLater // by a request
)

func (t *simTree) id(kind, owner, n int) string {
	return strconv.Itoa(1<<23 + (n*len(t.owners)+owner)*8 + kind)
}

// newID is the id of something that a request makes.
func (t *simTree) newID() string {
	t.made++
	return strconv.FormatUint(1<<23+t.made*8+simLater, 10)
}

func (t *simTree) parse(id string) (kind, owner, n int, ok bool) {
	v, err := strconv.Atoi(id)
	if v -= 1 << 23; err != nil || v < 0 {
		return 0, 0, 0, false
	}
	kind, v = v%8, v/8
	return kind, v % len(t.owners), v / len(t.owners), kind < simLater
}

// simRoot is the root folder of a user, whom it shows itself to as 0.
func simRoot(user string) string { return "0/" + user }

// users is how many owners are of the enterprise.
func (t *simTree) users() int { return len(t.owners) - 1 }

// filesOf is how many files an owner has.
func (t *simTree) filesOf(u int) int {
	if u == t.users() {
		return 24
	}
	n := t.files / t.users()
	if u < t.files%t.users() {
		n++
	}
	return n
}

// layout is how the files of an owner lie: the first quarter in folder 1, the others per at a time in 0, 2, 3 ….
func (t *simTree) layout(u int) (files, quarter, per, folders int) {
	files = t.filesOf(u)
	quarter = files / 4
	rest := files - quarter
	per = min(16, rest/4+1)
	return files, quarter, per, max(3, (rest+per-1)/per+1)
}

// span is which files folder j of an owner holds.
func (t *simTree) span(u, j int) (from, to int) {
	files, quarter, per, _ := t.layout(u)
	if j == 1 {
		return 0, quarter
	}
	return min(files, quarter+max(0, j-1)*per), min(files, quarter+(max(0, j-1)+1)*per)
}

// folderOf is the folder of file k.
func (t *simTree) folderOf(u, k int) int {
	_, quarter, per, _ := t.layout(u)
	if k < quarter {
		return 1
	}
	if j := (k - quarter) / per; j > 0 {
		return j + 1
	}
	return 0
}

// plantedIn says what a file of the enterprise holds that dlp must find, or only seems to hold.
func (t *simTree) plantedIn(u, k int) (dataType string, decoy bool) {
	if u == t.users() || !t.owners[u].active {
		return "", false
	}
	return sim.PlantedFile(t.seed, k*t.users()+u)
}

// planted counts, by type, the files that hold a value. None of them is generated in a trash.
func (t *simTree) planted() map[string]int {
	return sim.CountPlantedFiles(t.seed, t.files, func(i int) bool { return t.owners[i%t.users()].active })
}

// simTrashed is the first file that is generated in its owner's trash, simTrashEvery how many come to the next.
const simTrashed, simTrashEvery = 6, 37

// inTrash says whether file k is generated in the trash.
func (t *simTree) inTrash(u, k int) bool {
	kind, _ := t.plantedIn(u, k)
	return k%simTrashEvery == simTrashed && kind == "" && u < t.users()
}

// get is an item as it is now, nil = there is none. It is not to be changed.
func (t *simTree) get(id string) *simItem {
	it := t.changed[id]
	if it == nil {
		return t.generate(id)
	}
	if it.gone {
		return nil
	}
	return it
}

// generate is an item as it was before anything changed.
func (t *simTree) generate(id string) *simItem {
	kind, u, n, ok := t.parse(id)
	switch files, _, _, folders := t.layout(u); {
	case !ok:
	case kind == simFile && n < files:
		return t.file(u, n)
	case kind == simFolder && n > 0 && n < folders, kind == simWebLink && n < folders && n%3 == 1:
		return t.plain(kind, u, n)
	}
	return nil
}

// edit is an item that may be changed and is held from now on.
func (t *simTree) edit(id string) *simItem {
	it := t.get(id)
	t.changed[id] = it
	return it
}

// file generates a file.
func (t *simTree) file(u, k int) *simItem {
	rnd := sim.NewRand(t.seed, 62, uint64(u), uint64(k))
	owner := t.owners[u].id
	it := &simItem{id: t.id(simFile, u, k), kind: "file", owner: owner, maker: owner, by: owner, parent: t.folder(u, t.folderOf(u, k)),
		made: t.start.Add(-time.Duration(24+rnd.N(20000)) * time.Hour).Truncate(time.Second)}
	it.edited = it.made.Add(time.Duration(rnd.N(24)) * time.Hour)
	kind, decoy := t.plantedIn(u, k)
	doc := sim.Doc{Seed: t.seed, N: rnd.Next(), Planted: kind, Decoy: decoy}
	doc.Kind = sim.DocKindOf(doc.N, kind != "" || decoy)
	if k%20 == 7 && kind == "" && !decoy { // a letterhead that everybody has a copy of
		doc.N, doc.Kind = 1, &sim.DocKinds[5]
	}
	if k%6 == 1 {
		it.etag = 2
	}
	for v := range it.etag + 1 {
		d := doc
		if v < it.etag {
			d = sim.Doc{Seed: t.seed, N: doc.N + uint64(v) + 1, Kind: doc.Kind}
		}
		it.versions = append(it.versions, simVersion{id: t.id(simVer, u, k*16+v), doc: d, by: owner, at: it.edited})
	}
	it.name = sim.Title(rnd, k%17 == 8) + " " + itoa(k) + "." + doc.Kind.Ext
	if t.inTrash(u, k) {
		it.trashed = t.start.Add(-time.Duration(1+rnd.N(20)) * 24 * time.Hour)
	}
	if k%13 == 2 {
		it.class = sim.Pick(rnd, simClasses).name
	}
	if k%7 == 3 {
		it.link = newSimLink(rnd, []string{"open", "company", "collaborators"}[rnd.N(3)])
	}
	return it
}

// folder is the id of folder j of an owner.
func (t *simTree) folder(u, j int) string {
	if j == 0 {
		return simRoot(t.owners[u].id)
	}
	return t.id(simFolder, u, j)
}

// simAbove is the folder that folder j of an owner lies in.
func simAbove(j int) int { return max(0, j-1) / 2 }

// plain generates a folder, or the web link in it.
func (t *simTree) plain(kind, u, j int) *simItem {
	rnd := sim.NewRand(t.seed, 63, uint64(u), uint64(j), uint64(kind))
	owner := t.owners[u].id
	it := &simItem{id: t.id(kind, u, j), kind: "folder", owner: owner, maker: owner, by: owner, parent: t.folder(u, simAbove(j)),
		made: t.start.Add(-time.Duration(21000+rnd.N(5000)) * time.Hour).Truncate(time.Second), name: sim.Title(rnd, j%11 == 6)}
	it.edited = it.made
	switch {
	case kind == simWebLink:
		it.kind, it.parent, it.name = "web_link", t.folder(u, j), it.name+" bookmark"
	case j == 1:
		it.name = "Archive"
	case j == 2:
		it.name = "Shared by " + t.owners[u].name
	default:
		it.name += " " + itoa(j)
		if j%9 == 4 {
			it.link = newSimLink(rnd, sim.Pick(rnd, []string{"open", "company"}))
		}
		if j%10 == 5 {
			it.class = sim.Pick(rnd, simClasses).name
		}
	}
	return it
}
