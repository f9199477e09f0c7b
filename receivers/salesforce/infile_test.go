package salesforce

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/dlp/label"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

const (
	labelSite = "cb46c030-1825-4e81-a295-151c039dbf02"
	labelID   = "2096f6a2-d2f7-48be-b329-b73aaa526e5d"
)

// inLabelled runs f in an org where labels may be written into files. door answers in the place of the org while it says so.
func inLabelled(t *testing.T, door func(o *tenancy, w http.ResponseWriter, r *http.Request) bool, f func(o *tenancy)) {
	t.Helper()
	var te *tenancy
	inOrg(t, sim.Options{Seed: 6, Events: 5, Users: 24, Files: 80, Limits: -1},
		map[string]any{"in_file_labels": labelSite, "labels": map[string]any{"Secret": labelID}}, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if te == nil || door == nil || !door(te, w, r) {
					h.ServeHTTP(w, r)
				}
			})
		}, func(o *tenancy) {
			o.pass(time.Minute)
			te = o
			f(o)
		})
}

// office is a file of Word of somebody, with its id and a target that wants the label.
func (o *tenancy) office() (string, saas.Target) {
	o.Helper()
	id := o.file("ContentVersion", "IsLatest = true AND FileExtension = 'docx' AND TagCsv != null")
	return id, wantsLabel(id)
}

func wantsLabel(id string) saas.Target {
	return saas.Target{ID: id, Params: map[string]string{"label": "Secret"}}
}

// stored is what the org has of a file's latest version, without what each version has of its own, and its bytes.
func (o *tenancy) stored(id string) (about, content string) {
	o.Helper()
	const of = " FROM ContentVersion WHERE IsLatest = true AND ContentDocumentId = "
	row := o.rows("SELECT Title, PathOnClient, OwnerId, Description, TagCsv, FileType" + of + quote(id))[0]
	_, about, _ = strings.Cut(string(row), "},") // after the address of the version
	p, err := o.tenant().Conn().Do(o.Context(), saas.Req{URL: (&org{Config: defaults()}).object("ContentVersion",
		o.text("SELECT Id"+of+quote(id), "Id")) + "/VersionData"})
	if err != nil {
		o.Fatal(err)
	}
	in := p.Body()
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil {
		o.Fatal(err)
	}
	title := o.text("SELECT Title FROM ContentDocument WHERE Id = "+quote(id), "Title")
	return about + title + o.shape(id), string(b)
}

// versions counts those of a file.
func (o *tenancy) versions(id string) int {
	o.Helper()
	return len(o.rows("SELECT Id FROM ContentVersion WHERE ContentDocumentId = " + quote(id)))
}

// put uploads a version of a file, of a new one where it has no id, and gives the file's id.
func (o *tenancy) put(id, text string) string {
	o.Helper()
	f := &content{o: &org{Config: defaults()}, conn: o.tenant().Conn(), ContentDocumentID: id, Title: "theirs", PathOnClient: "theirs.docx",
		OwnerID: o.text("SELECT Id FROM User WHERE Username = 'user2@contoso.example'", "Id")}
	version, err := f.upload(o.Context(), text, "theirs")
	if err != nil {
		o.Fatal(err)
	}
	return o.text("SELECT ContentDocumentId FROM ContentVersion WHERE Id = "+quote(version), "ContentDocumentId")
}

func labelsIn(t *testing.T, content string) (ids []string) {
	t.Helper()
	found, err := label.Read(strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range found.InForce() {
		if l.Site != labelSite || l.Method != label.Standard || l.SetDate.IsZero() || l.Name != "Secret" {
			t.Errorf("the label is %+v", l)
		}
		ids = append(ids, l.ID)
	}
	return ids
}

func TestALabelIsPutIntoTheFile(t *testing.T) {
	inLabelled(t, nil, func(o *tenancy) {
		id, target := o.office()
		about, before := o.stored(id)
		n := o.versions(id)
		p := o.acts().Do(action.ApplyLabel, target)
		now, content := o.stored(id)
		if ids := labelsIn(t, content); len(ids) != 1 || ids[0] != labelID || now != about || o.versions(id) != n+1 {
			o.Errorf("labelled %v, %d versions after %d\nwas %s\nis  %s", ids, o.versions(id), n, about, now)
		}
		if kept, _ := json.Marshal(p); len(kept) > 2000 || strings.Contains(string(kept), "PK") {
			o.Errorf("the plan keeps %s", kept)
		}
		o.acts().Undo(p)
		now, content = o.stored(id)
		if content != before || now != about || o.versions(id) != n+2 {
			o.Errorf("taken back, %d bytes after %d, %d versions after %d\nwas %s\nis  %s", len(content), len(before), o.versions(id), n, about, now)
		}
	})
}

func TestWhatCannotBeLabelledIsSaidAndLeft(t *testing.T) {
	inLabelled(t, nil, func(o *tenancy) {
		f := func(target saas.Target, want string) {
			o.Helper()
			if _, err := o.acts().Plan(action.ApplyLabel, target); !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), want) {
				o.Errorf("%+v: %v, want %q", target, err, want)
			}
		}
		id, target := o.office()
		f(wantsLabel(o.file("ContentVersion", "FileExtension = 'txt' AND IsLatest = true")), "no Word, Excel or PowerPoint file")
		sealed := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600)
		for _, c := range "EncryptedPackage" {
			sealed += string(c) + "\x00"
		}
		f(wantsLabel(o.put("", sealed)), "encrypted")
		f(wantsLabel(o.put("", "PK\x03\x04"+strings.Repeat("x", 100))), "damaged archive")
		f(wantsLabel(o.text("SELECT Id FROM Attachment", "Id")), "Attachment")
		f(saas.Target{ID: id, Params: map[string]string{"label": "Public"}}, "neither a name")
		o.acts().Do(action.DeleteFile, saas.Target{ID: id})
		f(target, "recycle bin")
		o.acts().Do(action.PurgeFile, saas.Target{ID: id})
		f(target, "is gone")
	})
	governed(t, func(o *tenancy) {
		_, target := o.office()
		_, err := o.acts().Plan(action.ApplyLabel, target)
		if !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "in_file_labels: empty") {
			o.Errorf("labels were not asked for: %v", err)
		}
	})
}

func TestWhatOthersUploadStaysTheLatest(t *testing.T) {
	var meanwhile func(o *tenancy)
	inLabelled(t, func(o *tenancy, _ http.ResponseWriter, r *http.Request) bool {
		if do := meanwhile; do != nil && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/ContentVersion") {
			meanwhile = nil
			do(o)
		}
		return false
	}, func(o *tenancy) {
		id, target := o.office()
		p, err := o.acts().Plan(action.ApplyLabel, target)
		if err != nil {
			o.Fatal(err)
		}
		f := func(what string, undo bool, versions int) {
			o.Helper()
			n := o.versions(id)
			if err := o.acts().Once(p, undo); !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), "changed since") {
				o.Errorf("%s: %v", what, err)
			}
			if _, content := o.stored(id); content != "theirs" || o.versions(id) != n+versions {
				o.Errorf("%s: the latest of %d versions, after %d, is %.20q", what, o.versions(id), n, content)
			}
		}
		_, before := o.stored(id)
		o.put(id, "theirs")
		f("before the label was put into it", false, 0)

		o.put(id, before)
		if p, err = o.acts().Plan(action.ApplyLabel, target); err != nil {
			o.Fatal(err)
		}
		meanwhile = func(o *tenancy) { o.put(id, "theirs") }
		f("while the label was put into it", false, 3) // theirs, the one with the label, and theirs again

		o.put(id, before)
		p = o.acts().Do(action.ApplyLabel, target)
		o.put(id, "theirs")
		f("after the label was put into it", true, 0)
	})
}

func TestAnUploadThatIsCutOffLeavesAWholeFile(t *testing.T) {
	cut := ""
	inLabelled(t, func(o *tenancy, w http.ResponseWriter, r *http.Request) bool {
		if cut == "" || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/ContentVersion") {
			return false
		}
		how := cut
		cut = ""
		switch how {
		case "busy", "failed":
			if how == "failed" { // it says, and it wrote
				o.fake.Handler.ServeHTTP(&answer{ResponseWriter: httptest.NewRecorder()}, r)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `[{"message":"busy","errorCode":"SERVER_UNAVAILABLE"}]`)
			return true
		case "answer":
			o.fake.Handler.ServeHTTP(&answer{ResponseWriter: w}, r)
		}
		panic(http.ErrAbortHandler)
	}, func(o *tenancy) {
		id, target := o.office()
		_, before := o.stored(id)
		for how, written := range map[string]int{"request": 0, "answer": 1, "busy": 1, "failed": 2} {
			n := o.versions(id)
			p, err := o.acts().Plan(action.ApplyLabel, target)
			if err != nil {
				o.Fatal(err)
			}
			cut = how
			if err := o.acts().Once(p, false); (err == nil) != (how == "busy" || how == "failed") {
				o.Errorf("%s: %v", how, err)
			}
			if _, content := o.stored(id); o.versions(id) != n+written || (len(labelsIn(t, content)) == 1) != (written > 0) {
				o.Errorf("%s: %d versions after %d", how, o.versions(id), n)
			}
			if err := o.acts().Once(p, false); err != nil || o.versions(id) != n+max(written, 1) {
				o.Errorf("%s: done again: %v, %d versions after %d", how, err, o.versions(id), n)
			}
			p = o.acts().Saved(p)
			p.After = nil // as a crash leaves it
			o.acts().Undo(p)
			if _, content := o.stored(id); content != before {
				o.Errorf("%s: %d bytes came back of %d", how, len(content), len(before))
			}
		}
	})
}
