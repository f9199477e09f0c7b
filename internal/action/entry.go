package action

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/longshore-dev/longshore/internal/saas"
)

// State is how far an action has come.
type State string

// The states.
const (
	Asked   State = "asked"   // to be planned
	Waiting State = "waiting" // planned, for a person
	Sending State = "sending" // some of it may have been sent
	Sent    State = "sent"    // all was sent, to be verified
	Ended   State = "ended"
)

// Result is how an action ended.
type Result string

// The results.
const (
	Done       Result = "done"       // and verified, where the provider can
	Already    Result = "already"    // nothing was to be done
	Rehearsed  Result = "rehearsed"  // a dry run
	Denied     Result = "denied"     // refused by a guard, a stronger action or the vendor
	Failed     Result = "failed"     // refused by the vendor, or given up before anything was sent
	Unverified Result = "unverified" // sent, or perhaps sent, and never seen to hold
)

// Entry is an action in the ledger.
type Entry struct {
	ID string `json:"id"`
	Request
	State      State      `json:"state"`
	Result     Result     `json:"result,omitempty"`
	Reason     string     `json:"reason,omitempty"` // of the result, or of waiting
	Code       string     `json:"code,omitempty"`   // the vendor's
	ApprovedBy string     `json:"approved_by,omitempty"`
	Plan       *saas.Plan `json:"plan,omitempty"`
	Step       int        `json:"step,omitempty"` // requests of the plan that were sent
	Attempts   int        `json:"attempts,omitempty"`
	Asked      time.Time  `json:"asked"`
	Until      time.Time  `json:"until"` // given up then
	Sent       time.Time  `json:"sent,omitzero"`
	Ended      time.Time  `json:"ended,omitzero"`
	Told       bool       `json:"told,omitempty"`   // the receipt that it was requested is made
	Of         string     `json:"of,omitempty"`     // the action that this one takes back
	Undone     string     `json:"undone,omitempty"` // the action that takes this one back
}

// Store is what the ledger is kept in: a client of a storage extension that can list its rows, or saas.Memory.
type Store interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Batch(ctx context.Context, ops ...*storage.Operation) error
	storage.Walker
}

// Rows: "version", "a/<id>" (Entry), "r/<id>/<kind>" (the Entry as it was when the receipt was made, until the receipt is
// accepted), "p/<module>/<tenant>/<id>" (the name by which the account is protected).
const (
	rowVersion      = "version"
	entryPrefix     = "a/"
	receiptPrefix   = "r/"
	protectedPrefix = "p/"
	ledgerVersion   = "1" // a newer one is refused: an older program would lose what it holds
	maxEntryBytes   = 1 << 20
)

// encode gives the row of an entry. One with a huge plan cannot be kept, so cannot be done.
func (en *Entry) encode() ([]byte, error) {
	val, err := json.Marshal(en)
	if err != nil {
		return nil, fmt.Errorf("encode action %q: %w", en.ID, err)
	}
	if len(val) > maxEntryBytes {
		return nil, fmt.Errorf("encode action %q: %w", en.ID, errTooLarge)
	}
	return val, nil
}

var errTooLarge = fmt.Errorf("the plan has more than %d bytes", maxEntryBytes)

// save gives the operations that save an entry with the receipts it now owes.
func (en *Entry) save(kinds ...string) ([]*storage.Operation, error) {
	val, err := en.encode()
	if err != nil {
		return nil, err
	}
	ops := []*storage.Operation{storage.SetOperation(entryPrefix+en.ID, val)}
	for _, k := range kinds {
		ops = append(ops, storage.SetOperation(receiptKey(en.ID, k), val))
	}
	return ops, nil
}

func receiptKey(id, kind string) string { return receiptPrefix + id + "/" + kind }
