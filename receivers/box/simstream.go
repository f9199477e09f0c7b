package box

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const (
	simLatency = 5 * time.Minute // of the log behind the stream
	simTwice   = 2               // how many events come again at a time
)

// simAsked is a request for events.
type simAsked struct {
	limit    int
	now      bool // only the position of now is wanted
	at       *sim.Cursor
	from, to time.Time
	keep     func(raw []byte) bool
}

func (s *simOrg) eventRoutes(add simAdd) { add("GET /2.0/events", "", s.events) }

// events is GET /2.0/events. https://developer.box.com/guides/events/enterprise-events/for-enterprise/
func (s *simOrg) events(c *simCall) {
	kind := c.query("stream_type")
	admin := strings.HasPrefix(kind, "admin_logs")
	if admin && !s.permit(c, simManage) {
		return
	}
	switch kind {
	case "", "all", "changes", "sync", "admin_logs", "admin_logs_streaming":
	default:
		s.invalid(c, "stream_type", kind)
		return
	}
	q, ok := s.asked(c)
	if !ok {
		return
	}
	types := c.query("event_type")
	if types != "" || !admin {
		q.keep = func(raw []byte) bool {
			var e struct {
				Type string               `json:"event_type"`
				By   *struct{ ID string } `json:"created_by"`
			}
			err := json.Unmarshal(raw, &e)
			return err == nil && (types == "" || slices.Contains(strings.Split(types, ","), e.Type)) &&
				(admin || e.By != nil && e.By.ID == c.user.id)
		}
	}
	if kind == "admin_logs" {
		s.log(c, q)
		return
	}
	s.stream(c, q)
}

// asked reads the parameters of a request for events.
func (s *simOrg) asked(c *simCall) (*simAsked, bool) {
	now := s.o.Now()
	q := &simAsked{limit: 100, from: now.Add(-simYear), to: now, keep: func([]byte) bool { return true }}
	for name, into := range map[string]*time.Time{"created_after": &q.from, "created_before": &q.to} {
		if v := c.query(name); v != "" {
			t, err := time.Parse(time.RFC3339, v)
			if err != nil {
				s.invalid(c, name, v)
				return nil, false
			}
			*into = t
		}
	}
	if v := c.query("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			s.invalid(c, "limit", v)
			return nil, false
		}
		q.limit = max(1, min(n, 500))
	}
	switch v := c.query("stream_position"); v {
	case "", "0", "null":
	case "now":
		q.now = true
	default:
		at, err := sim.ParseNumber(v)
		if err != nil {
			s.invalid(c, "stream_position", v)
			return nil, false
		}
		q.at = &at
	}
	return q, true
}

// fill is how many events a page has at most: often fewer than asked for, while there are more.
func (s *simOrg) fill(q *simAsked, at sim.Cursor) (most int, h uint64) {
	h = sim.Hash(s.o.Seed, 40, uint64(at.Slot), uint64(at.Extra))
	if h%3 == 0 {
		return max(1, q.limit*3/5), h
	}
	return q.limit, h
}

// stream answers with what persisted after a position: within two weeks, in no order, and some of it again.
func (s *simOrg) stream(c *simCall, q *simAsked) {
	now := s.o.Now()
	at := s.feed.After(now.Add(-simBuffer))
	switch {
	case q.now:
		s.page(c, nil, s.feed.After(now))
		return
	case q.at != nil && q.at.Slot >= at.Slot: // what is older is gone
		at = *q.at
	}
	most, h := s.fill(q, at)
	first := at
	var page [][]byte
	for read := -1; len(page) < most && read != 0; {
		read = 0
		at = s.feed.Read(at, most-len(page), func(raw []byte) {
			if read++; q.keep(raw) {
				page = append(page, bytes.Clone(raw))
			}
		})
	}
	if again := first.Slot - 3; h%4 == 1 && again >= 0 && len(page) > 0 && len(page)+simTwice <= q.limit {
		s.feed.Read(sim.Cursor{Slot: again, Extra: first.Extra}, simTwice, func(raw []byte) {
			if q.keep(raw) {
				page = append(page, bytes.Clone(raw))
			}
		})
	}
	for i := range page {
		j := max(0, i-int(h>>8%4))
		page[i], page[j] = page[j], page[i]
		h = h>>1 | h<<63
	}
	s.page(c, page, at)
}

// log answers with what was created in a span of time: in order and once, up to some minutes ago. What was created before a
// position and persisted after it was read is passed over.
func (s *simOrg) log(c *simCall, q *simAsked) {
	if late := s.o.Now().Add(-simLatency); q.to.After(late) {
		q.to = late
	}
	span := sim.Bounds{From: q.from, To: q.to}
	if q.now {
		s.page(c, nil, s.feed.Begin(sim.Bounds{From: q.to}))
		return
	}
	at := s.feed.Begin(span)
	if q.at != nil {
		at = *q.at
	}
	most, _ := s.fill(q, at)
	var page [][]byte
	for more := true; more && len(page) < most; {
		at, more = s.feed.ReadIn(span, at, most-len(page), func(raw []byte) {
			if q.keep(raw) {
				page = append(page, bytes.Clone(raw))
			}
		})
	}
	if len(page) == 0 {
		c.json(http.StatusOK, obj{"chunk_size": 0, "next_stream_position": "0", "entries": []obj{}})
		return
	}
	s.page(c, page, at)
}

// page writes events and the position behind them, which is a number or a text.
func (s *simOrg) page(c *simCall, page [][]byte, next sim.Cursor) {
	position := strconv.FormatInt(next.Number(), 10)
	if sim.KeySum(position)%2 == 0 {
		position = `"` + position + `"`
	}
	b := append(strconv.AppendInt([]byte(`{"chunk_size":`), int64(len(page)), 10), `,"next_stream_position":`+position+`,"entries":[`...)
	for i, raw := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, raw...)
	}
	c.w.Header().Set("Content-Type", "application/json")
	_, _ = c.w.Write(append(b, "]}"...))
}
