package infile

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/dlp/label"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	site   = "cb46c030-1825-4e81-a295-151c039dbf02"
	secret = "2096f6a2-d2f7-48be-b329-b73aaa526e5d"
	public = "87867195-f2b8-4ac2-b0b6-6bb73cb33afc"
	said   = "the numbers of the quarter" // what no plan and no error may hold
)

var day = time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC)

// document is a file of Word.
func document(t testing.TB, more ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [...][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ` +
			`ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>` +
			`</Relationships>`},
		{"word/document.xml", "<d>" + said + strings.Join(more, "") + "</d>"},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: part[0], Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(w, part[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// store is a vendor with one file, of many versions.
type store struct {
	versions []string
	size     int64 // that is told instead, if it is not 0
	lose     error // of the next write, which has happened
	before   func()
	opened   int
	taken    int // bytes that were read
}

func (s *store) find(context.Context, *saas.Conn, saas.Target) (File, error) {
	return &stored{s, len(s.versions) - 1}, nil
}

func (s *store) now() string { return s.versions[len(s.versions)-1] }

// stored is the file as it was when it was found.
type stored struct {
	*store
	n int
}

func (f *stored) Version() Version {
	v := Version{Name: "file 1", ID: fmt.Sprint(f.n), Sum: sum(f.versions[f.n])[:8], Size: int64(len(f.versions[f.n]))}
	if f.size != 0 {
		v.Size = f.size
	}
	return v
}

func (f *stored) Open(context.Context) (io.ReadCloser, error) {
	f.opened++
	return io.NopCloser(&counted{strings.NewReader(f.versions[f.n]), f.store}), nil
}

type counted struct {
	io.Reader
	s *store
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.s.taken += n
	return n, err
}

func (f *stored) Write(_ context.Context, content string) (Version, error) {
	if f.before != nil {
		f.before()
		f.before = nil
	}
	if f.n != len(f.versions)-1 {
		return Version{}, &saas.Error{Outcome: saas.Invalid, Status: http.StatusPreconditionFailed}
	}
	f.versions = append(f.versions, content)
	err := f.lose
	f.lose = nil
	return (&stored{f.store, f.n + 1}).Version(), err
}

func (f *stored) Back(_ context.Context, to Version) error {
	for n := range f.versions {
		if fmt.Sprint(n) == to.ID {
			f.versions = append(f.versions, f.versions[n])
			return nil
		}
	}
	return errors.New("no such version")
}

// act is the action on a store, with a target that wants a label.
func act(s *store, want string) (saas.Action, saas.Target) {
	return New(site, map[string]string{"Secret": "{" + strings.ToUpper(secret) + "}"}).Action([]string{"write"}, "", s.find),
		saas.Target{ID: "1", Params: map[string]string{"label": want}}
}

func do(t *testing.T, f func(context.Context, *saas.Conn, *saas.Plan) error, p *saas.Plan) {
	t.Helper()
	if err := f(t.Context(), nil, p); err != nil {
		t.Fatal(err)
	}
}

func plans(t *testing.T, a saas.Action, target saas.Target) *saas.Plan {
	t.Helper()
	p, err := a.Plan(t.Context(), nil, target)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func labels(t *testing.T, content string) (out []string) {
	t.Helper()
	found, err := label.Read(strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range found.InForce() {
		out = append(out, l.ID+" "+l.Name+" "+l.Method)
	}
	return out
}

func TestALabelIsPutInOnceAndTakenBack(t *testing.T) {
	before := document(t)
	s := &store{versions: []string{before}}
	a, target := act(s, "Secret")
	p := plans(t, a, target)
	if len(s.versions) != 1 || a.Verb != action.ApplyLabel {
		t.Errorf("a plan wrote something, or is one of %s", a.Verb)
	}
	for range 2 {
		do(t, a.Do, p)
	}
	if got := labels(t, s.now()); len(s.versions) != 2 || !slices.Equal(got, []string{secret + " Secret Standard"}) {
		t.Errorf("%d versions, labels %v", len(s.versions), got)
	}
	if is, err := a.Done(t.Context(), nil, p); !is || err != nil {
		t.Errorf("it is done, and looked at it is %t, %v", is, err)
	}
	if _, err := a.Plan(t.Context(), nil, target); !saas.Is(err, saas.Already) || len(s.versions) != 2 {
		t.Errorf("planned again: %v", err)
	}
	if kept, _ := json.Marshal(p); strings.Contains(string(kept), said) || !strings.Contains(string(kept), "custom.xml (added)") {
		t.Errorf("the plan keeps %s", kept)
	}
	for range 2 {
		do(t, a.Undo, p)
	}
	if s.now() != before || len(s.versions) != 3 {
		t.Errorf("taken back, %d versions, %d bytes of %d", len(s.versions), len(s.now()), len(before))
	}
	if is, err := a.Done(t.Context(), nil, p); is || err != nil {
		t.Errorf("it was taken back, and looked at it is %t, %v", is, err)
	}
}

func TestAnotherLabelIsReplacedAndTheSameIsLeft(t *testing.T) {
	l := New(site, nil)
	with := func(id, site, method string) string {
		in := strings.NewReader(document(t))
		e, err := label.Set(in, in.Size(), label.Change{ID: id, Site: site, Name: "x", Method: method, At: day})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := e.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	f := func(content, want string, left int) {
		t.Helper()
		s := &store{versions: []string{content}}
		a, target := act(s, secret)
		p, err := a.Plan(t.Context(), nil, target)
		if want == "" {
			if !saas.Is(err, saas.Already) {
				t.Errorf("want that it is so: %v", err)
			}
			return
		}
		if err != nil || !strings.Contains(string(p.Before), want) {
			t.Fatalf("%v %s, want %s", err, p.Before, want)
		}
		do(t, a.Do, p)
		if is, err := l.has(s.now(), secret); !is || err != nil || len(labels(t, s.now())) != left {
			t.Errorf("the file has labels %v", labels(t, s.now()))
		}
	}
	f(with(secret, site, label.Privileged), "", 0) // by a person, whose word stays
	f(with(public, site, label.Privileged), `"labels":["`+public+`"]`, 1)
	f(with(secret, public, label.Standard), `"labels":["`+secret+`"]`, 2) // of another tenant
}

func TestNothingIsWrittenIntoWhatHasNoPlaceForALabel(t *testing.T) {
	f := func(content, want string) {
		t.Helper()
		s := &store{versions: []string{content}}
		a, target := act(s, "Secret")
		_, err := a.Plan(t.Context(), nil, target)
		if !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "file 1") ||
			strings.Contains(err.Error(), said) {
			t.Errorf("%.20q: %v, want %q", content, err, want)
		}
	}
	f("", "no Word, Excel or PowerPoint file")
	f("a", "no Word, Excel or PowerPoint file")
	f(said, "no Word, Excel or PowerPoint file")
	f("PK\x03\x04"+said, "damaged archive")
	whole := document(t)
	f(whole[:len(whole)-30], "damaged archive")
	sealed := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600)
	f(sealed, "compound file")
	for _, c := range "EncryptedPackage" {
		sealed += string(c) + "\x00"
	}
	f(sealed, "encrypted")
}

func TestWhatIsNoOfficeFileIsNotRead(t *testing.T) {
	s := &store{versions: []string{strings.Repeat(said, 1000)}}
	a, target := act(s, "Secret")
	if _, err := a.Plan(t.Context(), nil, target); err == nil || s.taken > 8 {
		t.Errorf("%v, %d bytes were read", err, s.taken)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	f := func(size int64, want saas.Outcome, text string, opened int) {
		t.Helper()
		s := &store{versions: []string{document(t)}, size: size}
		a, target := act(s, "Secret")
		_, err := a.Plan(t.Context(), nil, target)
		if !saas.Is(err, want) || !strings.Contains(err.Error(), text) || s.opened != opened {
			t.Errorf("%d bytes: %v, want %q; opened %d times", size, err, text, s.opened)
		}
	}
	f(MaxSize+1, saas.Invalid, "file 1 has 33554433 bytes: a label is put into files of at most 33554432 (32 MiB)", 0)
	f(MaxSize, saas.Unavailable, "bytes came, 33554432 were told", 1)
	f(100, saas.Unavailable, "101 bytes came, 100 were told", 1)

	s := &store{versions: []string{document(t)}}
	l := New(site, nil)
	a := l.Action(nil, "", s.find)
	release, err := l.hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	target := saas.Target{Params: map[string]string{"label": secret}}
	if _, err := a.Plan(ctx, nil, target); !errors.Is(err, context.Canceled) || s.opened != 0 {
		t.Errorf("another file is in memory: %v, opened %d times", err, s.opened)
	}
	release()
	plans(t, a, target)
}

// TestALargeFileIsHeldTwice: as it is and as it is to be. What it is sent as comes beside it.
func TestALargeFileIsHeldTwice(t *testing.T) {
	const large = 8 << 20
	s := &store{versions: []string{document(t, strings.Repeat("0123456789abcdef", large/16))}}
	a, target := act(s, "Secret")
	var p *saas.Plan
	f := func(what string, do func()) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 2*large+4<<20 { // the latter to pack what changes
			t.Errorf("%s: %d bytes for a file of %d", what, took, large)
		}
	}
	f("plan", func() { p = plans(t, a, target) })
	f("do", func() { do(t, a.Do, p) })
	f("undo", func() { do(t, a.Undo, p) })
}

func TestWhatOthersWroteIsLeft(t *testing.T) {
	theirs := func(s *store) func() { return func() { s.versions = append(s.versions, "theirs") } }
	s := &store{versions: []string{document(t)}}
	a, target := act(s, "Secret")
	f := func(what string, err error) {
		t.Helper()
		if !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "changed since") || s.now() != "theirs" {
			t.Errorf("%s: %v, %d versions", what, err, len(s.versions))
		}
	}
	p := plans(t, a, target)
	theirs(s)()
	f("before", a.Do(t.Context(), nil, p))
	s.versions = s.versions[:1]
	s.before = theirs(s)
	f("meanwhile", a.Do(t.Context(), nil, p))
	s.versions = s.versions[:1]
	do(t, a.Do, p)
	theirs(s)()
	f("after", a.Undo(t.Context(), nil, p))
	p.After = nil
	f("after a crash", a.Undo(t.Context(), nil, p))
}

func TestALostAnswerIsFoundOut(t *testing.T) {
	before := document(t)
	for _, lose := range []*saas.Error{{Outcome: saas.Unavailable}, {Outcome: saas.Invalid, Status: http.StatusPreconditionFailed}} {
		s := &store{versions: []string{before}, lose: lose}
		a, target := act(s, "Secret")
		p := plans(t, a, target)
		if err := a.Do(t.Context(), nil, p); (err == nil) != (lose.Status != 0) { // the latter was sent again by the connection
			t.Errorf("%v: %v", lose, err)
		}
		do(t, a.Do, p)
		if len(s.versions) != 2 || len(p.After) == 0 {
			t.Errorf("%v: %d versions, after %s", lose, len(s.versions), p.After)
		}
		p.After = nil // as a crash leaves it
		if do(t, a.Undo, p); s.now() != before {
			t.Errorf("%v: %d bytes came back", lose, len(s.now()))
		}
	}
}

func TestLabelsAreAskedForByNameOrID(t *testing.T) {
	f := func(l *Labels, want, id, name, why string) {
		t.Helper()
		gotID, gotName, err := l.wanted(saas.Target{Params: map[string]string{"label": want}})
		if gotID != id || gotName != name || (err != nil) != (why != "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %s %s %v", want, gotID, gotName, err)
		}
	}
	l := New("{"+strings.ToUpper(site)+"}", map[string]string{"Secret": secret})
	f(l, "Secret", secret, "Secret", "")
	f(l, strings.ToUpper(secret), secret, "Secret", "")
	f(l, public, public, "", "")
	f(l, "secret", "", "", "neither a name in labels nor the id of a label")
	f(l, "", "", "", "neither")
	f(New("", map[string]string{"Secret": secret}), "Secret", "", "", "in_file_labels: empty")
	for place, why := range map[string]string{InFile: "", "tag": `place: "tag"`} {
		_, _, err := l.wanted(saas.Target{Params: map[string]string{"label": secret, Place: place}})
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", place, err)
		}
	}

	g := func(site string, ids map[string]string, want string) {
		t.Helper()
		if err := Validate(site, ids); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q %v: %v", site, ids, err)
		}
	}
	g("", nil, "")
	g(site, map[string]string{"Secret": secret}, "")
	g("true", nil, `in_file_labels: "true"`)
	g("", map[string]string{"Secret": "top"}, `labels: "Secret": "top"`)
	g("", map[string]string{" ": secret}, "labels")
}
