package box

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

func TestContentOfEveryFileIsReadOnceAsItsOwner(t *testing.T) {
	inLibrary(t, sim.Options{Seed: 7, Users: 30, Files: 600, Events: 5}, "users files content", nil, nil, func(l *library) {
		l.pass(6 * time.Hour)
		sums, downloads := map[string]bool{}, 0
		for id, docs := range l.got["content"] {
			sum, _ := saastest.Lookup(docs[0], "file.hash.sha1").(string)
			sums[sum] = true
			if read := l.read[id]; read != "" && read != sum || len(docs) > 1 {
				t.Errorf("file %s came %d times, with %s of hash %s", id, len(docs), read, sum)
			}
		}
		for key, docs := range l.got["files"] {
			if sum, _ := saastest.Lookup(docs[0], "file.hash.sha1").(string); strings.HasPrefix(key, "file/") && !sums[sum] {
				t.Errorf("%s, of hash %q, was not read", key, sum)
			}
		}
		for path, n := range l.asked {
			if strings.HasSuffix(path, "/content") && path != "/2.0/files/content" { // which is about uploads
				downloads += n
			}
		}
		if downloads != len(sums) || downloads < 300 {
			t.Errorf("%d downloads of %d different contents", downloads, len(sums))
		}
		if s := l.status("content"); s.Off != "" || s.LastError != "" || s.Gaps > 0 {
			t.Errorf("off %q, error %q, %d gaps", s.Off, s.LastError, s.Gaps)
		}
	})
}

func TestEveryRequestForFilesIsAsBoxDescribesIt(t *testing.T) {
	check := simtest.Spec(t, simSpec, simExceptions)
	o := sim.Options{Seed: 7, Users: 30, Files: 300, Events: 300}
	all := "users groups group_members privileges files trash content events"
	described := func(h http.Handler) http.Handler {
		checked := check.Handler(h)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/download/") { // where a redirect leads to
				h.ServeHTTP(w, r)
				return
			}
			checked.ServeHTTP(w, r)
		})
	}
	inWatched(t, o, all, nil, nil, described, func(l *library) {
		l.pass(2 * time.Hour)
		for _, stream := range strings.Fields(all) {
			if s := l.status(stream); s.Off != "" || len(l.got[stream]) == 0 && stream != "events" {
				t.Errorf("%s: off %q, %d came", stream, s.Off, len(l.got[stream]))
			}
		}
	})
	check.Done(t, false)
}

func TestTouchedFileComesWithWhatItsFoldersGive(t *testing.T) {
	inLibrary(t, sim.Options{Seed: 7, Users: 30, Files: 600, Events: 5}, "users files content events", nil, nil, func(l *library) {
		l.pass(3 * time.Hour)
		file, owner, folder := "", "", ""
		for _, docs := range l.got["files"] {
			path, _ := saastest.Lookup(docs[0], "file.path").(string)
			if saastest.Lookup(docs[0], "saas.share.visibility") == "private" && strings.Count(path, "/") > 2 {
				file, _ = saastest.Lookup(docs[0], "saas.file.id").(string)
				owner, _ = saastest.Lookup(docs[0], "saas.file.owner.id").(string)
				folder, _ = saastest.Lookup(docs[0], "saas.container.id").(string)
				if file != "" {
					break
				}
			}
		}
		before := len(l.got["content"][file])
		l.send(change(owner, http.MethodPut, "/folders/"+folder, obj{"shared_link": obj{"access": "open"}}),
			change(owner, http.MethodPut, "/files/"+file, obj{"name": "renamed.txt"}))
		l.pass(2 * time.Minute)
		docs := l.got["content"][file]
		if len(docs) != before+1 {
			t.Fatalf("file %s came %d times after an event, %d before", file, len(docs), before)
		}
		doc := docs[before]
		if saastest.Lookup(doc, "saas.share.visibility") != "public" || saastest.Lookup(doc, "file.name") != "renamed.txt" {
			t.Errorf("it came as %v, shared %v", saastest.Lookup(doc, "file"), saastest.Lookup(doc, "saas.share"))
		}
	})
}

func TestContentOfATrashIsToldAsNotReadUnlessItIsKnown(t *testing.T) {
	inLibrary(t, sim.Options{Seed: 7, Users: 30, Files: 600, Events: 5}, "users trash files content", nil, nil, func(l *library) {
		l.pass(6 * time.Hour)
		n := 0
		for key := range l.got["trash"] {
			id, file := strings.CutPrefix(key, "file/")
			if docs := l.got["content"][id]; file && len(docs) > 0 {
				n++
				why, asked := l.read[id] // not asked: another file of this content was read meanwhile
				if asked && !strings.Contains(why, "trashed") || saastest.Lookup(docs[0], "saas.entity.status") != "trashed" {
					t.Errorf("%s came as %v, with %q", id, saastest.Lookup(docs[0], "saas.entity.status"), l.read[id])
				}
			}
		}
		if n < 5 || n > len(l.got["trash"]) {
			t.Errorf("content of %d files of a trash was asked, there are %d", n, len(l.got["trash"]))
		}
		if s := l.status("content"); s.LastError != "" || s.Gaps > 0 {
			t.Errorf("error %q, %d gaps", s.LastError, s.Gaps)
		}
	})
}

func TestFileThatVanishedIsAGapAndNoMore(t *testing.T) {
	e := &tree{folders: map[string][]string{"0": {row("file", "31", ""), row("file", "32", `,"is_externally_owned":true`)}}}
	inLibrary(t, small, "users files content", nil, e.answer, func(l *library) {
		l.pass(11 * time.Hour)
		gaps := slices.DeleteFunc(slices.Clone(l.gaps), func(s string) bool { return strings.Contains(s, "as this user") })
		if len(gaps) != 1 || !strings.Contains(gaps[0], "part 31 cannot be read: ") || !strings.Contains(gaps[0], "GET /2.0/files/31") {
			t.Errorf("reported %q", gaps)
		}
		if n := l.asked["/2.0/files/31"]; n != 2 || l.asked["/2.0/files/32"] > 0 {
			t.Errorf("asked %d times for one that is gone, once as its owner and once as the agent, %d times for another's", n,
				l.asked["/2.0/files/32"])
		}
	})
}
