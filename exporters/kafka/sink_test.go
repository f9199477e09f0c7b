package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
	"github.com/longshore-dev/longshore/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started is an exporter that writes to s.
func started(t *testing.T, s *standIn, change func(*Config)) *sink {
	t.Helper()
	cfg, _ := defaultConfig().(*Config)
	cfg.Brokers = []string{"127.0.0.1:1"}
	if change != nil {
		change(cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	e := newSink(exportertest.NewNopSettings(NewFactory().Type()), cfg)
	e.dial = func(_ context.Context, cfg *Config) (*cluster, error) { return newCluster(cfg, s, func() {}), nil }
	if err := e.start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// drain pushes as the retry does, each attempt with the exporter's timeout.
func drain(t *testing.T, e *sink, logs plog.Logs) []int {
	t.Helper()
	return deliverytest.Drain(t, func(ctx context.Context, logs plog.Logs) error {
		ctx, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
		defer cancel()
		return e.push(ctx, logs)
	}, logs)
}

func TestEveryRecordIsOneMessageWithItsKeyAndHeaders(t *testing.T) {
	s := newStandIn()
	e := started(t, s, nil)
	logs := deliverytest.Batch(0, 300)
	drain(t, e, logs)
	deliverytest.Same(t, s.keys("saas.events"), deliverytest.IDs(logs))
	m := s.messages[0]
	if m.headers["module"] != "okta" || m.headers["dataset"] != "okta.system" || m.headers["schema"] != "ecs" ||
		!strings.HasPrefix(m.headers["event_id"], "id-") {
		t.Fatalf("headers %v", m.headers)
	}
	var doc struct {
		Event struct{ ID, Original string }
	}
	if err := json.Unmarshal(m.value, &doc); err != nil || doc.Event.ID != m.headers["event_id"] || doc.Event.Original == "" {
		t.Fatalf("value %s, %v", m.value, err)
	}
	if n := e.counters.Count(delivery.Accepted); n != 300 {
		t.Fatalf("%d counted", n)
	}
}

func TestClassesGoToTheirTopics(t *testing.T) {
	f := func(dataset, topic string) {
		t.Helper()
		s := newStandIn()
		logs := deliverytest.Batch(0, 1)
		w := deliverytest.First(logs)
		w.Log.Attributes().PutStr("event.dataset", dataset)
		key := w.DocID()
		if strings.HasSuffix(dataset, ".inventory") {
			w.Log.Attributes().PutStr("entity.type", "user")
			w.Log.Attributes().PutStr("entity.id", "00u1")
			key = w.EntityID()
		}
		drain(t, started(t, s, nil), logs)
		deliverytest.Same(t, s.keys(topic), []string{key})
		one := newStandIn()
		drain(t, started(t, one, func(c *Config) { c.Topic = "all" }), logs)
		deliverytest.Same(t, one.keys("all"), []string{key})
	}
	f("okta.system", "saas.events")
	f("okta.inventory", "saas.entities")
	f("saas.finding", "saas.findings")
	f("saas.action", "saas.actions")
}

func TestEncodingsRoundTrip(t *testing.T) {
	f := func(encoding string, u plog.Unmarshaler) {
		t.Helper()
		s := newStandIn()
		logs := deliverytest.Batch(0, 2)
		drain(t, started(t, s, func(c *Config) { c.Encoding = encoding }), logs)
		for _, m := range s.messages {
			l, err := u.UnmarshalLogs(m.value)
			if err != nil || l.LogRecordCount() != 1 || deliverytest.First(l).DocID() != m.key || m.headers["schema"] != encoding {
				t.Fatalf("%s: %v, %v", encoding, m.headers, err)
			}
		}
	}
	f("otlp_json", &plog.JSONUnmarshaler{})
	f("otlp_proto", &plog.ProtoUnmarshaler{})
}

func TestOCSFIsOneDocumentOfTheSchema(t *testing.T) {
	f := func(drop bool) {
		t.Helper()
		s := newStandIn()
		logs := deliverytest.Batch(0, 2)
		drain(t, started(t, s, func(c *Config) { c.Encoding, c.DropOriginal = "ocsf", drop }), logs)
		deliverytest.Same(t, s.keys("saas.events"), deliverytest.IDs(logs))
		for _, m := range s.messages {
			var doc struct {
				Class    string `json:"class_name"`
				Raw      string `json:"raw_data"`
				Metadata struct {
					UID string
				}
			}
			if err := json.Unmarshal(m.value, &doc); err != nil || doc.Class == "" || doc.Metadata.UID != m.headers["event_id"] ||
				(doc.Raw == "") != drop || m.headers["schema"] != "ocsf" {
				t.Fatalf("%v, %v: %s", m.headers, err, m.value)
			}
		}
	}
	f(false)
	f(true)
}

func TestOnlyWhatFailedIsSentAgain(t *testing.T) {
	for _, fault := range []error{kafka.NotEnoughReplicas, kafka.RequestTimedOut, kafka.TopicAuthorizationFailed, io.ErrUnexpectedEOF} {
		t.Run(fault.Error(), func(t *testing.T) {
			s := newStandIn()
			s.write = func(n int, _ string, part int, _ []got) (kafka.Error, map[int]string, error) {
				var code kafka.Error
				switch {
				case part != 1 || n > 5:
					return 0, nil, nil
				case errors.As(fault, &code):
					return code, nil, nil
				}
				return 0, nil, fault
			}
			e := started(t, s, nil)
			logs := deliverytest.Batch(0, 300)
			sizes := drain(t, e, logs)
			if len(sizes) < 3 || sizes[1] >= 150 || sizes[1] != sizes[2] {
				t.Fatalf("attempts had %v records", sizes)
			}
			deliverytest.Same(t, s.keys("saas.events"), deliverytest.IDs(logs)) // no message twice either
		})
	}
}

func TestFreshTopicIsWaitedForAndNeverSurfaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStandIn()
		s.find = func(n int, _ string) kafka.Error {
			return []kafka.Error{kafka.UnknownTopicOrPartition, kafka.LeaderNotAvailable, 0}[min(n-1, 2)]
		}
		s.write = func(n int, _ string, _ int, _ []got) (kafka.Error, map[int]string, error) {
			if n <= 8 {
				return kafka.UnknownTopicOrPartition, nil, nil
			}
			return 0, nil, nil
		}
		e := started(t, s, nil)
		logs := deliverytest.Batch(0, 50)
		if sizes := drain(t, e, logs); len(sizes) != 1 {
			t.Fatalf("surfaced: %v", sizes)
		}
		deliverytest.Same(t, s.keys("saas.events"), deliverytest.IDs(logs))
	})
}

func TestMissingTopicEndsWithTheTimeoutAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStandIn()
		missing := true
		s.find = func(int, string) kafka.Error {
			if missing {
				return kafka.UnknownTopicOrPartition
			}
			return 0
		}
		e := started(t, s, nil)
		ctx, cancel := context.WithTimeout(t.Context(), e.cfg.Timeout)
		defer cancel()
		err := e.push(ctx, deliverytest.Batch(0, 5))
		var part consumererror.Logs
		if !errors.As(err, &part) || part.Data().LogRecordCount() != 5 || !strings.Contains(err.Error(), `"saas.events"`) {
			t.Fatalf("got %v", err)
		}
		missing = false
		drain(t, e, part.Data())
		deliverytest.Same(t, s.keys("saas.events"), deliverytest.IDs(deliverytest.Batch(0, 5)))
	})
}

func TestTooLargeBatchIsHalvedAndTooLargeMessageSetAside(t *testing.T) {
	s := newStandIn()
	s.limit = 200 << 10
	e := started(t, s, nil)
	logs := deliverytest.Batch(0, 2000)
	w := deliverytest.First(logs)
	w.Log.Body().SetStr(`{"huge":"` + strings.Repeat("y", 900<<10) + `"}`)
	if sizes := drain(t, e, logs); len(sizes) != 1 {
		t.Fatalf("attempts: %v", sizes)
	}
	deliverytest.Same(t, s.keys("saas.events"), slices.DeleteFunc(deliverytest.IDs(logs), func(id string) bool { return id == w.DocID() }))
	deliverytest.Same(t, s.keys("saas.dead_letter"), []string{w.DocID()})
	letter := s.messages[slices.IndexFunc(s.messages, func(m got) bool { return m.topic == "saas.dead_letter" })]
	if len(letter.value) > 200<<10 || !strings.Contains(string(letter.value), "Message Size Too Large") ||
		!strings.Contains(string(letter.value), `"cut":true`) || letter.headers["reason"] == "" {
		t.Fatalf("letter of %d bytes, headers %v", len(letter.value), letter.headers)
	}
	if n := e.counters.Count(delivery.Refused); n != 1 {
		t.Fatalf("%d counted", n)
	}
}

func TestBatchesStayBelowTheirBound(t *testing.T) {
	s := newStandIn()
	s.limit = 32 << 10
	e := started(t, s, func(c *Config) { c.MaxMessageBytes = 32 << 10 })
	drain(t, e, deliverytest.Batch(0, 1000))
	if s.batches > 40 || len(s.messages) != 1000 {
		t.Fatalf("%d batches for %d messages: some were refused as too large", s.batches, len(s.messages))
	}
}

func TestMessageThatABrokerNamesIsSetAsideAlone(t *testing.T) {
	s := newStandIn()
	logs := deliverytest.Batch(0, 60)
	bad := deliverytest.IDs(logs)[7]
	s.write = func(_ int, topic string, _ int, batch []got) (kafka.Error, map[int]string, error) {
		at := slices.IndexFunc(batch, func(m got) bool { return m.key == bad })
		if topic == "saas.dead_letter" || at < 0 {
			return 0, nil, nil
		}
		return kafka.InvalidRecord, map[int]string{at: "no schema fits"}, nil
	}
	e := started(t, s, nil)
	if sizes := drain(t, e, logs); len(sizes) != 1 {
		t.Fatalf("attempts: %v", sizes)
	}
	deliverytest.Same(t, s.keys("saas.events"), slices.DeleteFunc(deliverytest.IDs(logs), func(id string) bool { return id == bad }))
	deliverytest.Same(t, s.keys("saas.dead_letter"), []string{bad})
	letter := s.messages[slices.IndexFunc(s.messages, func(m got) bool { return m.key == bad })]
	if !strings.Contains(string(letter.value), "no schema fits") {
		t.Fatalf("letter %s", letter.value)
	}
}

func TestRecordIsKeptWhenItCannotBeSetAside(t *testing.T) {
	s := newStandIn()
	s.write = func(n int, topic string, _ int, _ []got) (kafka.Error, map[int]string, error) {
		if topic == "saas.dead_letter" && n > 6 {
			return 0, nil, nil
		}
		if topic == "saas.dead_letter" {
			return kafka.TopicAuthorizationFailed, nil, nil
		}
		return kafka.InvalidRecord, nil, nil
	}
	e := started(t, s, nil)
	logs := deliverytest.Batch(0, 4)
	if sizes := drain(t, e, logs); len(sizes) < 2 {
		t.Fatalf("attempts: %v", sizes)
	}
	deliverytest.Same(t, s.keys("saas.dead_letter"), deliverytest.IDs(logs))
}

func TestMessagesOfAKeyKeepTheirOrder(t *testing.T) {
	s := newStandIn()
	s.write = func(n int, _ string, _ int, _ []got) (kafka.Error, map[int]string, error) {
		if n == 2 {
			return kafka.RequestTimedOut, nil, nil
		}
		return 0, nil, nil
	}
	logs := deliverytest.Batch(0, 40)
	i := 0
	for w := range event.Views(logs) {
		w.Log.Attributes().PutStr("event.dataset", "okta.inventory")
		w.Log.Attributes().PutStr("entity.type", "user")
		w.Log.Attributes().PutStr("entity.id", "00u1")
		w.Log.Attributes().PutInt("saas.inventory.sequence", int64(i))
		i++
	}
	e := started(t, s, func(c *Config) { c.MaxMessageBytes = 4 << 10 })
	drain(t, e, logs)
	last := -1
	for _, m := range s.messages {
		var doc struct {
			Saas struct{ Inventory struct{ Sequence int } }
		}
		if err := json.Unmarshal(m.value, &doc); err != nil || doc.Saas.Inventory.Sequence <= last {
			t.Fatalf("%d after %d, %v", doc.Saas.Inventory.Sequence, last, err)
		}
		last = doc.Saas.Inventory.Sequence
	}
	if last != 39 {
		t.Fatalf("the last was %d", last)
	}
}

func TestBytesOfARequestThatWasGivenUpAreNotWrittenOver(t *testing.T) {
	s := newStandIn()
	var kept io.Reader
	s.hold = func(r io.Reader) error {
		if kept != nil {
			return nil
		}
		kept = r
		return context.DeadlineExceeded // the client goes on reading, nobody waits for it
	}
	e := started(t, s, func(c *Config) { c.Topic, c.DropOriginal = "one", true })
	s.topics["one"] = 1
	logs := deliverytest.Batch(0, 20)
	drain(t, e, logs)
	drain(t, e, each(deliverytest.Batch(0, 20), func(_ int, w event.View) { w.Log.Attributes().PutStr("event.id", "other") }))
	set, err := unpacked(kept)
	if err != nil {
		t.Fatal(err)
	}
	late, _, err := read("one", 0, set.Records)
	if err != nil || len(late) != 20 {
		t.Fatalf("%d messages, %v", len(late), err)
	}
	for i, m := range late {
		if !bytes.Contains(m.value, []byte(fmt.Sprintf(`"id":"id-%05d"`, i))) {
			t.Fatalf("message %d became %s", i, m.value)
		}
	}
}

func TestRetriesEndInSetEquality(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStandIn()
		s.write = func(n int, _ string, _ int, _ []got) (kafka.Error, map[int]string, error) {
			switch n % 5 {
			case 0:
				return kafka.NotEnoughReplicas, nil, nil
			case 1:
				return 0, nil, io.EOF
			case 2:
				return kafka.NotLeaderForPartition, nil, nil
			}
			return 0, nil, nil
		}
		cfg, _ := defaultConfig().(*Config)
		cfg.Brokers, cfg.MaxMessageBytes = []string{"127.0.0.1:1"}, 16<<10
		inner := newSink(exportertest.NewNopSettings(NewFactory().Type()), cfg)
		inner.dial = func(_ context.Context, cfg *Config) (*cluster, error) { return newCluster(cfg, s, func() {}), nil }
		e, err := newLogs(t.Context(), inner)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context(), componenttest.NewNopHost()); err != nil {
			t.Fatal(err)
		}
		logs := deliverytest.Batch(0, 1000)
		if err := e.ConsumeLogs(t.Context(), logs); err != nil {
			t.Fatal(err)
		}
		if err := e.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		deliverytest.Same(t, s.keys("saas.events"), deliverytest.IDs(logs))
	})
}

func TestClientOfAClusterThatIsDownEndsCleanly(t *testing.T) {
	cfg, _ := defaultConfig().(*Config)
	cfg.Brokers, cfg.RetryConfig.Enabled, cfg.Timeout = []string{"127.0.0.1:1"}, false, 2*time.Second
	f := NewFactory()
	e, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	err = e.ConsumeLogs(t.Context(), deliverytest.Batch(0, 3))
	var part consumererror.Logs
	if !errors.As(err, &part) || part.Data().LogRecordCount() != 3 || consumererror.IsPermanent(err) {
		t.Fatalf("got %v", err)
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}
