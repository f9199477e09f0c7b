package okta

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// grove is the collector's program, installed with its list of requirements.
func grove(t *testing.T) string {
	t.Helper()
	return filepath.Join(procs.Python(t, filepath.Join("grove", "requirements.txt")), "grove")
}

func TestAnotherCollectorReadsTheSameEvents(t *testing.T) {
	program := grove(t)
	begin := time.Now().Add(-30 * time.Hour)
	o := startTLS(t, sim.Options{Seed: 13, Events: 5300, Late: 0.1, Start: begin, Span: 24 * time.Hour, Variant: "token"})
	u, err := url.Parse(o.base)
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(u.Host, ".1:")
	conf, out := t.TempDir(), t.TempDir()
	text, err := json.Marshal(map[string]string{"name": "org", "connector": "okta_system_log", "identity": host, "domain": "1:" + port,
		"key": o.auth()["token"].(string)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(conf, "org.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + conf, "REQUESTS_CA_BUNDLE=" + o.ca, "SSL_CERT_FILE=" + o.ca,
		"GROVE_CONFIG_LOCAL_FILE_PATH=" + conf, "GROVE_CACHE_HANDLER=local_memory", "GROVE_OUTPUT_HANDLER=local_file",
		"GROVE_OUTPUT_LOCAL_FILE_PATH=" + out}
	said, err := c.CombinedOutput()
	if err != nil || bytes.Contains(said, []byte(`"level": "ERROR"`)) {
		t.Fatalf("run grove: %v\n%s", err, said)
	}
	got, log := collected(t, out), []string{"system_log"}
	got.same(t, o, "grove", log)
	alike(t, delivered(t, o, log), "grove", got, log)
}

// collected reads the events that grove wrote: lines of JSON, in compressed files.
func collected(t *testing.T, dir string) *sets {
	t.Helper()
	s := &sets{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(z)
		for lines.Buffer(nil, 1<<20); lines.Scan(); {
			var e struct{ UUID string }
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				return err
			}
			s.add("system_log", e.UUID)
		}
		return lines.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
