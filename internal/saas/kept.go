package saas

import (
	"context"
	"sync"
	"time"
)

// Kept is a value that all use until it is too old: the domains of a customer. One at a time fetches it; who waits for that may
// stop waiting, as none could at a mutex. The zero value is empty.
type Kept[T any] struct {
	once sync.Once
	turn chan struct{}
	till time.Time
	val  T
}

// Get gives the value, fetched anew when it is older than life. What could not be fetched is not kept.
func (k *Kept[T]) Get(ctx context.Context, now time.Time, life time.Duration, fetch func() (T, error)) (T, error) {
	k.once.Do(func() { k.turn = make(chan struct{}, 1) })
	var none T
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	defer func() { <-k.turn }()
	if now.Before(k.till) {
		return k.val, nil
	}
	val, err := fetch()
	if err != nil {
		return none, err
	}
	k.val, k.till = val, now.Add(life)
	return val, nil
}
