package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
	"github.com/longshore-dev/longshore/internal/event"
)

// each changes every record of a batch.
func each(logs plog.Logs, change func(i int, w event.View)) plog.Logs {
	i := 0
	for w := range event.Views(logs) {
		change(i, w)
		i++
	}
	return logs
}

// state turns a record into a state of a user.
func state(w event.View, id string) {
	a := w.Log.Attributes()
	a.PutStr("event.dataset", "okta.inventory")
	a.PutStr("event.kind", "asset")
	a.PutStr("entity.type", "user")
	a.PutStr("entity.id", id)
}

func TestTemplateNamesTheTopic(t *testing.T) {
	f := func(template, tenant, dataset, want string) {
		t.Helper()
		s := newStandIn()
		logs := each(deliverytest.Batch(0, 1), func(_ int, w event.View) {
			w.Res.Resource().Attributes().PutStr("saas.tenant", tenant)
			w.Log.Attributes().PutStr("event.dataset", dataset)
		})
		drain(t, started(t, s, func(c *Config) { c.Topic = template }), logs)
		deliverytest.Same(t, s.keys(want), deliverytest.IDs(logs))
	}
	f("saas.{dataset}", "acme", "okta.system", "saas.okta.system")
	f("{module}-{class}-{tenant}", "acme", "okta.system", "okta-event-acme")
	f("{class}", "acme", "saas.finding", "finding")
	f("{tenant}", "Acmé Ltd./eu", "okta.system", "Acm___Ltd__eu")
	f("{tenant}", "..", "okta.system", "__")
	f("{dataset}", "acme", ".", "_")
	f("{tenant}.x", "", "okta.system", "none.x")
	f("{tenant}", strings.Repeat("a", 300), "okta.system", strings.Repeat("a", 249))
}

func TestTemplateMakesABoundedNumberOfTopics(t *testing.T) {
	s := newStandIn()
	logs := each(deliverytest.Batch(0, maxTopics+40), func(i int, w event.View) {
		w.Log.Attributes().PutStr("event.dataset", fmt.Sprint("d", i))
	})
	e := started(t, s, func(c *Config) { c.Topic = "x.{dataset}" })
	for range 2 { // nor does it grow with time
		drain(t, e, logs)
	}
	names := map[string]int{}
	for _, m := range s.messages {
		names[m.topic]++
	}
	if len(names) != maxTopics+1 || names["saas.events"] != 80 || len(e.topics.names) != maxTopics {
		t.Fatalf("%d topics, %d beyond, %d held", len(names), names["saas.events"], len(e.topics.names))
	}
}

func TestBadTemplatesAreRefusedWithTheirText(t *testing.T) {
	long := strings.Repeat("a", 249)
	for _, text := range []string{"{user}", "x{", "x{module", "}", "a b{module}", "{module}/", long + "{module}", "..", ""} {
		if _, err := parseTemplate(text); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMissingTopicDoesNotKeepOthersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStandIn()
		s.find = func(_ int, topic string) kafka.Error {
			if topic == "x.missing" {
				return kafka.UnknownTopicOrPartition
			}
			return 0
		}
		logs := each(deliverytest.Batch(0, 40), func(i int, w event.View) {
			w.Log.Attributes().PutStr("event.dataset", []string{"missing", "a", "b", "c"}[i%4])
		})
		e := started(t, s, func(c *Config) { c.Topic = "x.{dataset}" })
		ctx, cancel := context.WithTimeout(t.Context(), e.cfg.Timeout)
		defer cancel()
		var part consumererror.Logs
		err := e.push(ctx, logs)
		if !errors.As(err, &part) || part.Data().LogRecordCount() != 10 || !strings.Contains(err.Error(), `"x.missing"`) {
			t.Fatalf("got %v", err)
		}
		if len(s.messages) != 30 {
			t.Fatalf("%d written", len(s.messages))
		}
	})
}

func TestPartitionFollowsTheChoice(t *testing.T) {
	// spread says in how many partitions the records are that have the same of a field, at most.
	f := func(by, field string, want int) {
		t.Helper()
		s := newStandIn()
		logs := each(deliverytest.Batch(0, 300), func(i int, w event.View) {
			w.Log.Attributes().PutStr("user.id", fmt.Sprint("u", i%10))
			w.Log.Attributes().PutStr("saas.tenant", fmt.Sprint("t", i%2))
			w.Log.Attributes().PutStr("user.name", fmt.Sprint("name", i))
		})
		drain(t, started(t, s, func(c *Config) { c.PartitionBy = by }), logs)
		deliverytest.Same(t, s.keys("saas.events"), deliverytest.IDs(logs)) // the key is the id all the same
		where := map[string]map[int]bool{}
		at := map[string]int{}
		for _, m := range s.messages {
			at[m.key] = m.partition
		}
		for w := range event.Views(logs) {
			v := w.Str(field)
			if where[v] == nil {
				where[v] = map[int]bool{}
			}
			where[v][at[w.DocID()]] = true
		}
		most := 0
		for v, in := range where {
			most = max(most, len(in))
			if wanted := choose(v, []int{0, 1, 2}); strings.Contains(field, by) && !in[wanted] {
				t.Fatalf("%s: %q is in %v, not where its hash is, %d", by, v, in, wanted)
			}
		}
		if most != want {
			t.Fatalf("%s: records of one %s are in %d partitions, want %d", by, field, most, want)
		}
	}
	f("id", "user.id", 3)
	f("user", "user.id", 1)
	f("tenant", "saas.tenant", 1)
	f("tenant", "user.id", 1)
	f("user", "saas.tenant", 3)
}

func TestRecordsOfAUserKeepTheirOrder(t *testing.T) {
	s := newStandIn()
	s.write = func(n int, _ string, _ int, _ []got) (kafka.Error, map[int]string, error) {
		if n == 2 || n == 5 {
			return kafka.RequestTimedOut, nil, nil
		}
		return 0, nil, nil
	}
	logs := each(deliverytest.Batch(0, 200), func(i int, w event.View) { w.Log.Attributes().PutStr("user.id", fmt.Sprint("u", i%4)) })
	drain(t, started(t, s, func(c *Config) { c.PartitionBy, c.MaxMessageBytes = "user", 4<<10 }), logs)
	user, last := map[string]string{}, map[string]string{}
	for w := range event.Views(logs) {
		user[w.Str("event.id")] = w.Str("user.id")
	}
	for _, m := range s.messages {
		id := m.headers["event_id"]
		if id <= last[user[id]] {
			t.Fatalf("%s of %s comes after %s", id, user[id], last[user[id]])
		}
		last[user[id]] = id
	}
	if len(s.messages) != 200 {
		t.Fatalf("%d messages", len(s.messages))
	}
}

func TestRecordWithoutUserGoesByItsKey(t *testing.T) {
	s := newStandIn()
	drain(t, started(t, s, func(c *Config) { c.PartitionBy = "user" }), deliverytest.Batch(0, 100))
	for _, m := range s.messages {
		if want := choose(m.key, []int{0, 1, 2}); m.partition != want {
			t.Fatalf("%s is in partition %d, want %d", m.key, m.partition, want)
		}
	}
}

func TestStatesOfAnEntityStayInOnePartition(t *testing.T) {
	s := newStandIn()
	logs := each(deliverytest.Batch(0, 60), func(i int, w event.View) {
		state(w, "f1")
		w.Log.Attributes().PutStr("user.id", fmt.Sprint("owner", i))
	})
	drain(t, started(t, s, func(c *Config) { c.PartitionBy = "user" }), logs)
	for _, m := range s.messages {
		if m.partition != s.messages[0].partition || m.key != deliverytest.First(logs).EntityID() {
			t.Fatalf("%s is in partition %d, another in %d", m.key, m.partition, s.messages[0].partition)
		}
	}
}

func TestTombstoneFollowsTheLastStateWhereItIsWanted(t *testing.T) {
	f := func(wanted bool, want string) {
		t.Helper()
		s := newStandIn()
		logs := each(deliverytest.Batch(0, 4), func(i int, w event.View) {
			state(w, "00u1")
			if i == 2 {
				w.Log.Attributes().PutEmptySlice("event.type").AppendEmpty().SetStr("deletion")
			}
			if i == 3 { // the log's word of a deletion is no state
				w.Log.Attributes().PutStr("event.kind", "event")
				w.Log.Attributes().PutEmptySlice("event.type").AppendEmpty().SetStr("deletion")
			}
		})
		e := started(t, s, func(c *Config) { c.Tombstones = wanted })
		drain(t, e, logs)
		var shape []string
		for _, m := range s.messages {
			if m.key != deliverytest.First(logs).EntityID() || m.headers["event_id"] == "" || m.headers["dataset"] != "okta.inventory" {
				t.Fatalf("key %s, headers %v", m.key, m.headers)
			}
			shape = append(shape, map[bool]string{true: "nothing", false: "state"}[m.value == nil])
		}
		if got := strings.Join(shape, " "); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if n := e.counters.Count(0); n != 4 {
			t.Fatalf("%d records counted", n)
		}
	}
	f(false, "state state state state")
	f(true, "state state state nothing state")
}

func TestRepeatIsEqualToTheFirst(t *testing.T) {
	for _, encoding := range encodings {
		s := newStandIn()
		e := started(t, s, func(c *Config) { c.Encoding = encoding })
		logs := deliverytest.Batch(0, 1)
		for i := range 2 {
			e.now = func() time.Time { return deliverytest.Day.Add(time.Duration(i) * time.Hour) }
			drain(t, e, logs)
		}
		if a, b := s.messages[0], s.messages[1]; a.key != b.key || !bytes.Equal(a.value, b.value) || a.partition != b.partition ||
			!maps.Equal(a.headers, b.headers) {
			t.Fatalf("%s: %s became %s", encoding, a.value, b.value)
		}
	}
}

func TestTemplateAsksForNoTopicsInAdvance(t *testing.T) {
	cfg, _ := defaultConfig().(*Config)
	if got := cfg.topics(); len(got) != 5 || !slices.Contains(got, "saas.dead_letter") {
		t.Fatalf("topics %v", got)
	}
	cfg.Topic = "x.{dataset}"
	if got := cfg.topics(); got != nil {
		t.Fatalf("topics %v", got)
	}
}
