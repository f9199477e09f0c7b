package exporters

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/exporters/kafka"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/oracles/procs"
)

const (
	benchBatches = 20 // a round
	benchSize    = 2000
	benchAtOnce  = 4
	benchRounds  = 12
)

// TestExporterIsAsFastAsABareWriter writes the same records to one Kafka in turns: by the exporter, by a bare writer of kafka-go
// with the same settings that has the bytes already, and by one that is given what the encoder makes of them. The best round of
// each counts, and the goal is 0.9 of the bare writer. The third only shows which part of the difference is encoding.
func TestExporterIsAsFastAsABareWriter(t *testing.T) {
	procs.Measures(t)
	n := node{backends.StartKafka(t), t}
	var records [benchBatches]plog.Logs
	var bytes [benchBatches][]kafkago.Message
	size := 0
	for i := range records {
		records[i] = batch("bench", i*benchSize, (i+1)*benchSize)
		for _, w := range views(records[i]) {
			full(w)
			headers := []kafkago.Header{{Key: "module", Value: []byte("okta")}, {Key: "dataset", Value: []byte("okta.system")},
				{Key: "schema", Value: []byte("ecs")}, {Key: "event_id", Value: []byte(w.Str("event.id"))}}
			m := kafkago.Message{Key: []byte(w.DocID()), Value: event.AppendECS(nil, w, event.Encoding{Namespace: "saas"}), Headers: headers}
			bytes[i] = append(bytes[i], m)
			size += len(m.Value)
		}
	}
	const count = benchBatches * benchSize
	t.Logf("%d messages of %d bytes", count, size/count)

	e := n.exporter(t, func(c *kafka.Config) { c.Topic = "bench.exporter" })
	client := &kafkago.Transport{MetadataTTL: 2 * time.Second}
	defer client.CloseIdleConnections()
	w := &kafkago.Writer{Addr: kafkago.TCP(n.Addr), Topic: "bench.writer", RequiredAcks: kafkago.RequireAll, Compression: kafkago.Lz4,
		BatchBytes: 1_000_000, BatchSize: 10_000, BatchTimeout: time.Millisecond, Balancer: kafkago.Murmur2Balancer{Consistent: true},
		AllowAutoTopicCreation: true, Transport: client}
	defer func() { _ = w.Close() }()

	exporter := func(i int) { e.send(records[i]) }
	writer := func(i int) {
		if err := w.WriteMessages(t.Context(), bytes[i]...); err != nil {
			t.Error(err)
		}
	}
	exporter(0) // makes the topic
	var err error
	for range 50 {
		if err = w.WriteMessages(t.Context(), bytes[0]...); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	encoder := func(i int) {
		made := make([]kafkago.Message, len(bytes[i]))
		for k, w := range views(records[i]) {
			made[k] = kafkago.Message{Key: []byte(w.DocID()), Value: event.AppendECS(nil, w, event.Encoding{Namespace: "saas"}),
				Headers: bytes[i][k].Headers}
		}
		if err := w.WriteMessages(t.Context(), made...); err != nil {
			t.Error(err)
		}
	}
	ways := []way{{name: "exporter"}, {name: "encoder and writer"}, {name: "writer alone"}}
	for k, write := range []func(int){exporter, encoder, writer} {
		ways[k].write = func() { round(benchBatches, write) }
	}
	for range benchRounds {
		for k := range ways {
			took, cpu := ways[k].run(true)
			t.Logf("%s: %.0f messages/s, client %.1f CPU-µs each", ways[k].name, count/took.Seconds(), cpu.Seconds()*1e6/count)
		}
	}
	ratio := ways[1].best.Seconds() / ways[0].best.Seconds()
	alone := ways[2].best.Seconds() / ways[0].best.Seconds()
	t.Logf("the exporter is %.2f times as fast as encoder and writer, %.2f times as the writer alone", ratio, alone)
	if alone < 0.9 {
		t.Errorf("the exporter is %.2f times as fast as the writer alone, want 0.9", alone)
	}
	for _, topic := range []string{"bench.exporter", "bench.writer"} {
		messages, size, batches := n.kept(topic)
		t.Logf("%s: %d messages, %d bytes each in %d batches", topic, messages, size/messages, batches)
	}
	if keys, _ := n.keys("bench.exporter"); len(keys) != count {
		t.Fatalf("%d of %d records are there", len(keys), count)
	}
}

// kept counts what the broker keeps of a topic: messages, bytes, and batches, each of which was a request.
func (n node) kept(topic string) (messages, size, batches int) {
	n.t.Helper()
	logs, err := filepath.Glob(filepath.Join(n.Data, "*", topic+"-*", "*.log"))
	if err != nil || len(logs) == 0 {
		n.t.Fatalf("no files of %s, %v", topic, err)
	}
	for _, name := range logs {
		text, err := os.ReadFile(name)
		if err != nil {
			n.t.Fatal(err)
		}
		size += len(text)
		for len(text) > 61 { // the head of a batch: its length at 8, the number of messages at 57
			messages += int(binary.BigEndian.Uint32(text[57:]))
			batches++
			text = text[min(len(text), 12+int(binary.BigEndian.Uint32(text[8:]))):]
		}
	}
	return messages, size, batches
}

// round writes all batches, some at the same time.
func round(batches int, write func(int)) {
	var wait sync.WaitGroup
	for k := range benchAtOnce {
		wait.Go(func() {
			for i := k; i < batches; i += benchAtOnce {
				write(i)
			}
		})
	}
	wait.Wait()
}

// full gives a record a raw object and attributes as long as those of a real event.
func full(w event.View) {
	id := w.Str("event.id")
	var target strings.Builder
	for i := range 3 {
		fmt.Fprintf(&target, `,{"id":"0oa%s%d","type":"AppInstance","alternateId":"app-%d@acme.example","displayName":"Application %d",`+
			`"detailEntry":{"signOnModeType":"SAML_2_0","policy":"%s"}}`, id, i, i, i, strings.Repeat("p", 40))
	}
	w.Log.Body().SetStr(fmt.Sprintf(`{"uuid":%q,"published":"2026-11-20T10:00:00.000Z","eventType":"user.session.start","version":"0",`+
		`"severity":"INFO","displayMessage":"User login to Okta","actor":{"id":"00u%s","type":"User","alternateId":"%s@acme.example",`+
		`"displayName":"User %s"},"client":{"userAgent":{"rawUserAgent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36",`+
		`"os":"Mac OS X","browser":"CHROME"},"zone":"null","device":"Computer","ipAddress":"192.0.2.7","geographicalContext":{"city":"Lyon",`+
		`"state":"Rhone","country":"France","postalCode":"69001","geolocation":{"lat":45.7,"lon":4.8}}},"outcome":{"result":"SUCCESS"},`+
		`"target":[{"id":"00u%s","type":"User","alternateId":"%s@acme.example","displayName":"User %s"}%s],"transaction":{"type":"WEB",`+
		`"id":"%s"},"debugContext":{"debugData":{"requestId":"%s","dtHash":%q,"requestUri":"/api/v1/authn","url":"/api/v1/authn?"}},`+
		`"authenticationContext":{"authenticationStep":0,"externalSessionId":"102%s"},"securityContext":{"asNumber":64496,"asOrg":"acme",`+
		`"isp":"acme","domain":"acme.example","isProxy":false},"request":{"ipChain":[{"ip":"192.0.2.7","version":"V4"}]}}`,
		id, id, id, id, id, id, id, target.String(), id, id, strings.Repeat("0af3", 16), id))
	a := w.Log.Attributes()
	for i, name := range []string{"event.kind", "event.outcome", "event.reason", "event.provider", "user.id", "user.email", "user.full_name",
		"user_agent.original", "user_agent.name", "user_agent.os.name", "client.geo.city_name", "client.geo.country_name", "client.ip",
		"source.geo.city_name", "source.geo.region_name", "source.as.organization.name", "source.domain", "session.id", "transaction.id",
		"http.request.id", "url.path", "saas.app.name", "saas.app.id", "target.user.id", "target.user.name"} {
		a.PutStr(name, fmt.Sprint(name[len(name)/2:], " ", i, " ", id))
	}
}
