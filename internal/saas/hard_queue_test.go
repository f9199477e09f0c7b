package saas_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// queueVendor is a queue of messages that name objects of a store. Messages come again unless they are deleted, the newest
// first, and some are sent twice.
type queueVendor struct {
	mu      sync.Mutex
	queue   *sim.Queue
	objects map[string][]byte
	most    int // deliveries of one message
}

func (v *queueVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if name, ok := strings.CutPrefix(r.URL.Path, "/store/"); ok {
		data, ok := v.objects[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
		return
	}
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	switch form.Get("Action") {
	case "ReceiveMessage":
		out := []map[string]string{}
		for _, m := range v.queue.Receive(2, time.Minute) {
			v.most = max(v.most, m.Deliveries)
			out = append([]map[string]string{{"body": m.Body, "receipt": m.Receipt}}, out...)
		}
		sim.WriteJSON(w, http.StatusOK, map[string]any{"Messages": out})
	case "DeleteMessage":
		if !v.queue.Delete(form.Get("ReceiptHandle")) {
			http.Error(w, "no such receipt", http.StatusBadRequest)
		}
	default:
		http.Error(w, "no such action", http.StatusBadRequest)
	}
}

// queuePoll reads messages, the objects they name, and deletes a message once what it led to is saved.
func queuePoll(ctx context.Context, r *saas.Run) error {
	for {
		p, err := r.Do(ctx, saas.Req{URL: "/queue", Body: "Action=ReceiveMessage"})
		if err != nil {
			return err
		}
		var in struct {
			Messages []struct{ Body, Receipt string }
		}
		if err := p.Into(&in); err != nil || len(in.Messages) == 0 {
			return err
		}
		for _, m := range in.Messages {
			var names []string
			if err := json.Unmarshal([]byte(m.Body), &names); err != nil {
				return err
			}
			for _, name := range names {
				if err := saas.Pages(ctx, r, saas.Req{URL: "/store/" + name}, rows("Records"), nil); err != nil {
					return err
				}
			}
			if err := r.Commit(nil); err != nil {
				return err
			}
			if _, err := r.Do(ctx, saas.Req{URL: "/queue", Body: "Action=DeleteMessage&ReceiptHandle=" + url.QueryEscape(m.Receipt)}); err != nil {
				return err
			}
		}
	}
}

func TestAQueueIsAcknowledgedByDeleting(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := &queueVendor{queue: &sim.Queue{Now: time.Now}, objects: map[string][]byte{}}
		s.serve(v)
		s.keys = map[string]any{"batch_bytes": 1024}
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{{Name: "trail", Kind: saas.Audit, Dataset: "trail", Every: time.Second,
				Keep: day, Key: by("eventID"), Map: plain, Poll: queuePoll}}}
		}
		var want []string
		for o := range 8 {
			var recs []string
			for i := range 1 + 30*(o%2) {
				id := fmt.Sprintf("e%d-%d", o, i)
				want = append(want, id)
				recs = append(recs, fmt.Sprintf(`{"eventID":%q,"eventName":"GetObject"}`, id))
			}
			v.objects[fmt.Sprintf("o%d.gz", o)] = sim.Gzip([]byte(`{"Records":[` + strings.Join(recs, ",") + `]}`))
		}
		for o := range 8 {
			v.queue.Send(fmt.Sprintf(`["o%d.gz"]`, o))
			if o%3 == 0 {
				v.queue.Send(fmt.Sprintf(`["o%d.gz","o%d.gz"]`, o, (o+1)%8)) // at least once, and in any order
			}
			if o%2 == 1 {
				s.live(20 * time.Second)
			}
		}
		s.live(5 * time.Minute)
		s.delivered("trail", want, 1)
		v.mu.Lock()
		defer v.mu.Unlock()
		if left := v.queue.Receive(10, 0); len(left) != 0 {
			t.Errorf("%d messages are left", len(left))
		}
		if s.fate.n == 0 && v.most > 1 {
			t.Errorf("a message came %d times: it was not deleted in time", v.most)
		}
	})
}
