package sim

import (
	"testing"
	"time"
)

func TestSomeEventsComeASecondTimeDaysLater(t *testing.T) {
	c := &clock{noon}
	o := Options{Seed: 5, Events: 5000, Late: 0.1, MaxLag: 30 * time.Hour, Again: 0.01, Now: c.now, Start: noon, Span: 48 * time.Hour}
	f := newFeed(t, o, numbered())
	times := map[int]time.Time{}
	for from := noon; from.Before(noon.Add(10 * 24 * time.Hour)); from = from.Add(3 * time.Hour) {
		for i, at := range f.Again(from, from.Add(3*time.Hour)) {
			if !times[i].IsZero() {
				t.Fatalf("event %d comes at %v and at %v", i, times[i], at)
			}
			if late := at.Sub(f.Persisted(i)); late < againFrom || late >= againTo || at.Before(from) {
				t.Errorf("event %d, persisted at %v, comes again after %v", i, f.Persisted(i), late)
			}
			times[i] = at
		}
	}
	if n := len(times); n < 30 || n > 70 {
		t.Errorf("%d of 5000 events come again, want some 50", n)
	}
	o.Again = 0
	for i := range newFeed(t, o, numbered()).Again(noon, noon.Add(10*24*time.Hour)) {
		t.Fatalf("event %d comes again though nobody asked", i)
	}
	o.Again = 1.5
	if _, err := NewFeed(o, numbered()); err == nil {
		t.Error("a share of 1.5 is taken")
	}
}
