package box

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// library is a fake enterprise whose files a real receiver reads, in a bubble of virtual time.
type library struct {
	*testing.T
	net simtest.Net
	sim *sim.Sim

	mu    sync.Mutex
	got   map[string]map[string][]map[string]any // documents by stream and key
	gaps  []string
	asked map[string]int    // requests by path
	read  map[string]string // the hash of what was read of a file, or why it could not be
}

// answer may answer in place of the fake.
type answer func(w http.ResponseWriter, r *http.Request) (done bool)

// inLibrary runs f while the streams are read; keys are added to the configuration.
func inLibrary(t *testing.T, o sim.Options, streams string, keys map[string]any, odd answer, f func(l *library)) {
	t.Helper()
	inWatched(t, o, streams, keys, odd, func(h http.Handler) http.Handler { return h }, f)
}

// inWatched is inLibrary where somebody watches what the fake is asked.
func inWatched(t *testing.T, o sim.Options, streams string, keys map[string]any, odd answer, watch func(http.Handler) http.Handler,
	f func(l *library)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &library{T: t, got: map[string]map[string][]map[string]any{}, asked: map[string]int{},
			read: map[string]string{}}
		if on := strings.Fields(streams); slices.Contains(on, "content") {
			defer saas.RegisterJudge("set")()
		}
		o.Now = time.Now
		var err error
		if l.sim, err = newSim(o); err != nil {
			t.Fatal(err)
		}
		fake := watch(l.sim.Handler)
		base, stop := l.net.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.mu.Lock()
			l.asked[r.URL.Path]++
			l.mu.Unlock()
			if odd == nil || !odd(w, r) {
				fake.ServeHTTP(w, r)
			}
		}))
		defer stop()
		on := map[string]any{}
		for _, name := range append([]string{"content"}, simStreams...) {
			on[name] = map[string]any{"enabled": slices.Contains(strings.Fields(streams), name)}
		}
		recv := saastest.Start(t, Provider, "sales", &l.net, l, map[string]any{"quota_share": 1, "report_interval": 0, "streams": on},
			l.sim.Config(base), keys)
		defer saastest.End(t, recv)
		l.mu.Lock() // but while time passes
		defer l.mu.Unlock()
		f(l)
	})
}

// Capabilities and ConsumeLogs make the library the next component.
func (l *library) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (l *library) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	for w := range event.Views(logs) {
		if err := l.judge(w); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range event.Views(logs) {
		if strings.HasPrefix(w.Str("event.id"), "content/") {
			l.note("content", w.Str("entity.id"), w)
		}
		if w.Str("event.action") == "gap" {
			l.gaps = append(l.gaps, w.Str("event.reason"))
		}
		walk := w.Str("saas.inventory.run_id")
		if walk == "" || w.Str("entity.id") == "" {
			continue
		}
		stream, _, _ := strings.Cut(walk[:strings.LastIndexByte(walk, '#')], "/")
		key := w.Str("entity.sub_type") + "/" + w.Str("entity.id")
		if w.Log.EventName() == "entity.delete" {
			key = "gone/" + w.Str("entity.id")
		}
		l.note(stream, key, w)
	}
	return nil
}

func (l *library) note(stream, key string, w event.View) {
	if l.got[stream] == nil {
		l.got[stream] = map[string][]map[string]any{}
	}
	l.got[stream][key] = append(l.got[stream][key], w.Map())
}

// judge reads what a record asks to be read, as a processor would.
func (l *library) judge(w event.View) error {
	f := saas.Find("box", "sales").File(w.Str("event.id"))
	if f == nil || f.Verdict("set") != nil {
		return nil
	}
	verdict, final := "", true
	in, err := f.Open(l.Context())
	if err == nil {
		sum := sha1.New()
		if _, err = io.Copy(sum, in); err == nil {
			verdict = hex.EncodeToString(sum.Sum(nil))
		}
		_ = in.Close()
	}
	if hard(err) {
		return err
	}
	if err != nil {
		verdict, final = err.Error(), false
	}
	f.Judge("set", saas.Quote(verdict), final)
	l.mu.Lock()
	l.read[w.Str("entity.id")] = verdict
	l.mu.Unlock()
	return nil
}

func (l *library) pass(d time.Duration) {
	l.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	l.mu.Lock()
}

// send changes something, as a user.
func (l *library) send(qs ...saas.Req) {
	l.Helper()
	l.mu.Unlock()
	err := saas.Send(l.Context(), saas.Find("box", "sales").Conn(), qs)
	if l.mu.Lock(); err != nil {
		l.Fatal(err)
	}
}

func (l *library) status(stream string) saas.StreamStatus {
	l.Helper()
	all := saas.Find("box", "sales").Status().Streams
	i := slices.IndexFunc(all, func(s saas.StreamStatus) bool { return s.Name == stream })
	if i < 0 {
		l.Fatalf("there is no stream %s", stream)
	}
	return all[i]
}

// keys are what came of a stream, each as the fake names it; what came more than once is an error.
func (l *library) keys(stream string) (keys []string) {
	for key, docs := range l.got[stream] {
		kind, id, _ := strings.Cut(key, "/")
		key = kind + "/" + id[strings.LastIndexByte(id, '/')+1:]
		keys = append(keys, key)
		if len(docs) > 1 {
			l.Errorf("%s: %s came %d times", stream, key, len(docs))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys) // what belongs to somebody outside comes once for each who sees it
}

func (l *library) published(stream string) (keys []string) {
	l.sim.Published(stream, func(key string) bool { keys = append(keys, key); return true })
	slices.Sort(keys)
	return keys
}

func TestWalkFindsEverythingOnceAndTellsOfWhoCannotBeActedFor(t *testing.T) {
	o := sim.Options{Seed: 7, Users: 40, Files: 2000, Events: 5}
	inLibrary(t, o, "users files trash", nil, nil, func(l *library) {
		l.pass(20 * time.Hour)
		for _, stream := range []string{"files", "trash"} {
			if got, want := l.keys(stream), l.published(stream); !slices.Equal(got, want) || len(want) < 20 {
				t.Errorf("%s: %d came, %d are published", stream, len(got), len(want))
			}
			if s := l.status(stream); s.LastError != "" || s.Off != "" || s.SetAside > 0 || !s.Complete {
				t.Errorf("%s: error %q, off %q, %d set aside, complete %v", stream, s.LastError, s.Off, s.SetAside, s.Complete)
			}
		}
		inactive := 0
		for _, docs := range l.got["users"] {
			if saastest.Lookup(docs[0], "saas.entity.status") == "suspended" {
				inactive++
			}
		}
		if len(l.gaps) != inactive || inactive == 0 || !strings.Contains(l.gaps[0], "nothing can be read as this user: ") {
			t.Errorf("%d users are inactive and %d gaps reported: %q", inactive, len(l.gaps), l.gaps)
		}
		if n := l.sim.Seen.Count("", "", http.StatusTooManyRequests); n > 0 {
			t.Errorf("%d requests above the limit", n)
		}
		shares := 0
		for path, n := range l.asked {
			if strings.HasSuffix(path, "/collaborations") {
				shares++
				if n > 2 { // walks
					t.Errorf("%s asked %d times", path, n)
				}
			}
		}
		if shares == 0 || shares > len(l.published("files"))/4 {
			t.Errorf("collaborators of %d items asked", shares)
		}
	})
}

// tree answers for a user whose folders hold what is said here, in pages: all that he has.
type tree struct {
	user    string // the first who asks
	mu      sync.Mutex
	folders map[string][]string // rows of a folder, as its owner sees them
	page    int                 // rows of a page; 0 = 1000
	wait    time.Duration       // for each page
	reads   map[string]int      // by folder and marker
	faults  map[string]int      // statuses, by folder
	markers map[string]string   // the only next marker of a folder
}

func row(kind, id, more string) string {
	return fmt.Sprintf(`{"type":%q,"id":%q,"name":"n%s","sha1":"AA","owned_by":{"type":"user","id":"USER","login":"me@contoso.example"},`+
		`"item_status":"active"%s}`, kind, id, id, more)
}

func (e *tree) answer(w http.ResponseWriter, r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/2.0/folders/") && strings.HasSuffix(r.URL.Path, "/collaborations") {
		sim.WriteJSON(w, http.StatusOK, json.RawMessage(`{"entries":[{"type":"collaboration","id":"1","role":"viewer","status":"accepted",`+
			`"accessible_by":{"type":"user","id":"5","login":"Olu@Agency.example"}},{"type":"collaboration","id":"2","role":"editor",`+
			`"status":"pending","accessible_by":null,"invite_email":"new@contoso.example"},{"type":"collaboration","id":"3","role":"co-owner",`+
			`"status":"rejected","accessible_by":{"type":"user","id":"6","login":"no@agency.example"}}],"next_marker":null}`))
		return true
	}
	folder, items := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/2.0/folders/"), "/items")
	if !items || folder == "trash" {
		return false
	}
	time.Sleep(e.wait) // holding nothing: who waits for a lock stops the clock
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.user == "" {
		e.user, e.reads = r.Header.Get("As-User"), map[string]int{}
	}
	if r.Header.Get("As-User") != e.user {
		sim.WriteJSON(w, http.StatusOK, obj{"entries": []any{}})
		return true
	}
	marker := r.URL.Query().Get("marker")
	e.reads[folder+"@"+marker]++
	if status := e.faults[folder]; status != 0 {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"type":"error","code":"odd"}`))
		return true
	}
	from, _ := strconv.Atoi(strings.TrimPrefix(marker, "m"))
	size := e.page
	if size == 0 {
		size = 1000
	}
	page, next := sim.Slice(e.folders[folder], from, size)
	out := obj{"entries": []any{}, "next_marker": ""}
	if next > 0 {
		out["next_marker"] = "m" + itoa(next)
	}
	if m := e.markers[folder]; m != "" {
		out["next_marker"] = m
	}
	rows := []json.RawMessage{}
	for _, s := range page {
		rows = append(rows, json.RawMessage(strings.ReplaceAll(s, "USER", e.user)))
	}
	out["entries"] = rows
	sim.WriteJSON(w, http.StatusOK, out)
	return true
}

var small = sim.Options{Seed: 7, Users: 1, Files: 30, Events: 5, Limits: -1}

func TestWalkGoesOnWhereItWasCut(t *testing.T) {
	e := &tree{page: 10, wait: 90 * time.Millisecond, folders: map[string][]string{}}
	n := 100
	var fill func(folder string, deep int)
	fill = func(folder string, deep int) {
		for i := range 7 {
			n++
			e.folders[folder] = append(e.folders[folder], row("file", itoa(n), ""))
			if n++; deep > 0 && i%2 == 0 {
				e.folders[folder] = append(e.folders[folder], row("folder", itoa(n), ""))
				fill(itoa(n), deep-1)
			}
		}
	}
	fill("0", 3)
	want, pages := 0, 0
	for _, rows := range e.folders {
		want += len(rows)
		pages += (len(rows) + 9) / 10
	}
	inLibrary(t, small, "users files", map[string]any{"run_timeout": "1s"}, e.answer, func(l *library) {
		l.pass(5 * time.Minute)
		if got := len(l.keys("files")); got != want {
			t.Errorf("%d items came, there are %d", got, want)
		}
		if s := l.status("files"); !s.Complete || s.LastError != "" {
			t.Errorf("complete %v, error %q", s.Complete, s.LastError)
		}
		total, most := 0, 0
		for _, reads := range e.reads {
			total, most = total+reads, max(most, reads)
		}
		if total <= pages || total > 3*pages {
			t.Errorf("%d pages were read %d times, one %d times, by readings of a second", pages, total, most)
		}
	})
}

func TestWalkWhoseMarkerIsRefusedLaterBeginsAnew(t *testing.T) {
	e := &tree{page: 2, wait: 300 * time.Millisecond, folders: map[string][]string{}}
	for i := range 20 {
		e.folders["0"] = append(e.folders["0"], row("file", itoa(i), ""))
	}
	asked, refused := 0, 0
	odd := func(w http.ResponseWriter, r *http.Request) bool {
		e.mu.Lock()
		stale := r.URL.Query().Get("marker") != "" && r.Header.Get("As-User") == e.user
		if stale {
			asked++
		}
		stale = stale && asked == 4 // the first request of the second reading
		if stale {
			refused++
		}
		e.mu.Unlock()
		if stale {
			sim.WriteJSON(w, http.StatusBadRequest, obj{"type": "error", "code": "bad_request"})
			return true
		}
		return e.answer(w, r)
	}
	inLibrary(t, small, "users files", map[string]any{"run_timeout": "1s"}, odd, func(l *library) {
		l.pass(5 * time.Minute)
		if s := l.status("files"); len(l.keys("files")) != 20 || !s.Complete || refused != 1 {
			t.Errorf("%d of 20 files came, complete %v, refused %d times", len(l.keys("files")), s.Complete, refused)
		}
		if gaps := slices.DeleteFunc(l.gaps, func(s string) bool { return strings.Contains(s, "as this user") }); len(gaps) > 0 {
			t.Errorf("reported %q", gaps)
		}
	})
}

func TestMarkOfAWalkDoesNotGrowWithItsFolders(t *testing.T) {
	d := &dir{ID: "1234567890123", place: place{Marker: strings.Repeat("m", 90),
		Way: saas.Circle{At: 1<<64 - 1, Gone: 99, Span: 199}}, next: "n"}
	for i := range 100_000 {
		d.subs = append(d.subs, sub{id: itoa(i), share: share{Recipients: []string{"a@b.example"}}})
	}
	tr := trail{Path: slices.Repeat([]*dir{d}, maxDeep)}
	b, err := json.Marshal(&tr)
	if err != nil || len(b) > maxDeep*300 {
		t.Errorf("the deepest path is saved in %d bytes, %v", len(b), err)
	}
}

func TestWalkGoesOnBesideWhatCannotBeRead(t *testing.T) {
	f := func(change func(e *tree), gap string, complete bool, want ...string) {
		t.Helper()
		e := &tree{page: 3, faults: map[string]int{}, markers: map[string]string{}, folders: map[string][]string{
			"0": {row("folder", "1", ""), row("folder", "2", ""), row("file", "9", ""), row("file", "10", "")},
			"1": {row("folder", "3", ""), row("file", "11", "")}, "2": {row("file", "12", "")}, "3": {row("file", "13", "")}}}
		change(e)
		inLibrary(t, small, "users files", nil, e.answer, func(l *library) {
			l.pass(30 * time.Hour)
			got := []string{}
			for key := range l.got["files"] {
				if _, id, file := strings.Cut(key, "file/"); file {
					got = append(got, id)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%q: files %v came, want %v", gap, got, want)
			}
			reasons := slices.DeleteFunc(slices.Clone(l.gaps), func(s string) bool { return strings.Contains(s, "as this user") })
			if gap == "" && len(reasons) > 0 || gap != "" && (len(reasons) != 1 || !strings.Contains(reasons[0], gap)) {
				t.Errorf("reported %q, want once %q", reasons, gap)
			}
			if s := l.status("files"); s.Complete != complete || s.Off != "" {
				t.Errorf("%q: complete %v, off %q", gap, s.Complete, s.Off)
			}
		})
	}
	f(func(*tree) {}, "", true, "9", "10", "11", "12", "13")
	f(func(e *tree) { e.folders["3"] = append(e.folders["3"], row("folder", "1", "")) }, "folder 1 lies in itself", true,
		"9", "10", "11", "12", "13")
	f(func(e *tree) { e.markers["1"] = "again" },
		`folder 1: invalid (the marker "again" came before in this listing`, false, "9", "10", "11", "12", "13")
	f(func(e *tree) { e.faults["1"] = http.StatusForbidden },
		"folder 1: GET /2.0/folders/1/items: denied: http 403 odd", false, "9", "10", "12")
	f(func(e *tree) { e.faults["3"] = http.StatusBadRequest }, "folder 3: GET /2.0/folders/3/items: invalid: http 400 odd", false,
		"9", "10", "11", "12")
	f(func(e *tree) { e.faults["1"] = http.StatusNotFound }, "", true, "9", "10", "12") // it went
	f(func(e *tree) {                                                                   // one is set aside
		e.folders["2"] = append(e.folders["2"], `{"type":"file","id":"66","is_externally_owned":"maybe"}`)
	}, "", true, "9", "10", "11", "12", "13")
	f(func(e *tree) {
		for i := range 300 {
			e.folders["f"+itoa(i)] = []string{row("folder", "f"+itoa(i+1), "")}
		}
		e.folders["2"] = append(e.folders["2"], row("folder", "f0", ""))
	}, "folder f198 lies in more than 200 others", false, "9", "10", "11", "12", "13")
}

func TestSharesOfFoldersAreThoseOfTheirFiles(t *testing.T) {
	link := func(access string) string {
		return `,"shared_link":{"url":"u","access":"open","effective_access":"` + access + `","effective_permission":"can_edit"}`
	}
	e := &tree{folders: map[string][]string{
		"0": {row("folder", "1", `,"has_collaborations":true`), row("folder", "2", link("open")), row("folder", "3", link("collaborators")),
			row("file", "20", link("company")), row("file", "21", ""), row("folder", "8", `,"is_externally_owned":true`),
			strings.ReplaceAll(row("folder", "9", `,"is_externally_owned":false`), "USER", "4711")},
		"1": {row("folder", "4", link("company")), row("file", "22", "")}, "4": {row("file", "23", "")}, "2": {row("file", "24", "")},
		"3": {row("file", "25", "")}, "8": {row("file", "26", "")}, "9": {row("file", "27", "")}}}
	inLibrary(t, small, "users files", nil, e.answer, func(l *library) {
		l.pass(time.Minute)
		f := func(key, want string) {
			t.Helper()
			docs := l.got["files"][key]
			if len(docs) != 1 {
				t.Errorf("%s came %d times", key, len(docs))
				return
			}
			s := saastest.Lookup(docs[0], "saas.share")
			m, _ := s.(map[string]any)
			got := fmt.Sprint(m["visibility"], " ", m["role"], " ", m["recipients"], " ", m["external_domains"])
			if got != want {
				t.Errorf("%s is shared %q, want %q", key, got, want)
			}
		}
		const guests = "[Olu@Agency.example new@contoso.example] [agency.example]"
		f("folder/1", "private editor "+guests)
		f("file/22", "private editor "+guests)
		f("folder/4", "org editor "+guests)
		f("file/23", "org editor "+guests)
		f("file/24", "public editor <nil> <nil>")
		f("file/25", "private <nil> <nil> <nil>")
		f("file/20", "org editor <nil> <nil>")
		f("file/21", "private <nil> <nil> <nil>")
		f("folder/"+e.user+"/8", "<nil> <nil> <nil> <nil>")
		for _, not := range []string{"file/26", "file/27", "folder/9"} {
			if len(l.got["files"][not]) > 0 {
				t.Errorf("%s of somebody else came", not)
			}
		}
		if n := e.reads["8@"] + e.reads["9@"]; n > 0 {
			t.Errorf("folders of others were read %d times", n)
		}
	})
}

func TestFilesOfAUserWhoWasDeactivatedStay(t *testing.T) {
	var mu sync.Mutex
	refuse := ""
	odd := func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if refuse == "" || r.Header.Get("As-User") != refuse {
			return false
		}
		sim.WriteJSON(w, http.StatusForbidden, obj{"type": "error", "status": 403, "code": simDenied})
		return true
	}
	inLibrary(t, sim.Options{Seed: 7, Users: 26, Files: 600, Events: 5}, "users files", nil, odd, func(l *library) {
		l.pass(time.Hour)
		n, gaps := len(l.keys("files")), len(l.gaps)
		for _, docs := range l.got["files"] {
			if id, _ := saastest.Lookup(docs[0], "saas.file.owner.id").(string); id != simPartner.id {
				mu.Lock()
				refuse = id
				mu.Unlock()
				break
			}
		}
		l.pass(30 * time.Hour)
		if len(l.gaps) != gaps+1 || !strings.Contains(l.gaps[gaps], "user "+refuse+": nothing can be read as this user") {
			t.Errorf("reported %q", l.gaps[gaps:])
		}
		if again := len(l.keys("files")); again != n {
			t.Errorf("%d items were there, now %d", n, again)
		}
		for key := range l.got["files"] {
			if strings.HasPrefix(key, "gone/") {
				t.Fatalf("%s: the files of a user who cannot be acted for are not gone", key)
			}
		}
	})
}
