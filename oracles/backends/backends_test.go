package backends

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServersEndWithTheirTest(t *testing.T) {
	f := func(name, pidFile string, start func(testing.TB) *Server) {
		t.Helper()
		var s *Server
		var pid string
		t.Run(name, func(t *testing.T) {
			s = start(t)
			text, err := os.ReadFile(filepath.Join(s.Data, pidFile))
			if err != nil {
				t.Fatal(err)
			}
			pid = strings.TrimSpace(string(text))
			c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.Addr, "http://"), time.Second)
			if err != nil {
				t.Fatalf("%s does not answer: %v", s.Addr, err)
			}
			_ = c.Close()
		})
		if s == nil || pid == "" {
			return
		}
		if err := exec.Command("kill", "-0", pid).Run(); err == nil {
			t.Errorf("%s still runs as %s", name, pid)
		}
		if _, err := os.Stat(s.Data); err == nil {
			t.Errorf("%s left its data in %s", name, s.Data)
		}
	}
	f("kafka", "node-0/pid", func(t testing.TB) *Server { return StartKafka(t) })
	f("elasticsearch", "pid", func(t testing.TB) *Server { return StartElasticsearch(t) })
	f("opensearch", "pid", func(t testing.TB) *Server { return StartOpenSearch(t) })
}

func TestPortsAreFreeTogether(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if allFree(port-100, []int{0, 100}) {
		t.Fatalf("port %d is taken", port)
	}
	if p := freePort(t, 0, 100); p < 20000 || p >= 30000 {
		t.Fatalf("port %d", p)
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	dir := t.TempDir()
	unlock := lock(t, dir)
	f, err := os.Open(filepath.Join(dir, "target", ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		t.Fatal("two hold it")
	}
	unlock()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
}
