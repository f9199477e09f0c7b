package box

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// engine stands for the engine of OCR, tesseract IN OUT …, which writes OUT.txt: it tells a card number whatever the picture shows.
const engine = `#!/bin/sh
[ $# -gt 1 ] && echo 'paid with card 4539 1488 0343 6467' > "$2.txt"
exit 0
`

// tika starts Apache Tika's server and gives its address. What is real is the server and its interface.
func tika(t *testing.T) string {
	t.Helper()
	jars, err := filepath.Glob(filepath.Join(procs.Maven(t, filepath.Join("tika", "pom.xml")), "tika-server-*.jar"))
	if err != nil || len(jars) != 1 {
		t.Fatalf("find Tika's server: %v, %v", jars, err)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		procs.Absent(t, "java is not installed")
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "tesseract"), []byte(engine), 0o700); err != nil {
		t.Fatal(err)
	}
	port := procs.Port(t)
	base := "http://127.0.0.1:" + port
	procs.Serve(t, base+"/version", []string{"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH")},
		java, "-Xmx512m", "-jar", jars[0], "-h", "127.0.0.1", "-p", port)
	return base
}

// picture is a white one.
func picture(t *testing.T) string {
	t.Helper()
	p := image.NewGray(image.Rect(0, 0, 64, 32))
	for i := range p.Pix {
		p.Pix[i] = 0xff
	}
	var b strings.Builder
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPicturesAreReadByTika: pictures by themselves and in documents are sent to Tika's server as it is shipped, and what it says is
// looked at; what has text of its own is not sent.
func TestPicturesAreReadByTika(t *testing.T) {
	at := tika(t)
	e := serve(t, sim.Options{Seed: 71, Events: 10, Users: 3, Files: 3, Limits: -1, Start: time.Now().Add(-30 * time.Hour), Span: 24 * time.Hour})
	owner := e.files(t)[0].Owner.ID
	ids := map[string]string{}
	for name, content := range map[string]string{"scan.png": picture(t), "plain.txt": "nothing is in it",
		"letter.docx": made.Docx(t, "<w:p><w:r><w:t>see the picture</w:t></w:r></w:p>", "word/media/image1.png", picture(t))} {
		ids[e.create(t, owner, "0", name, content).ID] = name
	}
	dir := t.TempDir()
	db := filepath.Join(dir, "longshore.db")
	p := procs.Pipeline{Dir: dir, Order: []string{"dlp"},
		Processors: procs.M{"dlp": procs.M{"content": procs.M{"ocr": procs.M{"endpoint": at}}}},
		Receivers:  procs.M{"box/acme": e.receiver(procs.M{"quota_share": 1})},
		Exporters:  procs.M{"sqlite": procs.M{"path": db}}}
	files := e.files(t)
	c := p.Start(t)
	procs.Until(t, "a verdict on every file", 2*time.Minute, func() bool {
		if c.Ended() {
			t.Fatalf("the collector ended:\n%s", c.Said())
		}
		<-time.After(200 * time.Millisecond)
		return judged(files, verdicts(t, db)) == 0
	})
	c.Stop()
	got := map[string]string{}
	stored(t, db, "dataset = 'saas.finding'", func(d doc, _ string) {
		if name := ids[d.SAAS.File.ID]; name != "" {
			got[name] += fmt.Sprint(d.SAAS.Finding.Scan, d.SAAS.Finding.DataType, " ")
		}
	})
	for name, want := range map[string]string{"scan.png": "pci.credit_card", "letter.docx": "pci.credit_card"} {
		if !strings.Contains(got[name], want) || !strings.Contains(got[name], "done") {
			t.Errorf("%s: %s", name, got[name])
		}
	}
	if strings.Contains(got["plain.txt"], "pci") || !strings.Contains(got["plain.txt"], "done") {
		t.Errorf("plain.txt: %s", got["plain.txt"])
	}
}
