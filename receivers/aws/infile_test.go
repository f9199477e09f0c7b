package aws

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/dlp/label"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

const (
	labelSite = "cb46c030-1825-4e81-a295-151c039dbf02"
	labelID   = "2096f6a2-d2f7-48be-b329-b73aaa526e5d"
)

var labelKeys = map[string]any{"in_file_labels": labelSite, "labels": map[string]any{"Confidential": labelID}}

// hand asks S3 as the receiver does, about one object.
type hand struct {
	*saastest.Acts
	c      *client
	target saas.Target // that wants a label in the file
	at     bucket
	key    string
}

// object is a hand on an object whose id and list entry hold the texts.
func (s *seen) object(a *saastest.Acts, texts ...string) *hand {
	s.t.Helper()
	h := &hand{Acts: a, c: s.c, target: s.owned(texts...)}
	h.target.Params[infile.Place] = infile.InFile
	_, raw := s.pick("files", h.target.ID)
	in := func(name string) string { return saas.TextAt(json.RawMessage(raw), "Bucket", name) }
	h.at, h.key = bucket{in("Name"), in("Region"), in("Account")}, strings.TrimPrefix(h.target.ID, in("Name")+"/")
	return h
}

func (h *hand) send(q saas.Req) (http.Header, string) {
	h.Helper()
	rep, err := h.Tenant.Conn().Do(h.Context(), q)
	if err != nil {
		h.Fatal(err)
	}
	in := rep.Body()
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil {
		h.Fatal(err)
	}
	return rep.Header(), string(b)
}

// stored is what S3 has of the object: its content, and all else but what tells one write from another.
func (h *hand) stored() (about, content string) {
	h.Helper()
	_, tags := h.send(h.c.s3(http.MethodGet, h.at, h.key, "tagging="))
	_, acl := h.send(h.c.s3(http.MethodGet, h.at, h.key, "acl="))
	head, content := h.send(h.c.s3(http.MethodGet, h.at, h.key, ""))
	head = maps.Clone(head)
	for _, name := range []string{"Etag", "Last-Modified", "X-Amz-Version-Id", "Content-Length", "X-Amz-Request-Id", "X-Amz-Id-2", "Date"} {
		head.Del(name)
	}
	return fmt.Sprint(head, tags, acl), content
}

// versions counts those of the object.
func (h *hand) versions() int {
	h.Helper()
	_, list := h.send(h.c.s3(http.MethodGet, h.at, "", "versions=&prefix="+escapeKey(h.key)))
	return strings.Count(list, "<VersionId>")
}

// put writes the object.
func (h *hand) put(content string, header ...string) {
	h.Helper()
	h.send(h.c.s3Put(h.at, h.key, "", content, header...))
}

func (h *hand) plan() *saas.Plan {
	h.Helper()
	p, err := h.Plan(action.ApplyLabel, h.target)
	if err != nil {
		h.Fatal(err)
	}
	return p
}

func labelsIn(t *testing.T, content string) (ids []string) {
	t.Helper()
	found, err := label.Read(strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range found.InForce() {
		if l.Site != labelSite || l.Method != label.Standard || l.SetDate.IsZero() || l.Name != "Confidential" {
			t.Errorf("the label is %+v", l)
		}
		ids = append(ids, l.ID)
	}
	return ids
}

func openDoor(http.ResponseWriter, *http.Request, http.Handler) bool { return false }

func TestALabelIsPutIntoTheObject(t *testing.T) {
	behindDoor(t, labelKeys, openDoor, func(a *saastest.Acts, s *seen) {
		h := s.object(a, "contoso-data", ".docx", "!GLACIER")
		_, before := h.stored()
		h.put(before, "Content-Type", "application/x-docx", "X-Amz-Meta-Department", "Vertrieb", "Cache-Control", "max-age=60",
			"Content-Disposition", "attachment", "X-Amz-Storage-Class", "STANDARD_IA", "X-Amz-Server-Side-Encryption", "aws:kms",
			"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "arn:aws:kms:eu-west-3:1:key/1", "X-Amz-Tagging", "team=R%26D&note=a%20b%2Bc")
		about, _ := h.stored()
		n := h.versions()
		p := h.Do(action.ApplyLabel, h.target)
		now, content := h.stored()
		if ids := labelsIn(t, content); !slices.Equal(ids, []string{labelID}) || now != about || h.versions() != n+1 {
			t.Errorf("labelled %v, %d versions after %d\nwas %s\nis  %s", ids, h.versions(), n, about, now)
		}
		if !strings.Contains(about, "STANDARD_IA") || !strings.Contains(about, "a b+c") {
			t.Errorf("the fake forgot what was written: %s", about)
		}
		if kept, _ := json.Marshal(p); len(kept) > 2000 || strings.Contains(string(kept), "PK") {
			t.Errorf("the plan keeps %s", kept)
		}
		h.Undo(p)
		if now, content = h.stored(); content != before || now != about || h.versions() != n {
			t.Errorf("taken back, %d bytes after %d, %d versions after %d\nwas %s\nis  %s", len(content), len(before), h.versions(), n, about, now)
		}
		delete(h.target.Params, infile.Place)
		h.Try(action.ApplyLabel, h.target) // the tag, as ever
	})
}

func TestWhatCannotBeLabelledIsSaidAndLeft(t *testing.T) {
	behindDoor(t, labelKeys, openDoor, func(a *saastest.Acts, s *seen) {
		f := func(target saas.Target, want string) {
			t.Helper()
			if _, err := a.Plan(action.ApplyLabel, target); !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want %q", target, err, want)
			}
		}
		f(s.object(a, "contoso-data", ".txt", "!GLACIER").target, "no Word, Excel or PowerPoint file")
		f(s.object(a, "contoso-www", ".docx", "!GLACIER").target, "the bucket keeps no versions")
		f(s.object(a, "contoso-data", "GLACIER").target, "is archived (GLACIER)")
		h := s.object(a, "contoso-data", ".docx", "!GLACIER")
		_, content := h.stored()
		f(saas.Target{ID: h.target.ID + "?versionId=x", Params: h.target.Params}, "is gone")
		h.put(content, "X-Amz-Object-Lock-Legal-Hold", "ON")
		f(h.target, "Object Lock")
		h.put("PK\x03\x04" + strings.Repeat("x", 100))
		f(h.target, "damaged archive")
		sealed := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600)
		for _, c := range "EncryptedPackage" {
			sealed += string(c) + "\x00"
		}
		h.put(sealed)
		f(h.target, "encrypted")
		h.target.Params["label"] = "Public"
		f(h.target, "neither a name")
		h.target.Params[infile.Place] = "stamp"
		f(h.target, `place: "stamp"`)
	})
	inCloud(t, func(a *saastest.Acts, s *seen) {
		h := s.object(a, "contoso-data", ".docx", "!GLACIER")
		_, err := a.Plan(action.ApplyLabel, h.target)
		if !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "in_file_labels: empty") {
			t.Errorf("labels were not asked for: %v", err)
		}
	})
}

func TestTheWayBackIsTheVersionBefore(t *testing.T) {
	behindDoor(t, labelKeys, openDoor, func(a *saastest.Acts, s *seen) {
		h := s.object(a, "contoso-data", ".docx", "!GLACIER")
		before, _ := h.send(h.c.s3(http.MethodHead, h.at, h.key, ""))
		p := h.Do(action.ApplyLabel, h.target)
		h.send(h.c.s3(http.MethodDelete, h.at, h.key, versionQuery(before.Get("X-Amz-Version-Id"))))
		if err := a.Once(p, true); !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("the version before was deleted: %v", err)
		}
		if _, content := h.stored(); len(labelsIn(t, content)) != 1 {
			t.Error("and the object is not what it was")
		}
	})
}

// writes says of a request whether it is one that writes an object.
func writes(r *http.Request) bool {
	return r.Method == http.MethodPut && r.Header.Get("If-Match") != ""
}

func TestWhatOthersWriteIsNotOverwritten(t *testing.T) {
	var meanwhile func()
	behindDoor(t, labelKeys, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if do := meanwhile; do != nil && writes(r) {
			meanwhile = nil
			do()
		}
		return false
	}, func(a *saastest.Acts, s *seen) {
		h := s.object(a, "contoso-data", ".docx", "!GLACIER")
		_, before := h.stored()
		f := func(what string, undo bool, p *saas.Plan) {
			t.Helper()
			if err := a.Once(p, undo); !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "changed since") {
				t.Errorf("%s: %v", what, err)
			}
			if _, content := h.stored(); content != "theirs" {
				t.Errorf("%s: there is %.20q", what, content)
			}
		}
		p := h.plan()
		h.put("theirs")
		f("before the label was put into it", false, p)
		h.put(before)
		p = h.plan()
		meanwhile = func() { h.put("theirs") }
		f("while the label was put into it", false, p)
		h.put(before)
		p = h.Do(action.ApplyLabel, h.target)
		h.put("theirs")
		f("after the label was put into it", true, p)
	})
}

func TestAWriteThatIsCutOffLeavesAWholeObject(t *testing.T) {
	cut := ""
	behindDoor(t, labelKeys, func(w http.ResponseWriter, r *http.Request, fake http.Handler) bool {
		if cut == "" || !writes(r) {
			return false
		}
		how := cut
		cut = ""
		switch how {
		case "throttled":
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code></Error>")
			return true
		case "conflict": // with another write that was under way
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "<Error><Code>ConditionalRequestConflict</Code></Error>")
			return true
		case "failed": // it says, and it wrote
			fake.ServeHTTP(nothing{w.Header()}, r)
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "<Error><Code>InternalError</Code></Error>")
			return true
		case "answer":
			fake.ServeHTTP(nothing{http.Header{}}, r)
		}
		panic(http.ErrAbortHandler)
	}, func(a *saastest.Acts, s *seen) {
		h := s.object(a, "contoso-data", ".docx", "!GLACIER")
		_, before := h.stored()
		for how, written := range map[string]bool{"request": false, "answer": true, "throttled": true, "conflict": true, "failed": true} {
			n, p := h.versions(), h.plan()
			cut = how
			if err := a.Once(p, false); (err == nil) != (how != "request" && how != "answer") {
				t.Errorf("%s: %v", how, err)
			}
			if _, content := h.stored(); (h.versions() == n+1) != written || (len(labelsIn(t, content)) == 1) != written {
				t.Errorf("%s: %d versions after %d", how, h.versions(), n)
			}
			if err := a.Once(p, false); err != nil || h.versions() != n+1 {
				t.Errorf("%s: done again: %v, %d versions after %d", how, err, h.versions(), n)
			}
			p = a.Saved(p)
			p.After = nil // as a crash leaves it
			h.Undo(p)
			if _, content := h.stored(); content != before || h.versions() != n {
				t.Errorf("%s: %d bytes came back of %d, %d versions after %d", how, len(content), len(before), h.versions(), n)
			}
		}
	})
}

// nothing takes an answer and sends none.
type nothing struct{ header http.Header }

func (n nothing) Header() http.Header       { return n.header }
func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) WriteHeader(int)             {}
