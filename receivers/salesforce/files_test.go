package salesforce

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

func TestEveryKindOfFileIsReadAsItIs(t *testing.T) {
	inOrg(t, sim.Options{Seed: 3, Events: 5, Users: 12, Files: 42, Limits: -1}, nil, nil, func(o *tenancy) {
		o.pass(10 * time.Minute)
		kinds := map[string]int{}
		at := &org{Config: defaults()}
		columns := map[string]string{"Attachment": attachmentColumns, "Document": documentColumns, "ContentVersion": versionColumns}
		for object, columns := range columns {
			name := strings.TrimPrefix(object, "Content")
			for _, row := range o.rows("SELECT " + columns + " FROM " + object) {
				in, err := at.content(o.Context(), o.tenant().Conn(), saas.FileRef{Raw: saas.Join(name, row)})
				if err != nil {
					o.Fatal(err)
				}
				body, err := io.ReadAll(in)
				_ = in.Close()
				size := string(saas.Member(row, "ContentSize")) + string(saas.Member(row, "BodyLength"))
				if err != nil || len(body) == 0 || size != itoa(len(body)) {
					o.Errorf("%s: %d bytes, want %s: %v", saas.TextAt(row, "Id"), len(body), size, err)
				}
				kinds[object]++
			}
		}
		if len(kinds) != 3 {
			o.Errorf("only %v", kinds)
		}
	})
}

func TestAChangedFileIsReadAgain(t *testing.T) {
	defer saas.RegisterJudge(judges)()
	inOrg(t, sim.Options{Seed: 3, Events: 5, Users: 12, Files: 20, Limits: -1}, nil, nil, func(o *tenancy) {
		o.pass(20 * time.Minute)
		at := &org{Config: defaults()}
		row := o.rows("SELECT Id, ContentDocumentId FROM ContentVersion WHERE IsLatest = true")[0]
		id := saas.TextAt(row, "ContentDocumentId")
		read := func() int { return o.asked("ContentDocumentId = '" + id + "'") }
		change := func(what string, steps ...saas.Req) {
			o.Helper()
			before := read()
			if err := saas.Send(o.Context(), o.tenant().Conn(), steps); err != nil {
				o.Fatal(err)
			}
			if o.pass(3 * time.Minute); read() == before {
				o.Errorf("%s: the file was not read again", what)
			}
		}
		change("a version more", at.post("ContentVersion", map[string]any{"ContentDocumentId": id, "PathOnClient": "b.txt",
			"VersionData": "aGk="}))
		change("a public link", at.post("ContentDistribution", map[string]any{"Name": "x", "ContentVersionId": saas.TextAt(row, "Id")}))
		to := o.text("SELECT Id FROM CollaborationGroup", "Id")
		change("a share", at.post("ContentDocumentLink", map[string]any{"ContentDocumentId": id, "LinkedEntityId": to, "ShareType": "V"}))
		before := read()
		if o.pass(30 * time.Minute); read() != before {
			o.Errorf("nothing changed, and the file was read %d times", read()-before)
		}
	})
}

func TestWithoutQueryAllFilesTheRestIsFollowed(t *testing.T) {
	inOrg(t, sim.Options{Seed: 3, Events: 5, Users: 12, Files: 20, Limits: -1, Variant: "own_files"}, nil, nil, func(o *tenancy) {
		o.pass(10 * time.Minute)
		if s := o.status("file_changes"); s.Off != "" || s.LastError != "" {
			o.Errorf("%+v", s)
		}
	})
}

func TestOnlyLogFilesOfOneIntervalAreRead(t *testing.T) {
	f := func(keys map[string]any, variant, interval string) {
		t.Helper()
		inOrg(t, sim.Options{Seed: 3, Events: 400, Users: 12, Limits: -1, Variant: variant}, keys, nil, func(o *tenancy) {
			o.pass(30 * time.Hour)
			var got []string
			for _, d := range o.came(func(d map[string]any) bool { return text(d, "event.code") != "" }) {
				file, _, _ := strings.Cut(text(d, "event.id"), ":")
				got = append(got, file)
			}
			slices.Sort(got)
			for _, file := range slices.Compact(got) {
				if is := o.text("SELECT Interval FROM EventLogFile WHERE Id = "+quote(file), "Interval"); is != interval && is != "" {
					o.Errorf("log file %s is %s", file, is)
				}
			}
			if len(got) == 0 {
				o.Errorf("%v: no row of a log file came", keys)
			}
		})
	}
	f(nil, "", "Hourly")
	f(map[string]any{"event_log": map[string]any{"interval": "daily"}}, "free", "Daily")
}

func TestLogFilesOfSomeTypesAreLeftOut(t *testing.T) {
	keys := map[string]any{"event_log": map[string]any{"except": []any{"Login"}, "types": []any{"Login", "URI"}}}
	inOrg(t, sim.Options{Seed: 3, Events: 400, Users: 12, Limits: -1}, keys, nil, func(o *tenancy) {
		o.pass(30 * time.Hour)
		kinds := map[string]int{}
		for _, d := range o.came(func(d map[string]any) bool { return text(d, "event.code") != "" }) {
			kinds[text(d, "event.code")]++
		}
		if len(kinds) != 1 || kinds["URI"] == 0 {
			o.Errorf("rows of %v came", kinds)
		}
	})
}

func TestWhatIsNotLicensedIsOffWithTheReason(t *testing.T) {
	inOrg(t, sim.Options{Seed: 3, Events: 900, Users: 12, Limits: -1, Variant: "free"}, nil, nil, func(o *tenancy) {
		o.pass(10 * time.Minute)
		for _, name := range []string{"login_event", "report_event", "session_hijacking_event"} {
			if s := o.status(name); !strings.Contains(s.Off, "INVALID_TYPE") {
				o.Errorf("%s is off %q", name, s.Off)
			}
		}
		if s := o.status("login_history"); s.Off != "" || s.Events == 0 {
			o.Errorf("what stands in for login_event: %+v", s)
		}
	})
}

func TestADeadLocatorBeginsAgainWhereTheReadingWas(t *testing.T) {
	dead := 0
	odd := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/query/01g") && dead < 3 {
				dead++
				sim.WriteJSON(w, http.StatusBadRequest, []obj{{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}})
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	inOrg(t, sim.Options{Seed: 3, Events: 9000, Users: 12, Limits: -1}, map[string]any{"start_at": "72h"}, odd, func(o *tenancy) {
		o.pass(20 * time.Minute)
		want := map[string]bool{}
		o.fake.Published("login_event", func(key string) bool { want[key] = true; return true })
		got := map[string]int{}
		for _, d := range o.came(func(d map[string]any) bool { return text(d, "event.action") == "LoginEvent" }) {
			got[text(d, "event.id")]++
		}
		missing := 0
		for key := range want {
			if got[key] != 1 {
				missing++
			}
		}
		if dead == 0 || len(got) < 500 || missing > len(want)-len(got) {
			o.Errorf("%d locators died; %d of %d log-ons came", dead, len(got), len(want))
		}
		for key, n := range got {
			if n != 1 {
				o.Errorf("%s came %d times", key, n)
			}
		}
	})
}
