package procs

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// sinkVar makes a test binary a sink.
const sinkVar = "LONGSHORE_SINK"

// Counts are what a sink got of one stream of records.
type Counts struct {
	Records int // all of them
	Keys    int // different ids
	// Sum over the different ids, as sim.Digest has it: two sets are equal when numbers and sums are.
	Sum uint64
	// Objects and their ObjectSum are the same of the raw objects, of which each may make several records.
	Objects   int
	ObjectSum uint64
}

// Repeats is how many records came that had come before.
func (c Counts) Repeats() int { return c.Records - c.Keys }

// Sink takes OTLP/HTTP in a process of its own, and counts what comes. It does not drop repeats, so that they show.
type Sink struct {
	*Proc
	Base string
}

// StartSink runs a sink until the test ends.
func StartSink(t testing.TB) *Sink {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	line := make(chan string, 1)
	p := run(t, func(l string) { line <- l }, r, []string{sinkVar + "=1"}, self)
	_ = r.Close()
	select {
	case base := <-line:
		return &Sink{p, base}
	case <-p.done:
		t.Fatalf("the sink ended: %s", p.Said())
	}
	return nil
}

// Counts are what came so far, by dataset and, of entities, their type: "okta.system", "okta.inventory user".
func (s *Sink) Counts() map[string]Counts {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	r, err := client.Get(s.Base + "/counts")
	if err != nil {
		s.t.Fatalf("ask the sink: %v\n%s", err, s.Said())
	}
	defer r.Body.Close()
	var out map[string]Counts
	if err := json.NewDecoder(r.Body).Decode(&out); err != nil {
		s.t.Fatal(err)
	}
	return out
}

// counting is the sink's state.
type counting struct {
	mu     sync.Mutex
	counts map[string]*Counts
	seen   map[string]map[uint64]bool
}

// sink is the sink's program. It says its address on out and ends when in does.
func sink(in io.Reader, out io.Writer) error {
	c := &counting{counts: map[string]*Counts{}, seen: map[string]map[uint64]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", c.take)
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		_ = json.NewEncoder(w).Encode(c.counts)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = srv.Close()
	}()
	fmt.Fprintf(out, "http://%s\n", l.Addr())
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// take is POST /v1/logs. What is refused is not counted.
func (c *counting) take(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, 0, max(0, r.ContentLength)+512)
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	each(body, 1, func(b []byte) {
		of := &names{}
		each(b, 1, func(resource []byte) { each(resource, 1, of.read) })
		each(b, 2, func(scope []byte) { each(scope, 2, func(record []byte) { c.record(*of, record) }) })
	})
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// names are the attributes that the sink reads.
type names struct{ id, dataset, entity string }

// read takes one KeyValue. It is read by hand: decoding all of a record would cost as much as the collector under test.
func (n *names) read(b []byte) {
	var into *string
	each(b, 1, func(key []byte) {
		switch string(key) {
		case "event.id":
			into = &n.id
		case "event.dataset":
			into = &n.dataset
		case "entity.type":
			into = &n.entity
		}
	})
	if into != nil {
		each(b, 2, func(value []byte) { each(value, 1, func(v []byte) { *into = string(v) }) })
	}
}

// record counts a LogRecord.
func (c *counting) record(of names, b []byte) {
	each(b, 6, of.read)
	stream := of.dataset
	if of.entity != "" {
		stream += " " + of.entity
	}
	n := c.counts[stream]
	if n == nil {
		n = &Counts{}
		c.counts[stream], c.seen[stream] = n, map[uint64]bool{}
	}
	n.Records++
	if sum := sim.KeySum(of.id); !c.seen[stream][sum] {
		c.seen[stream][sum] = true
		n.Keys++
		n.Sum += sum
		if saas.ObjectKey(of.id) == of.id { // the first record of an object stands for it
			n.Objects++
			n.ObjectSum += sum
		}
	}
}

// each calls f for every length-delimited field of this number in a message.
func each(b []byte, number protowire.Number, f func([]byte)) {
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if num == number && kind == protowire.BytesType {
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return
			}
			f(v)
			b = b[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, kind, b); n < 0 {
			return
		}
		b = b[n:]
	}
}
