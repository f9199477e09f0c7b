package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/sim"
)

// signIn is an event as the vendor sends it.
const signIn = `{"uuid":"f24790d0-d324-47f8-aac5-c27a31ab928d","published":"2026-11-23T20:14:03.417Z","eventType":"user.session.start",` +
	`"version":"0","severity":"INFO","displayMessage":"User login to Okta","actor":{"id":"00u1abcd2EFGHIJK3l4","type":"User",` +
	`"alternateId":"ana.roy@contoso.example","displayName":"Ana Roy"},"client":{"userAgent":{"rawUserAgent":"Mozilla/5.0"},` +
	`"zone":"null","ipAddress":"203.0.113.24"},"outcome":{"result":"SUCCESS","reason":null},"target":null}`

func TestNormalizeWritesADocumentPerEventInOrder(t *testing.T) {
	second := strings.Replace(signIn, "f24790d0", "f24790d1", 1)
	code, out, errs := call(t, signIn+"\n\n"+second, "normalize", "--app", "okta")
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d, stderr %q", code, errs)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d documents, want 2:\n%s", len(lines), out)
	}
	for i, want := range []string{"f24790d0-d324-47f8-aac5-c27a31ab928d", "f24790d1-d324-47f8-aac5-c27a31ab928d"} {
		d, err := parse([]byte(lines[i]))
		if err != nil || d.Event.ID != want || d.Event.Module != "okta" || d.Event.Dataset != "okta.system" {
			t.Errorf("document %d: %v, %+v", i, err, d.Event)
		}
	}
	var doc obj
	if err := json.Unmarshal([]byte(lines[0]), &doc); err != nil {
		t.Fatal(err)
	}
	event := doc["event"].(obj)
	if event["original"] != signIn || event["action"] != "user.session.start" || event["outcome"] != "success" {
		t.Errorf("got %v", event)
	}
	if event["created"] != nil || event["ingested"] != nil {
		t.Errorf("a clock was read: %v", event)
	}
	if doc["okta"] == nil || doc["source"].(obj)["ip"] != "203.0.113.24" || doc["user"].(obj)["name"] != "ana.roy@contoso.example" {
		t.Errorf("got %s", lines[0])
	}
}

func TestNormalizeGivesTheSameBytesForTheSameInput(t *testing.T) {
	s, _ := fake(t, "okta", sim.Options{Events: 300})
	var in strings.Builder
	n := 0
	for raw := range rawEvents(t, s) {
		in.Write(raw)
		in.WriteByte('\n')
		n++
	}
	code, first, errs := call(t, in.String(), "normalize", "--app", "okta")
	if code != exitOK || strings.Count(first, "\n") != n || n == 0 {
		t.Fatalf("exit code %d, %d documents of %d events, stderr %q", code, strings.Count(first, "\n"), n, errs)
	}
	if _, second, _ := call(t, in.String(), "normalize", "--app", "okta", "--dataset", "okta.system"); second != first {
		t.Error("a second run gave other bytes")
	}
}

func TestNormalizeWritesOCSF(t *testing.T) {
	code, out, errs := call(t, signIn+"\n", "normalize", "--app", "okta", "--encoding", "ocsf")
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d, stderr %q", code, errs)
	}
	var doc struct {
		Class    int    `json:"class_uid"`
		Type     int    `json:"type_uid"`
		Raw      string `json:"raw_data"`
		Time     int64
		User     struct{ UID, Name string }
		Metadata struct {
			UID, Version string
			Logged       int64 `json:"logged_time"`
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Class != 3002 || doc.Type != 300201 || doc.Raw != signIn || doc.Time != 1795464843417 || doc.User.UID != "00u1abcd2EFGHIJK3l4" ||
		doc.Metadata.UID != "f24790d0-d324-47f8-aac5-c27a31ab928d" || doc.Metadata.Version != event.OCSFVersion || doc.Metadata.Logged != 0 {
		t.Errorf("got %s", out)
	}
	code, _, errs = call(t, signIn, "normalize", "--app", "okta", "--encoding", "cef")
	if code != exitUsage || !strings.Contains(errs, `unknown encoding "cef"; there are: ecs, ocsf`) {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
}

func TestNormalizeNamesABadLineAndGoesOn(t *testing.T) {
	code, out, errs := call(t, signIn+"\n{\"uuid\":\n[]\n"+signIn+"\n", "normalize", "--app", "okta")
	if code != exitFailed || strings.Count(out, "\n") != 2 {
		t.Fatalf("exit code %d, want 1 and two documents:\n%s", code, out)
	}
	lines := strings.Split(errs, "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "line 2: ") || !strings.HasPrefix(lines[1], "line 3: ") {
		t.Errorf("stderr: %q", errs)
	}
}

// endless gives one line without an end up to n bytes, then a good one.
type endless struct {
	n    int
	tail string
}

// Read is io.Reader's.
func (e *endless) Read(b []byte) (int, error) {
	if e.n <= 0 {
		n := copy(b, e.tail)
		if e.tail = e.tail[n:]; n == 0 {
			return 0, errors.New("the disk is gone")
		}
		return n, nil
	}
	for i := range b {
		b[i] = 'x'
	}
	e.n -= len(b)
	return len(b), nil
}

func TestNormalizeBoundsALine(t *testing.T) {
	var out, errs strings.Builder
	in := &endless{n: maxLine + 1, tail: "\nshort\n"}
	err := normalize(in, &out, &errs, event.AppendECS, func(raw json.RawMessage, _ func(event.View)) error {
		fmt.Fprintf(&out, "%s;", raw)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "read line 3: the disk is gone") {
		t.Errorf("error %v", err)
	}
	if out.String() != "short;" || !strings.HasPrefix(errs.String(), "line 1: longer than") {
		t.Errorf("stdout %q, stderr %q", out.String(), errs.String())
	}
}
