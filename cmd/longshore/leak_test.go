package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/store"
)

// shelf stands in for Elasticsearch: it keeps every request, and refuses some documents with words of theirs, as servers do.
type shelf struct {
	mu      sync.Mutex
	got     bytes.Buffer
	refused int
}

// ServeHTTP is http.Handler's.
func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		if z, err := gzip.NewReader(r.Body); err == nil {
			in = z
		}
	}
	body, _ := io.ReadAll(in)
	fmt.Fprintf(&s.got, "%s %s %v\n", r.Method, r.URL, r.Header)
	s.got.Write(body)
	if r.URL.Path != "/_bulk" {
		_, _ = io.WriteString(w, `{"version":{"number":"8.19.0"}}`)
		return
	}
	var items []string
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		verb := "create"
		if strings.Contains(lines.Text(), `"index":`) {
			verb = "index"
		}
		lines.Scan()
		item, _ := json.Marshal(map[string]any{verb: map[string]any{"status": 201}})
		if len(lines.Bytes())%4 == 0 {
			s.refused++
			doc := lines.Text()
			item, _ = json.Marshal(map[string]any{verb: map[string]any{"status": 400, "error": map[string]any{
				"type":   "document_parsing_exception",
				"reason": "failed to parse field [note]. Preview of field's value: '" + doc[:min(len(doc), 2000)] + "'"}}})
		}
		items = append(items, string(item))
	}
	fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
}

// leakFile is the content of a file of a form with some sentences in it, and its name; several forms are broken.
func leakFile(t testing.TB, i int, sentences []string) (name, content string) {
	text := strings.Join(sentences, "\n\n") + "\n"
	quoted, _ := json.Marshal(sentences)
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", "\"", "&quot;").Replace(text)
	packed := func(files ...string) string { return string(made.Zip(t, files...)) }
	word := made.Word(t, "<w:p><w:r><w:t>"+escaped+"</w:t></w:r></w:p>")
	gz := string(made.Gzip(t, text))
	forms := []struct{ ext, content string }{
		{"txt", text}, {"csv", "n,note\n1,\"" + strings.ReplaceAll(text, `"`, `""`) + "\"\n"}, {"json", `{"notes":` + string(quoted) + `}`},
		{"xml", "<d><note>" + escaped + "</note></d>"}, {"html", "<html><body><p>" + escaped + "</p></body></html>"}, {"docx", word},
		{"zip", packed("inner/"+compacted(sentences[0])[:min(20, len(compacted(sentences[0])))]+".txt", text, "b.docx", word)},
		{"txt.gz", gz}, {"eml", "From: a@acme.example\nSubject: " + strings.ReplaceAll(sentences[0], "\n", " ") + "\n\n" + text},
		{"rtf", `{\rtf1 ` + text + `}`}, {"yaml", "a: |\n  " + strings.ReplaceAll(text, "\n", "\n  ")},
		// broken
		{"zip", packed("a.txt", text)[:len(packed("a.txt", text))-40]}, {"docx", strings.Replace(word, "word/", "w\x00rd/", 1)},
		{"txt.gz", gz[:len(gz)/2]}, {"pdf", "%PDF-1.7\n1 0 obj <</Type/" + text + ">> endobj\n"}, {"json", `{"notes":` + string(quoted)},
		{"xml", "<d><" + escaped + "><d>"}, {"bin", "\x00\x01\x02" + text}, {"7z", "7z\xbc\xaf\x27\x1c" + text},
		{"png", "\x89PNG\r\n\x1a\n" + text}, {"rtf", `{\rtf1 {{{{ ` + text},
		{"eml", "From: a@b.example\nContent-Type: multipart/mixed; boundary=\"" + compacted(sentences[0]) + "\"\n\n--x\n" + text},
	}
	f := forms[i%len(forms)]
	return fmt.Sprintf("f%d.%s", i, f.ext), f.content
}

// upload puts files into a fake of Box.
func upload(t *testing.T, s *sim.Sim, base string, files map[string]string) {
	t.Helper()
	auth := s.Config(base)["auth"].(obj)
	str := func(name string) string { v, _ := auth[name].(string); return v }
	resp, err := http.PostForm(base+"/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {str("client_id")},
		"client_secret": {str("client_secret")}, "box_subject_type": {"enterprise"}, "box_subject_id": {str("enterprise_id")}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var token struct {
		Value string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.Value == "" {
		t.Fatalf("no token: status %d, %v", resp.StatusCode, err)
	}
	for name, content := range files {
		body := "--edge\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n" + `{"name":"` + name + `","parent":{"id":"0"}}` +
			"\r\n--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\nContent-Type: application/octet-stream\r\n\r\n" +
			content + "\r\n--edge--\r\n"
		req, _ := http.NewRequest(http.MethodPost, base+"/api/2.0/files/content", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+token.Value)
		req.Header.Set("Content-Type", "multipart/form-data; boundary=edge")
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode >= 300 {
			t.Fatalf("upload %s: %v, %v", name, err, resp)
		}
		_ = resp.Body.Close()
	}
}

// leakEvents are records of a log that hold sentences, as JSON lines.
func leakEvents(sentences []string) string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	for i, s := range sentences {
		inner, _ := json.Marshal(obj{"note": s})
		at := time.Now().Add(-time.Duration(20+i) * time.Minute)
		_ = enc.Encode(obj{"uuid": fmt.Sprintf("e-%d", i), "published": at.UTC().Format(time.RFC3339),
			"eventType": "user.session.start", "displayMessage": s, "severity": "INFO", "outcome": obj{"result": "FAILURE", "reason": s},
			"actor":        obj{"id": "00u1", "type": "User", "alternateId": "ann@acme.example", "displayName": "Ann"},
			"debugContext": obj{"debugData": obj{"note": s, "inner": string(inner), "requestUri": "/x?q=" + url.QueryEscape(s)}},
			"target":       []any{obj{"id": "00u2", "type": "User", "alternateId": "bob@acme.example", "displayName": s}}})
	}
	return out.String()
}

// leakRig is the program with all that it may write below dir: debug logs, its own metrics, a store, an index that refuses documents with
// words of theirs, dead letters, state.
type leakRig struct {
	dir, db, metrics string
	index            *shelf
	agent            *started
}

func newLeakRig(t *testing.T, receivers obj, redaction string, exporters ...string) *leakRig {
	t.Helper()
	g := &leakRig{dir: t.TempDir(), metrics: freePort(t), index: &shelf{}}
	srv := httptest.NewServer(g.index)
	t.Cleanup(srv.Close)
	host, portText, _ := net.SplitHostPort(g.metrics)
	port, _ := strconv.Atoi(portText)
	g.db = filepath.Join(g.dir, "longshore.db")
	to := obj{"sqlite": obj{"path": g.db}, "elasticsearch": obj{"endpoints": []string{srv.URL}, "install_templates": false,
		"dead_letter": obj{"file": filepath.Join(g.dir, "dead.jsonl")}}}
	for _, id := range exporters {
		to[id] = obj{"verbosity": "detailed"}
	}
	text := pipeline(g.dir, receivers, to, func(cfg obj) {
		cfg["processors"] = obj{"dlp": obj{"packs": leakPacks, "min_confidence": 65, "fingerprint_key": "0123456789abcdef",
			"redaction": obj{"method": redaction}}, "governance": obj{"policies": samplePolicies(), "storage": "file_storage"}}
		service := cfg["service"].(obj)
		service["pipelines"].(obj)["logs"].(obj)["processors"] = []string{"dlp", "governance"}
		service["telemetry"] = obj{"logs": obj{"level": "debug", "output_paths": []string{filepath.Join(g.dir, "agent.log")}},
			"metrics": obj{"level": "detailed", "readers": []obj{{"pull": obj{"exporter": obj{"prometheus": obj{"host": host, "port": port}}}}}}}
	})
	g.agent = start(t, "--config", file(t, "agent.yaml", text))
	return g
}

// end waits until all is scanned, ends the program and gives what its metrics said.
func (g *leakRig) end(t *testing.T, files, records int) (metrics []byte) {
	t.Helper()
	wait(t, func() string {
		select {
		case code := <-g.agent.code:
			t.Fatalf("exit code %d:\n%s", code, g.agent.errs)
		default:
		}
		return leakScanned(t, g.db, files, records)
	})
	resp, err := http.Get("http://" + g.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	metrics, _ = io.ReadAll(resp.Body)
	if code := g.agent.end(t, 20*time.Second); code != exitOK {
		t.Fatalf("exit code %d:\n%s", code, g.agent.errs)
	}
	if !bytes.Contains(metrics, []byte("longshore_dlp_findings")) {
		t.Errorf("the metrics are %.300s", metrics)
	}
	return metrics
}

// TestNoScannedValueIsInAnythingTheAgentWrites plants 1,000 values in the files of a tenant, whole and broken ones of many kinds, and in
// the records of another one, which are redacted, and looks at every byte that the program writes.
func TestNoScannedValueIsInAnythingTheAgentWrites(t *testing.T) {
	const inFiles, inRecords, each = 840, 160, 35
	sentences, values := plantings(t, inFiles+inRecords)
	box, at := fake(t, "box", sim.Options{Events: 20, Files: 10, Users: 4, Limits: -1})
	files := map[string]string{}
	for i := range inFiles / each {
		name, content := leakFile(t, i, sentences[i*each:(i+1)*each])
		files[name] = content
	}
	upload(t, box, at, files)
	okta, oktaAt := fake(t, "okta", sim.Options{Users: 5, Limits: -1, Replay: strings.NewReader(leakEvents(sentences[inFiles:]))})
	g := newLeakRig(t, obj{"box/acme": polling(box, at, obj{"quota_share": 1}), "okta/acme": polling(okta, oktaAt, nil)}, "replace", "debug")
	metrics := g.end(t, len(files), inRecords)
	l := newLeaks(values)
	var found []string
	look := func(where string, b []byte) { found = append(found, l.in(where, b)...) }
	look("stdout", []byte(g.agent.out.String()))
	look("stderr", []byte(g.agent.errs.String()))
	look("metrics", metrics)
	look("the index", g.index.got.Bytes())
	everyFile(t, g.dir, look)
	documents(t, g.db, look)
	for _, f := range found[:min(len(found), 20)] {
		t.Error(f)
	}
	dead, _ := os.ReadFile(filepath.Join(g.dir, "dead.jsonl"))
	if t.Logf("%d bytes, %d documents refused", l.bytes, g.index.refused); g.index.refused == 0 || len(dead) == 0 || l.bytes < 1<<20 {
		t.Errorf("%d bytes were looked at, %d of dead letters", l.bytes, len(dead))
	}
}

// TestNoValueOfARecordIsInLogsAndState: records that are not redacted are exported as they are, and told of nowhere else.
func TestNoValueOfARecordIsInLogsAndState(t *testing.T) {
	sentences, values := plantings(t, 160)
	okta, at := fake(t, "okta", sim.Options{Users: 5, Limits: -1, Replay: strings.NewReader(leakEvents(sentences))})
	g := newLeakRig(t, obj{"okta/acme": polling(okta, at, nil)}, "none")
	metrics := g.end(t, 0, len(sentences))
	l := newLeaks(values)
	look := func(where string, b []byte) {
		if strings.HasPrefix(where, "longshore.db") || where == "dead.jsonl" {
			return
		}
		for _, f := range l.in(where, b) {
			t.Error(f)
		}
	}
	look("stdout", []byte(g.agent.out.String()))
	look("stderr", []byte(g.agent.errs.String()))
	look("metrics", metrics)
	everyFile(t, g.dir, look)
	if g.index.refused == 0 || len(l.in("the index", g.index.got.Bytes())) == 0 {
		t.Errorf("%d documents were refused, and the index holds no value", g.index.refused)
	}
}

// leakScanned says what of the planted was not scanned yet.
func leakScanned(t *testing.T, db string, files, records int) string {
	r, err := store.OpenReader(t.Context(), db)
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	scans, alerts := 0, map[string]bool{}
	_, err = since(t.Context(), r, 0, func(_ int64, doc []byte) error {
		switch {
		case bytes.Contains(doc, []byte(`"action":"content_scan"`)):
			scans++
		case bytes.Contains(doc, []byte(`"action":"data_match"`)):
			var d struct{ Event struct{ Original string } }
			var body struct{ Record string }
			if err := json.Unmarshal(doc, &d); err != nil {
				return err
			}
			_ = json.Unmarshal([]byte(d.Event.Original), &body)
			alerts[body.Record] = true
		}
		return nil
	})
	if err != nil || scans < files || len(alerts) < records {
		return fmt.Sprintf("%d of %d files and %d of %d records were scanned: %v", scans, files, len(alerts), records, err)
	}
	return ""
}

// everyFile shows all files below a folder.
func everyFile(t *testing.T, dir string, look func(where string, b []byte)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		look(name, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// documents shows those of a store, which may hold them packed.
func documents(t *testing.T, db string, look func(where string, b []byte)) {
	t.Helper()
	r, err := store.OpenReader(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := since(t.Context(), r, 0, func(_ int64, doc []byte) error { look("a stored document", doc); return nil }); err != nil {
		t.Fatal(err)
	}
}

// TestNoScannedValueIsInWhatScanSays: the same files, local, in every form that `longshore scan` has.
func TestNoScannedValueIsInWhatScanSays(t *testing.T) {
	const each = 6
	sentences, values := plantings(t, 264)
	var files []string
	for i := range len(sentences) / each {
		name, content := leakFile(t, i, sentences[i*each:(i+1)*each])
		files = append(files, name, content)
	}
	folder(t, files...)
	l := newLeaks(values)
	for _, flags := range []string{"", "--json", "--sarif", "--explain", "--json --explain", "--sarif --explain"} {
		args := append([]string{"scan", "--min-confidence", "65", "--packs", strings.Join(leakPacks, ",")}, strings.Fields(flags)...)
		code, out, errs := call(t, "", append(args, ".")...)
		if code != exitFailed || len(out) < 10_000 {
			t.Errorf("scan %s: exit code %d, %d bytes: %s", flags, code, len(out), errs)
		}
		for _, f := range l.in("scan "+flags, []byte(out+errs)) {
			t.Error(f)
		}
	}
}
