package box

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

func (s *simOrg) eventRoutes(add simAdd) {}

func (s *simOrg) generate(b []byte, i int, at time.Time) []byte { return append(b, "{}"...) }

func (s *simOrg) eventID(i int) string { return string(sim.NewRand(s.o.Seed, 10, uint64(i)).UUID(nil)) }

// note appends the event of a change that an account made, nil = Box itself; source is what it is about.
func (s *simOrg) note(by *simUser, kind string, source, details obj) {
	id := string(sim.NewRand(s.o.Seed, 31, s.changes.Add(1)).UUID(nil))
	at := s.o.Now()
	e := obj{"type": "event", "event_id": id, "event_type": kind, "created_at": simStamp(at), "recorded_at": simStamp(at), "source": source,
		"additional_details": details, "created_by": nil}
	if by != nil {
		e["created_by"] = by.mini()
	}
	raw, _ := json.Marshal(e) // strings, numbers and objects of them
	s.feed.Append(id, at, raw)
}

// simReplayKey is the identity of a replayed event: its id, or a hash.
func simReplayKey(raw []byte) string {
	var o struct {
		ID string `json:"event_id"`
	}
	if err := json.Unmarshal(raw, &o); err != nil || o.ID == "" {
		return fmt.Sprintf("%016x", sim.KeySum(string(raw)))
	}
	return o.ID
}
