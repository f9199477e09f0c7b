package salesforce

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simFiles are the files of the org. File i is made of the seed whenever it is asked for, until it changes.
type simFiles struct {
	n, legacy int                // made of the seed; attachments and documents
	changed   map[int]*simFile   // by number
	added     int                // files besides
	versions  map[int]int        // of what was added: the file by the number in the version's id
	links     map[string]int     // and in the link's
	bodies    map[string]sim.Doc // of attachments and documents, by id
	gone      map[int]bool       // purged
}

// simFile is a ContentDocument. Who changes it makes a copy.
type simFile struct {
	n             int
	id, title     string
	owner, by     string
	library       string
	made, changed time.Time
	deleted       time.Time // zero = it is not in the recycle bin
	versions      []simVersion
	links         []simRow
}

// simVersion is a ContentVersion.
type simVersion struct {
	id, path, reason string
	by               string
	at               time.Time
	bytes            func() []byte
	more             simRow // fields that are its own
}

// ext is the extension of the version's file.
func (v *simVersion) ext() string {
	if i := strings.LastIndexByte(v.path, '.'); i >= 0 {
		return v.path[i+1:]
	}
	return ""
}

const (
	simFirstID  = 1000 // of documents, versions and links
	simVersions = 4    // places in the ids for the versions of a file made of the seed
	simLinks    = 8
)

// simTypes are FileType by extension.
var simTypes = map[string]string{"txt": "TEXT", "csv": "CSV", "xml": "XML", "html": "HTML", "docx": "WORD_X", "xlsx": "EXCEL_X",
	"pptx": "POWER_POINT_X", "zip": "ZIP", "png": "PNG", "pdf": "PDF", "mp4": "MP4"}

func simType(ext string) string {
	if t := simTypes[ext]; t != "" {
		return t
	}
	return "UNKNOWN"
}

// libraries makes what files are in and hang on, attachments and documents, and public links.
func (s *simOrg) libraries(admin string, old time.Time) {
	f := &s.files
	if f.n = s.o.Files; f.n <= 0 {
		f.n = 40
	}
	f.changed, f.versions, f.links, f.bodies = map[int]*simFile{}, map[int]int{}, map[string]int{}, map[string]sim.Doc{}
	f.gone = map[int]bool{}
	s.put("ContentWorkspace", admin, old, simRow{"Name": "Sales library", "DeveloperName": "Sales", "WorkspaceType": "R"})
	folder := s.put("Folder", admin, old, simRow{"Name": "Templates", "DeveloperName": "Templates", "Type": "Document",
		"AccessType": "Public"})
	f.legacy = min(f.n/5, 100)
	for i := range f.legacy {
		rnd := sim.NewRand(s.o.Seed, 50, uint64(i))
		doc := s.docOf(f.n+i, uint64(f.n+i))
		at := old.Add(time.Duration(rnd.N(600)) * 24 * time.Hour)
		by := sim.Pick(rnd, s.people)
		name := sim.Title(rnd, i == 3)
		row := simRow{"ContentType": doc.Kind.MIME, "BodyLength": func() any { return len(doc.Bytes()) }}
		if i%3 == 0 {
			row["Name"], row["DeveloperName"], row["FolderId"], row["AuthorId"], row["Type"] = name, "Doc_"+itoa(i), folder, by, doc.Kind.Ext
			f.bodies[s.put("Document", by, at, row)] = doc
			continue
		}
		row["Name"], row["ParentId"] = name+"."+doc.Kind.Ext, s.id("001", 1+i)
		f.bodies[s.put("Attachment", by, at, row)] = doc
	}
	for i := range min(f.n, 5000) {
		if x := s.fileAt(i, s.o.Start); i%6 == 1 && x.deleted.IsZero() {
			s.distribute(x, x.owner, old.Add(650*24*time.Hour))
		}
	}
}

// distribute makes a public link.
func (s *simOrg) distribute(x *simFile, by string, at time.Time) string {
	name := string(sim.NewRand(s.o.Seed, 51, uint64(s.made["ContentDistribution"])).Name(nil, 40))
	return s.put("ContentDistribution", by, at, simRow{"Name": x.title, "ContentDocumentId": x.id, "OwnerId": by,
		"ContentVersionId": x.versions[len(x.versions)-1].id, "DistributionPublicUrl": "https://contoso.my.salesforce.com/sfc/p/" + name,
		"ContentDownloadUrl": "https://contoso.my.salesforce.com/sfc/dist/version/download/" + name, "PreferencesAllowViewInBrowser": true,
		"PreferencesLinkLatestVersion": true, "PreferencesAllowOriginalDownload": true, "PreferencesPasswordRequired": x.n%12 == 1})
}

// docOf is content number n, with what the file i is to hold.
func (s *simOrg) docOf(i int, n uint64) sim.Doc {
	t, decoy := sim.PlantedFile(s.o.Seed, i)
	return sim.Doc{Seed: s.o.Seed, N: n, Kind: sim.DocKindOf(sim.Hash(s.o.Seed, 52, n), t != "" || decoy), Planted: t, Decoy: decoy}
}

// planted counts the files that hold a value.
func (f *simFiles) planted(s *simOrg) map[string]int {
	return sim.CountPlantedFiles(s.o.Seed, f.n+f.legacy, func(int) bool { return true })
}

// file is file i as it is now; nil = there is none. It must not be changed.
func (s *simOrg) file(i int) *simFile {
	f := &s.files
	if x := f.changed[i]; x != nil || i < 0 || i >= f.n || f.gone[i] {
		if f.gone[i] {
			return nil
		}
		return x
	}
	return s.fileAt(i, s.o.Now())
}

// fileAt is file i of those made of the seed as it was at a time, when nobody but events had changed it.
func (s *simOrg) fileAt(i int, when time.Time) *simFile {
	rnd := sim.NewRand(s.o.Seed, 53, uint64(i))
	at := s.o.Start.Add(-time.Duration(1+rnd.N(500*24)) * time.Hour).Truncate(time.Second)
	x := &simFile{n: i, id: s.id("069", simFirstID+i), title: sim.Title(rnd, i%23 == 4), owner: sim.Pick(rnd, s.people), made: at, changed: at}
	x.by = x.owner
	count := 1
	if i%5 == 2 {
		count = 2
	}
	for v := range count {
		doc := s.docOf(i, uint64(i))
		if v < count-1 { // what was in it before has nothing to find
			doc = sim.Doc{Seed: s.o.Seed, N: 1<<40 + uint64(i), Kind: doc.Kind}
		}
		x.versions = append(x.versions, simVersion{id: s.id("068", simFirstID+i*simVersions+v), path: x.title + "." + doc.Kind.Ext, by: x.owner,
			at: at.Add(time.Duration(v) * time.Minute), bytes: doc.Bytes})
		x.changed = at.Add(time.Duration(v) * time.Minute)
	}
	if last := &x.versions[count-1]; i%3 == 1 {
		last.more = simRow{"Description": "The plan of " + x.title, "TagCsv": "plan,draft"}
	}
	s.share(x, rnd)
	s.grow(x, when)
	if s.binned(i) {
		x.deleted = s.o.Start.Add(-time.Duration(1+rnd.N(200)) * time.Hour).Truncate(time.Second)
		x.changed = x.deleted
	}
	return x
}

// share makes the links of a file that is made of the seed: with its owner, and with some of a colleague, everyone, a Chatter group,
// a library or a record.
func (s *simOrg) share(x *simFile, rnd *sim.Rand) {
	link := func(to, kind, seen string) {
		x.links = append(x.links, simRow{"Id": s.id("06A", simFirstID+x.n*simLinks+len(x.links)), "ContentDocumentId": x.id, "LinkedEntityId": to,
			"ShareType": kind, "Visibility": seen, "SystemModstamp": x.made})
	}
	link(x.owner, "I", "AllUsers")
	switch x.n % 7 {
	case 1:
		if to := sim.Pick(rnd, s.people); to != x.owner {
			link(to, "C", "AllUsers")
		}
	case 2:
		link(s.org, "V", "InternalUsers")
	case 3:
		link(s.rows["CollaborationGroup"][0], "V", "AllUsers")
	case 4:
		x.library = s.rows["ContentWorkspace"][0]
		link(x.library, "I", "AllUsers")
	case 5:
		link(s.id("001", 1+x.n%9), "I", "AllUsers") // a record that customers may see
	case 6:
		link(s.id("500", 1+x.n%9), "V", "SharedUsers")
	}
}

// edit changes a file, with mu held.
func (s *simOrg) edit(i int, by string, f func(x *simFile)) {
	x := *s.file(i)
	x.versions, x.links = slices.Clone(x.versions), slices.Clone(x.links)
	f(&x)
	x.by, x.changed = by, s.o.Now()
	s.files.changed[i] = &x
}

func (s *simOrg) fileRow(x *simFile) simRow {
	last := &x.versions[len(x.versions)-1]
	row := simRow{"Id": x.id, "Title": x.title, "OwnerId": x.owner, "CreatedById": x.versions[0].by, "CreatedDate": x.made,
		"LastModifiedById": x.by, "LastModifiedDate": x.changed, "SystemModstamp": x.changed, "LatestPublishedVersionId": last.id,
		"FileExtension": last.ext(), "FileType": simType(last.ext()), "ContentSize": func() any { return len(last.bytes()) },
		"ContentModifiedDate": last.at, "PublishStatus": "P", "SharingOption": "A", "SharingPrivacy": "N", "IsDeleted": !x.deleted.IsZero()}
	if x.library != "" {
		row["ParentId"], row["PublishStatus"] = x.library, "R"
	}
	return row
}

func (s *simOrg) versionRow(x *simFile, i int) simRow {
	v := &x.versions[i]
	row := simRow{"Id": v.id, "ContentDocumentId": x.id, "Title": x.title, "PathOnClient": v.path, "FileExtension": v.ext(),
		"FileType": simType(v.ext()), "OwnerId": x.owner, "CreatedById": v.by, "CreatedDate": v.at, "LastModifiedById": v.by,
		"LastModifiedDate": v.at, "ContentModifiedById": v.by, "ContentModifiedDate": v.at, "VersionNumber": itoa(i + 1),
		"IsLatest": i == len(x.versions)-1, "IsMajorVersion": true, "PublishStatus": "P", "SharingOption": "A", "SharingPrivacy": "N",
		"Origin": "H", "ContentLocation": "S", "FirstPublishLocationId": x.owner, "IsDeleted": !x.deleted.IsZero(),
		"VersionDataUrl": "https://contoso.file.force.com/sfc/servlet.shepherd/version/download/" + v.id, "SystemModstamp": v.at,
		"ContentSize": func() any { return len(v.bytes()) }, "Checksum": func() any {
			sum := md5.Sum(v.bytes())
			return hex.EncodeToString(sum[:])
		}}
	maps.Copy(row, v.more)
	if v.reason != "" {
		row["ReasonForChange"] = v.reason
	}
	if !x.deleted.IsZero() {
		row["SystemModstamp"] = x.deleted
	}
	return row
}

// eachFile calls f for the files that a condition may be about, until it returns false: those made of the seed in their order, then
// what was added.
func (s *simOrg) eachFile(c *simCall, lo, hi int64, since time.Time, f func(x *simFile) bool) {
	all := c == nil || s.may(c.user, "QueryAllFiles")
	show := func(i int) bool {
		s.mu.RLock()
		x := s.file(i)
		s.mu.RUnlock()
		return x == nil || !all && x.owner != c.user || f(x)
	}
	s.mu.RLock()
	moved, added := s.moved(), s.files.n+s.files.added
	s.mu.RUnlock()
	first, last := int(max(lo, 0)), int(min(hi, int64(s.files.n-1)))
	if since.After(s.o.Start) { // what is made of the seed is older
		first = last + 1
	}
	for _, i := range moved { // the ids of their versions are of no range
		if (i < first || i > last) && !show(i) {
			return
		}
	}
	for i := first; i <= last; i++ {
		if !show(i) {
			return
		}
	}
	for i := s.files.n; i < added; i++ {
		if !show(i) {
			return
		}
	}
}

// numbers are the first and the last file that a condition on an id is about, where each file has so many ids.
func (s *simOrg) numbers(where *simCond, field string, each int) (lo, hi int64) {
	lo, hi = where.bounds(field, func(v simValue) int64 {
		id, _ := v.(string)
		return int64(simNumber(id)-simFirstID) / int64(each)
	})
	return min(lo, int64(s.files.n)), hi
}

// fileTables are ContentVersion, ContentDocument and ContentDocumentLink.
func (s *simOrg) fileTables() (versions, documents, links simTable) {
	since := func(where *simCond) time.Time {
		from, _ := where.span("SystemModstamp")
		return from
	}
	row := func(find func(x *simFile, n int) simRow, number func(n int) int) func(simRow, int) simRow {
		return func(_ simRow, n int) simRow {
			s.mu.RLock()
			defer s.mu.RUnlock()
			if x := s.file(number(n)); x != nil {
				return find(x, n)
			}
			return nil
		}
	}
	versions.scan = func(c *simCall, where *simCond, each func(simRef) bool) { s.scanVersions(c, where, since(where), each) }
	versions.row = row(func(x *simFile, n int) simRow {
		for i := range x.versions {
			if simNumber(x.versions[i].id) == n {
				return s.versionRow(x, i)
			}
		}
		return nil
	}, s.versionFile)
	documents.scan = func(c *simCall, where *simCond, each func(simRef) bool) {
		lo, hi := s.numbers(where, "Id", 1)
		s.eachFile(c, lo, hi, since(where), func(x *simFile) bool { return each(simRef{row: s.fileRow(x)}) })
	}
	documents.row = row(func(x *simFile, _ int) simRow { return s.fileRow(x) }, func(n int) int { return n - simFirstID })
	links.scan = func(c *simCall, where *simCond, each func(simRef) bool) {
		lo, hi := s.numbers(where, "ContentDocumentId", 1)
		s.eachFile(c, lo, hi, since(where), func(x *simFile) bool {
			for _, l := range x.links {
				l = maps.Clone(l)
				l["IsDeleted"] = !x.deleted.IsZero()
				each(simRef{row: l})
			}
			return true
		})
	}
	versions.ordered, documents.ordered = true, true
	return versions, documents, links
}

// scanVersions is the scan of ContentVersion.
func (s *simOrg) scanVersions(c *simCall, where *simCond, since time.Time, each func(simRef) bool) {
	lo, hi := s.numbers(where, "Id", simVersions)
	l, h := s.numbers(where, "ContentDocumentId", 1)
	var later []simRef // versions added to files made of the seed: their ids are the last
	more, added := true, s.addedFrom()
	s.eachFile(c, max(lo, l), min(hi, h), since, func(x *simFile) bool {
		for i := range x.versions {
			if r := (simRef{row: s.versionRow(x, i)}); simNumber(x.versions[i].id) >= added {
				later = append(later, r)
			} else if more = each(r); !more {
				return false
			}
		}
		return true
	})
	slices.SortFunc(later, func(a, b simRef) int { return strings.Compare(a.row["Id"].(string), b.row["Id"].(string)) })
	for i := 0; more && i < len(later); i++ {
		more = each(later[i])
	}
}

// addedFrom is the first number of versions and links that were added.
func (s *simOrg) addedFrom() int { return simFirstID + s.files.n*simLinks + 1000 }

// versionFile is the file that has the version of a number.
func (s *simOrg) versionFile(n int) int {
	if i := n - simUploads; i >= 0 && i < s.feed.Len() && s.replayed == nil {
		_, file := s.fileDone(i)
		return file
	}
	if i, ok := s.files.versions[n]; ok {
		return i
	}
	return (n - simFirstID) / simVersions
}
