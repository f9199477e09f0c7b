package action

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// TestEveryCrashEndsInOneEffectAndOneReceipt kills the process at every write of the ledger, once before the write and once
// right after it, and starts another on what is left. The trigger comes again when it was not acknowledged.
func TestEveryCrashEndsInOneEffectAndOneReceipt(t *testing.T) {
	scenario := func(name string, run func(r *rig) error, effects, receipts []string) {
		t.Helper()
		points := 0
		for _, after := range []bool{false, true} {
			for at := 1; ; at++ {
				died := false
				t.Run(fmt.Sprintf("%s/%d/%v", name, at, after), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						r := newRig(t)
						r.stop()
						store := &fragile{Store: r.store, at: at, after: after}
						r.Engine = r.engine(store)
						err := r.Start(t.Context())
						if err == nil {
							err = run(r)
						}
						r.settle()
						if err := r.Shutdown(t.Context()); err != nil {
							t.Fatal(err)
						}
						died = store.isDead()
						r.Engine = r.engine(r.store)
						r.start()
						defer r.stop()
						r.after(time.Minute)
						if err != nil || died {
							if err := run(r); err != nil {
								t.Fatal(err)
							}
						}
						r.after(10 * time.Minute)
						r.effects(effects...)
						r.receipts(receipts...)
						if n := r.rows(receiptPrefix); n != 0 {
							t.Fatalf("%d receipts are still owed", n)
						}
					})
				})
				if t.Failed() {
					return
				}
				if !died {
					break
				}
				points++
			}
		}
		t.Logf("%s: died at %d points", name, points)
		if points < 8 {
			t.Fatalf("%s: only %d points: the test does not see the saves", name, points)
		}
	}
	ended := []string{"requested suspend_user", "result suspend_user success"}
	scenario("enforce", func(r *rig) error { return r.Ask(r.t.Context(), []Request{suspend("u1", Enforce)}) }, []string{"suspend u1"}, ended)
	scenario("lost reply", func(r *rig) error {
		r.v.fails(nil)
		if len(r.v.done()) == 0 {
			r.v.fails(func(saas.Req, int) error { return lostReply })
		}
		return r.Ask(r.t.Context(), []Request{suspend("u1", Enforce)})
	}, []string{"suspend u1"}, ended)
	scenario("approve", func(r *rig) error {
		q := suspend("u1", Approve)
		if err := r.Ask(r.t.Context(), []Request{q}); err != nil {
			return err
		}
		r.settle()
		en, err := r.read(r.t.Context(), q.ID())
		if err != nil || en.State != Waiting {
			return err
		}
		return r.Approve(r.t.Context(), q.ID(), "ana")
	}, []string{"suspend u1"}, ended)
	scenario("undo", func(r *rig) error {
		q := suspend("u1", Enforce)
		if err := r.Ask(r.t.Context(), []Request{q}); err != nil {
			return err
		}
		r.settle()
		_, err := r.Undo(r.t.Context(), q.ID(), "ana")
		return err
	}, []string{"suspend u1", "unsuspend u1"}, slices.Concat(ended, ended))
}

// TestStoreThatRefusesForAWhileRepeatsNothing is a full disk: the process lives on, and so does the vendor.
func TestStoreThatRefusesForAWhileRepeatsNothing(t *testing.T) {
	for at := 2; at < 8; at++ {
		bubble(t, func(t *testing.T) {
			r := newRig(t)
			r.stop()
			store := &fragile{Store: r.store, at: at}
			r.Engine = r.engine(store)
			r.start()
			defer r.stop()
			err := r.Ask(t.Context(), []Request{suspend("u1", Enforce)})
			r.settle()
			store.mu.Lock()
			store.dead = false
			store.mu.Unlock()
			if err != nil {
				r.ask(suspend("u1", Enforce))
			}
			r.after(10 * time.Minute)
			r.effects("suspend u1")
			r.receipts("requested suspend_user", "result suspend_user success")
		})
	}
}
