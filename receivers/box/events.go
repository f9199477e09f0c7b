package box

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	day      = 24 * time.Hour
	streamed = 14 * day  // for how long Box's stream of events goes back
	logged   = 365 * day // and its log
	overlap  = day       // where one ends, both are read for so long
)

// activity is what happened in the enterprise. The stream of events tells it within minutes, in no order and sometimes twice;
// what is too old for it comes from the log, with the same ids.
// https://developer.box.com/guides/events/enterprise-events/for-enterprise/
func activity(c *Config) []saas.Stream {
	return []saas.Stream{{Name: "events", Kind: saas.SignIn, Dataset: "box_events.events", Every: time.Minute, Keep: overlap,
		Needs: []string{events}, Docs: reference + "get-events/",
		Gives: []saas.Capability{saas.LogOnActivity, saas.UserActivity, saas.AdminActivity, saas.ViewAppRights},
		Poll:  followEvents, Fields: eventFields, Key: eventKey, Map: c.mapEvent, Items: touched}}
}

// eventMark is the mark of the events: a position in the stream, and what remains to be read from the log.
type eventMark struct {
	Position string    `json:"position"`      // as text: it may be beyond 2^53; "0" = all that the stream holds
	Read     time.Time `json:"read"`          // what is older was delivered, or is in Log
	From     time.Time `json:"from,omitzero"` // until the stream was read to its end: what is older is left out
	Log      []stretch `json:"log,omitempty"` // of the log, to be read
}

// stretch is a part of the log.
type stretch struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Position string    `json:"position"`
	Seen     time.Time `json:"seen,omitzero"` // the newest event read: the log is in order
}

// followEvents is the stream's Poll. While there is something to read from the log, the stream is read once a minute.
func followEvents(ctx context.Context, r *saas.Run) error {
	var m eventMark
	if !r.Mark(&m) {
		if err := m.begin(r, r.Since()); err != nil {
			return err
		}
	} else if r.Now().Sub(m.Read) > streamed-overlap/2 { // the position may be too old
		if err := m.begin(r, m.Read.Add(-overlap)); err != nil {
			return err
		}
	}
	for {
		if err := m.follow(ctx, r); err != nil {
			return err
		}
		if len(m.Log) == 0 {
			return nil
		}
		for until := r.Now().Add(time.Minute); len(m.Log) > 0 && r.Now().Before(until); {
			if err := m.readLog(ctx, r); err != nil {
				return err
			}
		}
	}
}

// begin asks for the whole stream, and from the log for what is older.
func (m *eventMark) begin(r *saas.Run, since time.Time) error {
	now := r.Now()
	if oldest := now.Add(-logged); since.Before(oldest) {
		if oldest.Sub(since) > time.Hour { // less is the time since start_at was reckoned
			r.Gap(since, oldest, "older than the year that Box keeps its events")
		}
		since = oldest
	}
	begin := now.Add(-streamed)
	m.Position, m.Read, m.From = "0", begin.Add(overlap), time.Time{}
	if since.After(begin) {
		m.From, begin = since, since
	}
	if since.After(m.Read) {
		m.Read = since
		return r.Commit(m)
	}
	m.Log = append(m.Log, stretch{From: begin, To: m.Read, Position: "0"}) // first, while the keys of the stream are fresh
	if since.Before(begin) {
		m.Log = append(m.Log, stretch{From: since, To: begin.Add(time.Second), Position: "0"})
	}
	return r.Commit(m)
}

// follow reads the stream to its end.
func (m *eventMark) follow(ctx context.Context, r *saas.Run) error {
	for anew := false; ; {
		p, err := readEvents(ctx, r, m.From, "stream_type", "admin_logs_streaming", "stream_position", m.Position)
		if saas.Is(err, saas.Expired) && !anew {
			anew = true
			err = m.begin(r, m.Read.Add(-overlap))
			if err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		moved := p.moved(m.Position)
		if p.n > 0 && !moved {
			return repeats(r, "stream", p)
		}
		idle := r.Now().Sub(m.Read)
		if moved {
			m.Position = p.next
		}
		switch {
		case p.n == 0:
			m.Read = r.Now()
			if m.Position != "0" {
				m.From = time.Time{}
			}
		case p.last.After(m.Read) && p.last.Before(r.Now()): // the stream is nearly in the order of recording
			m.Read = p.last
		}
		if moved || idle > time.Hour {
			if err := r.Commit(m); err != nil {
				return err
			}
		}
		if p.n == 0 {
			return nil
		}
	}
}

// readLog reads one page of the oldest stretch of the log.
func (m *eventMark) readLog(ctx context.Context, r *saas.Run) error {
	s := &m.Log[0]
	p, err := readEvents(ctx, r, time.Time{}, "stream_type", "admin_logs", "stream_position", s.Position,
		"created_after", stamp(s.From), "created_before", stamp(s.To))
	switch {
	case saas.Is(err, saas.Expired) && s.Seen.After(s.From): // go on from the newest event read
		s.Position, s.From = "0", s.Seen
		return nil
	case saas.Is(err, saas.Expired): // which would forget the mark
		return &saas.Error{Outcome: saas.Unavailable, Err: err}
	case err != nil:
		return err
	case p.n == 0:
		m.Log = m.Log[1:]
	case !p.moved(s.Position):
		return repeats(r, "log", p)
	default:
		s.Position = p.next
		if p.last.After(s.Seen) {
			s.Seen = p.last
		}
	}
	return r.Commit(m)
}

// stamp writes a time as Box takes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// repeats ends a reading that would have no end; what came stands.
func repeats(r *saas.Run, what string, p eventPage) error {
	if err := r.Commit(nil); err != nil {
		return err
	}
	return &saas.Error{Outcome: saas.Unavailable, Req: "GET /events",
		Msg: fmt.Sprintf("the %s of events goes on, and its next position %.200q leads nowhere else", what, p.next)}
}

// eventPage is what was read at one position.
type eventPage struct {
	n    int       // events; fewer than were asked for is not the end
	next string    // the position that follows
	last time.Time // when the last event was recorded
}

// moved says whether the page leads to another position. An empty one of the log names "0", which is where it begins.
func (p *eventPage) moved(from string) bool { return p.next != from && p.next != "" && p.next != "0" }

// readEvents hands on one page, but for what is older than from. query is names and values in turn.
func readEvents(ctx context.Context, r *saas.Run, from time.Time, query ...string) (p eventPage, err error) {
	q := url.Values{"limit": {"500"}}
	for i := 0; i < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	rep, err := r.Do(ctx, saas.Req{URL: "/events?" + q.Encode()})
	if err != nil {
		return p, err
	}
	var last json.RawMessage
	for row, err := range rep.JSON("entries") {
		if err != nil {
			return p, err
		}
		p.n++
		last = row
		if !from.IsZero() {
			if at := recordedAt(row); !at.IsZero() && at.Before(from) {
				continue
			}
		}
		if err := r.Emit("", row); err != nil {
			return p, err
		}
	}
	p.next, p.last = rep.Field("next_stream_position"), recordedAt(last)
	return p, nil
}

// recordedAt is when an event was recorded or, of an old one, when it happened.
func recordedAt(row json.RawMessage) time.Time {
	for _, name := range [...]string{"recorded_at", "created_at"} {
		if at, ok := event.ParseTime(saas.TextAt(row, name)); ok {
			return at
		}
	}
	return time.Time{}
}
