package sim

import (
	"iter"
	"sort"
	"time"
)

// The second time of an event is a day to days after the first.
const (
	againFrom = 24 * time.Hour
	againTo   = 5 * 24 * time.Hour
)

// Again gives the events that are handed out a second time in [from, to), in the order of the feed, and when. A fake whose vendor
// sends an event twice (in another blob, in another message) puts them into what it hands out then.
func (f *Feed) Again(from, to time.Time) iter.Seq2[int, time.Time] {
	return func(yield func(int, time.Time) bool) {
		if f.again <= 0 {
			return
		}
		begin := sort.Search(f.n, func(i int) bool { return !f.At(i).Before(from.Add(-againTo - f.maxLag)) })
		for i := begin; i < f.n && f.At(i).Before(to); i++ {
			if !chance(Hash(f.seed, 4, uint64(i)), f.again) {
				continue
			}
			at := f.Persisted(i).Add(againFrom + time.Duration(Hash(f.seed, 5, uint64(i))%uint64(againTo-againFrom)))
			if !at.Before(from) && at.Before(to) && !yield(i, at) {
				return
			}
		}
	}
}
