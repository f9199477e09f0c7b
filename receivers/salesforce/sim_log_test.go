package salesforce

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/sim"
)

// logs reads the log files that a query lists: the rows by the file's id.
func (d *simDesk) logs(where string) (files []map[string]any, rows map[string][][]string) {
	d.t.Helper()
	rows = map[string][][]string{}
	files = d.query("SELECT Id, EventType, Interval, Sequence, LogDate, CreatedDate, LogFile, LogFileLength FROM EventLogFile WHERE %s "+
		"ORDER BY CreatedDate, Id", where)
	for _, f := range files {
		text := d.Must(http.StatusOK, http.MethodGet, f["LogFile"].(string), "")
		all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil || float64(len(text)) != f["LogFileLength"] {
			d.t.Fatalf("%v: %d bytes: %v", f, len(text), err)
		}
		rows[f["Id"].(string)] = all
	}
	return files, rows
}

func TestFakeStoresEventsOnce(t *testing.T) {
	d := newSimDesk(t, sim.Options{Events: 4000, Late: 0.2, Users: 10})
	d.now = d.now.Add(10 * time.Minute) // the last were late
	d.same("login_history", simColumn(d.query("SELECT Id FROM LoginHistory"), "Id"))
	d.same("setup_audit_trail", simColumn(d.query("SELECT Id FROM SetupAuditTrail"), "Id"))
	for stream, object := range simStored {
		if stream != "login_history" && stream != "setup_audit_trail" {
			d.same(stream, simColumn(d.query("SELECT EventIdentifier FROM %s", object), "EventIdentifier"))
		}
	}
	seconds := map[any]int{}
	rows := d.query("SELECT Id, CreatedDate, CreatedBy.Username, Section FROM SetupAuditTrail ORDER BY CreatedDate, Id")
	for i, r := range rows {
		seconds[r["CreatedDate"]]++
		if i > 0 && r["CreatedDate"] == rows[i-1]["CreatedDate"] && r["Id"].(string) <= rows[i-1]["Id"].(string) {
			t.Errorf("%v after %v", r, rows[i-1])
		}
	}
	if most := slices.Max(slices.Collect(maps.Values(seconds))); most < 2 {
		t.Errorf("at most %d rows in a second", most)
	}
	half := rows[len(rows)/2]
	after := d.query("SELECT Id FROM SetupAuditTrail WHERE (CreatedDate = %s AND Id > '%s') OR CreatedDate > %s ORDER BY CreatedDate, Id",
		half["CreatedDate"], half["Id"], half["CreatedDate"])
	if len(after) != len(rows)-len(rows)/2-1 {
		t.Errorf("%d rows follow row %d of %d", len(after), len(rows)/2, len(rows))
	}
	known := map[any]bool{}
	for _, r := range d.query("SELECT Id FROM LoginHistory") {
		known[r["Id"]] = true
	}
	for _, r := range d.query("SELECT LoginHistoryId FROM LoginEvent") {
		if !known[r["LoginHistoryId"]] {
			t.Fatalf("%v is not in the login history", r)
		}
	}
}

func TestFakeEventsComeLate(t *testing.T) {
	d := newSimDesk(t, sim.Options{Events: 4000, Late: 0.3, Start: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC), Span: 2 * time.Hour})
	const q = "SELECT Id FROM LoginHistory WHERE LoginTime < 2026-11-23T12:00:00Z"
	before := len(d.query(q))
	d.now = d.now.Add(5 * time.Minute)
	if after := len(d.query(q)); after <= before {
		t.Errorf("%d log-ons of the first hour at its end, %d later", before, after)
	}
}

func TestFakeWritesLogFiles(t *testing.T) {
	d := newSimDesk(t, sim.Options{Events: 6000, Late: 0.2, Users: 10})
	d.now = d.now.Add(5 * 24 * time.Hour)
	d.signIn()
	files, rows := d.logs("Interval = 'Hourly'")
	var keys []string
	later, tardy, hourly := 0, 0, 0
	header := map[any]string{}
	for _, f := range files {
		all := rows[f["Id"].(string)]
		for n := range all[1:] {
			keys = append(keys, fmt.Sprint(f["Id"], ":", n+1))
		}
		hourly += len(all) - 1
		header[f["EventType"]] = strings.Join(all[0], ",")
		of, err := time.Parse(simAPITime, f["LogDate"].(string))
		made, err2 := time.Parse(simAPITime, f["CreatedDate"].(string))
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		lag := made.Sub(of.Add(time.Hour))
		if f["Sequence"] != 1.0 {
			later++
		}
		if lag > 24*time.Hour {
			tardy++
		}
		if lag < 3*time.Hour || lag > 73*time.Hour {
			t.Errorf("%v: %v after its hour", f, lag)
		}
	}
	d.same("event_log_files", keys)
	if later == 0 || tardy == 0 {
		t.Errorf("%d files with a later sequence number, %d that came after a day", later, tardy)
	}
	if got := header["Login"]; !strings.HasSuffix(got, "TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED,LOGIN_STATUS,SOURCE_IP") {
		t.Error(got)
	}
	daily := 0
	days, lines := d.logs("Interval = 'Daily'")
	for _, f := range days {
		daily += len(lines[f["Id"].(string)]) - 1
		if f["Sequence"] != 0.0 {
			t.Errorf("%v", f)
		}
	}
	if daily != hourly || hourly == 0 {
		t.Errorf("%d rows in files of hours, %d in those of days", hourly, daily)
	}
	if bare := d.query("SELECT Id FROM EventLogFile"); len(bare) != len(days) {
		t.Errorf("%d files without a word on the interval, want the %d of days", len(bare), len(days))
	}
	if both := d.query("SELECT Id FROM EventLogFile WHERE Id > '0AT000000000000'"); len(both) != len(days)+len(files) {
		t.Errorf("%d files by a condition on the id, want all %d", len(both), len(days)+len(files))
	}
	strangers := 0
	for _, f := range files {
		if f["EventType"] == "Login" {
			for _, r := range rows[f["Id"].(string)] {
				if slices.Contains(r, "nobody@elsewhere.example") {
					strangers++
				}
			}
		}
	}
	if strangers == 0 {
		t.Error("no log-on of an unknown name")
	}
	one := files[0]["LogFile"].(string)
	_, h, body := d.As("Accept-Encoding", "gzip").Do(http.MethodGet, one, "")
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil || h.Get("Content-Encoding") != "gzip" {
		t.Fatal(err, h)
	}
	if text, err := io.ReadAll(z); err != nil || !bytes.Equal(text, d.Must(http.StatusOK, http.MethodGet, one, "")) {
		t.Error("compressed it is another file", err)
	}
	d.now = d.now.Add(31 * 24 * time.Hour)
	d.signIn()
	if old := d.query("SELECT Id FROM EventLogFile WHERE Interval = 'Hourly'"); len(old) != 0 {
		t.Errorf("%d files after a month", len(old))
	}
	d.Must(http.StatusNotFound, http.MethodGet, one, "")
}

func TestFakeHasFewLogFilesWithoutEventMonitoring(t *testing.T) {
	d := newSimDesk(t, sim.Options{Events: 2000, Variant: "free", Start: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), Span: 6 * time.Hour})
	kinds := map[any]bool{}
	files, _ := d.logs("Interval = 'Daily'")
	for _, f := range files {
		kinds[f["EventType"]] = true
	}
	if len(kinds) != len(simFree) || !kinds["Login"] || kinds["API"] {
		t.Error(kinds)
	}
	if hours, _ := d.logs("Interval = 'Hourly'"); len(hours) != 0 {
		t.Errorf("%d files of hours", len(hours))
	}
}

func TestFakeReplaysEvents(t *testing.T) {
	const lines = `{"attributes":{"type":"SetupAuditTrail"},"Id":"0Ym5g00000AAAAA","Action":"frozeuser","CreatedDate":"2020-01-01T00:00:00Z"}
{"dataset":"x","raw":{"EVENT_TYPE":"API","USER_ID":"0055g0000000001","METHOD_NAME":"query"}}
{"attributes":{"type":"LoginEvent"},"EventIdentifier":"e-1","Status":"Success","Id":"000000000000000AAA"}`
	d := newSimDesk(t, sim.Options{Replay: strings.NewReader(lines), MaxLag: time.Minute})
	rows := d.query("SELECT Id, Action, CreatedDate FROM SetupAuditTrail WHERE CreatedDate > 2026-11-01T00:00:00Z")
	if len(rows) != 1 || rows[0]["Action"] != "frozeuser" {
		t.Error(rows)
	}
	d.same("setup_audit_trail", simColumn(rows, "Id"))
	d.same("login_event", simColumn(d.query("SELECT EventIdentifier FROM LoginEvent"), "EventIdentifier"))
	files, all := d.logs("Interval = 'Hourly'")
	if len(files) != 1 || !slices.Contains(all[files[0]["Id"].(string)][1], "0055g0000000001") {
		t.Error(files, all)
	}
	if _, err := newSim(sim.Options{Replay: strings.NewReader(`{"x":1}`)}); err == nil {
		t.Error("an event of no kind was taken")
	}
}

func TestFakeEventsHoldWhatPlantedCounts(t *testing.T) {
	set, err := dlp.New(dlp.Options{Packs: []string{"pci", "pii/us", "finance", "secrets"}})
	if err != nil {
		t.Fatal(err)
	}
	d := newSimDesk(t, sim.Options{Events: 12_000, Files: 5})
	d.now = d.now.Add(24 * time.Hour)
	d.signIn()
	s, got := set.Scanner(), map[string]int{}
	scan := func(text string) {
		s.Reset()
		s.Text([]byte(text), "")
		for _, f := range s.Findings() {
			if f.Type.ID != "pii.email" { // who acts
				got[f.Type.ID]++
			}
		}
	}
	for _, r := range d.query("SELECT Id, Action, Display FROM SetupAuditTrail") {
		scan(r["Display"].(string))
	}
	_, rows := d.logs("Interval = 'Hourly'")
	for _, all := range rows {
		for _, r := range all {
			scan(strings.Join(r, " , "))
		}
	}
	want := maps.Clone(d.Planted)
	for kind, n := range sim.CountPlantedFiles(0, 6, func(int) bool { return true }) {
		if want[kind] -= n; want[kind] == 0 {
			delete(want, kind)
		}
	}
	if !maps.Equal(got, want) || len(want) < 4 {
		t.Errorf("found %v, planted %v", got, want)
	}
}
