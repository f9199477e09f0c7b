package campaign

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/oracles/procs"
)

var day = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

const (
	atOnce    = 4   // requests that are under way at the same time
	inRequest = 500 // records
	bigBody   = 3 << 19
)

// load is what a receiver would hand on: records of 2 kB, some of them such as no server takes.
type load struct {
	records int
	poison  int           // one in so many has no time, or a text where the schema has an object; 0 = none
	timely  bool          // no poison of the second kind, which not every server refuses
	big     int           // one in so many has a body of 1.5 MB; 0 = none
	over    time.Duration // the load is spread over so long; 0 = as fast as it goes
	acked   atomic.Int64
	resent  atomic.Int64
}

func (l *load) isPoison(i int) bool { return l.poison > 0 && i%l.poison == l.poison/2 }
func (l *load) isBig(i int) bool    { return l.big > 0 && i%l.big == l.big/3 }

// batch makes the records from..to-1. The same numbers give the same records.
func (l *load) batch(from, to int) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("event.module", "okta")
	rl.Resource().Attributes().PutStr("saas.tenant", "acme")
	rl.Resource().Attributes().PutStr("event.dataset", "okta.system")
	sl := rl.ScopeLogs().AppendEmpty()
	for i := from; i < to; i++ {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(day.Add(time.Duration(i) * 100 * time.Millisecond)))
		lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(day.Add(24 * time.Hour)))
		a := lr.Attributes()
		a.PutStr("event.id", id(i))
		a.PutStr("event.kind", "event")
		a.PutStr("event.action", "user.session.start")
		a.PutStr("event.outcome", "success")
		a.PutStr("source.ip", fmt.Sprintf("192.0.2.%d", i%250))
		switch {
		case !l.isPoison(i):
			a.PutStr("user.name", fmt.Sprintf("user%d@acme.example", i%400))
		case l.timely || i/l.poison%2 == 0:
			lr.SetTimestamp(0)
			lr.SetObservedTimestamp(0)
		default:
			a.PutStr("user", "a text where the schema has an object")
		}
		size := 1700
		if l.isBig(i) {
			size = bigBody
		}
		lr.Body().SetStr(fmt.Sprintf(`{"uuid":%q,"client":{"zone":"zone%d"},"debugContext":{"debugData":{"x":%q}}}`, id(i), i%7, noise(i, size)))
	}
	return logs
}

func id(i int) string { return fmt.Sprintf("r-%06d", i) }

// noise is text that does not shrink to much less than half.
func noise(seed, n int) string {
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%016x", r.Uint64())
	}
	return b.String()[:n]
}

// documents gives the stable id of every record, as the exporters write it.
func (l *load) documents() map[string]string {
	of := make(map[string]string, l.records)
	for from := 0; from < l.records; from += inRequest {
		for w := range event.Views(l.batch(from, min(from+inRequest, l.records))) {
			of[w.DocID()] = w.Str("event.id")
		}
	}
	return of
}

// send hands all records to the collector at addr and returns when it has acknowledged every one. What is refused is sent
// again, as a receiver with a mark does.
func (l *load) send(t *testing.T, addr string, c *procs.Proc) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	defer client.CloseIdleConnections()
	procs.Until(t, "the collector to listen", time.Minute, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil || c.Ended()
	})
	froms := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for from := range froms {
				l.post(t, client, "http://"+addr+"/v1/logs", c, from)
			}
		})
	}
	began := time.Now()
	for from := 0; from < l.records; from += inRequest {
		if due := began.Add(time.Duration(float64(l.over) * float64(from) / float64(l.records))); l.over > 0 {
			<-time.After(time.Until(due))
		}
		froms <- from
	}
	close(froms)
	wg.Wait()
}

func (l *load) post(t *testing.T, client *http.Client, url string, c *procs.Proc, from int) {
	to := min(from+inRequest, l.records)
	body, err := plogotlp.NewExportRequestFromLogs(l.batch(from, to)).MarshalProto()
	if err != nil {
		t.Error(err)
		return
	}
	for first := true; ; first = false {
		if !first {
			l.resent.Add(int64(to - from))
			<-time.After(200 * time.Millisecond)
		}
		if c.Ended() {
			t.Errorf("the collector ended: %.2000s", c.Said())
			return
		}
		res, err := client.Post(url, "application/x-protobuf", bytes.NewReader(body))
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		switch {
		case res.StatusCode == http.StatusOK:
			l.acked.Add(int64(to - from))
			return
		case res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests:
			t.Errorf("the collector refused records %d to %d for good: %s", from, to, res.Status)
			return
		}
	}
}
