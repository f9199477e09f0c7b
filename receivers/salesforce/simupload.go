package salesforce

import (
	"maps"
	"slices"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const simUploads = 1 << 31 // the number in the id of the version that event 0 would upload

// simFileActions are what FileEventStore tells of, as log files have it.
// https://developer.salesforce.com/docs/atlas.en-us.platform_events.meta/platform_events/sforce_api_objects_fileeventstore.htm
var simFileActions = [][2]string{{"UPLOAD", "saveVersion"}, {"UI_DOWNLOAD", "VersionDownloadAction"},
	{"API_DOWNLOAD", "VersionDownloadApi"}, {"PREVIEW", "VersionRenditionDownload"}}

// fileDone is what event i, one about a file, does, and to which file. The first of all is an upload.
func (s *simOrg) fileDone(i int) (action, file int) {
	h := sim.Hash(s.o.Seed, 16, uint64(i))
	if action, file = int(h%4), int(h>>8%uint64(s.files.n)); i < len(simEvents) {
		action = 0
	}
	for range s.files.n { // what holds a value keeps it, and nobody writes to the recycle bin
		if t, decoy := sim.PlantedFile(s.o.Seed, file); action > 0 || t == "" && !decoy && !s.binned(file) {
			return action, file
		}
		file = (file + 1) % s.files.n
	}
	return 1, file
}

// binned says whether file i has been in the recycle bin from the start.
func (s *simOrg) binned(i int) bool {
	t, _ := sim.PlantedFile(s.o.Seed, i)
	return t == "" && i%17 == 9
}

// byFile are the events that upload a version, by the file, oldest first.
func (s *simOrg) byFile() map[int][]int32 {
	out := map[int][]int32{}
	if s.replayed != nil {
		return out
	}
	for _, i := range s.index()["FileEventStore"] {
		if action, file := s.fileDone(int(i)); action == 0 {
			out[file] = append(out[file], i)
		}
	}
	return out
}

// grow adds to a file what events uploaded until a moment.
func (s *simOrg) grow(x *simFile, until time.Time) {
	if !until.After(s.o.Start) {
		return
	}
	kind := s.docOf(x.n, uint64(x.n)).Kind
	for _, i := range s.uploads()[x.n] {
		at := s.feed.At(int(i)).Truncate(time.Second)
		if at.After(until) {
			return
		}
		doc := sim.Doc{Seed: s.o.Seed, N: 1<<41 + uint64(i), Kind: kind}
		x.versions = append(x.versions, simVersion{id: s.id("068", simUploads+int(i)), path: x.title + "." + kind.Ext, by: x.owner, at: at,
			bytes: doc.Bytes})
		x.changed = at
	}
}

// moved are the files made of the seed that are not as they were at the start, with mu held.
func (s *simOrg) moved() []int {
	out := slices.Collect(maps.Keys(s.files.changed))
	if now := s.o.Now(); now.After(s.o.Start) {
		for i, events := range s.uploads() {
			if !s.feed.At(int(events[0])).After(now) {
				out = append(out, i)
			}
		}
	}
	out = slices.DeleteFunc(out, func(i int) bool { return i >= s.files.n })
	slices.Sort(out)
	return slices.Compact(out)
}

// fileEvent is what event i, one about a file, tells of it.
func (s *simOrg) fileEvent(i int) simRow {
	action, file := s.fileDone(i)
	s.mu.RLock()
	x := s.fileAt(file, s.feed.At(i))
	s.mu.RUnlock()
	v := &x.versions[len(x.versions)-1]
	return simRow{"DocumentId": x.id, "VersionId": v.id, "VersionNumber": itoa(len(x.versions)), "FileName": x.title,
		"FileType": simType(v.ext()), "FileAction": simFileActions[action][0], "FileSource": "S", "IsLatestVersion": true,
		"ContentSize": 4096, "CanDownloadPdf": false}
}
