package saas

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// Doer is a Run or a Conn.
type Doer interface {
	Do(context.Context, Req) (*Reply, error)
}

// Get reads a small object into v.
func Get(ctx context.Context, d Doer, url string, v any) error {
	rep, err := d.Do(ctx, Req{URL: url})
	if err != nil {
		return err
	}
	return rep.Into(v)
}

// Each calls f for the rows of one request, and gives the reply, whose fields are complete by then.
func Each(ctx context.Context, d Doer, q Req, path string, f func(json.RawMessage) error) (*Reply, error) {
	p, err := d.Do(ctx, q)
	if err != nil {
		return nil, err
	}
	for row, err := range p.JSON(path) {
		if err == nil {
			err = f(row)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// KeyOf is a Stream.Key that joins the first n fields of the table; one missing = no key.
func KeyOf(n int) func(*event.Values) string {
	return func(v *event.Values) string {
		key := v.Str(0)
		for i := 1; i < n && key != ""; i++ {
			if s := v.Str(i); s == "" {
				key = ""
			} else {
				key += "/" + s
			}
		}
		return key
	}
}

// NewEntity starts the record of an entity (schema §7): its entity.type and id, event.category and event.type.
func NewEntity(add func() *event.Record, typ, id, category string, types ...string) *event.Record {
	r := add()
	r.Entity(typ, id)
	r.Strs("event.category", category)
	r.Strs("event.type", types...)
	return r
}

// Join makes one object of fragments under names (separated by spaces), each as it was sent; an empty one is left out.
func Join(names string, fragments ...json.RawMessage) json.RawMessage {
	b := []byte{'{'}
	for i, name := range strings.Fields(names) {
		if len(fragments[i]) == 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), '"', ':')
		b = append(b, fragments[i]...)
	}
	return append(b, '}')
}

// Array makes a list of fragments, each as it was sent.
func Array(rows []json.RawMessage) json.RawMessage {
	b := []byte{'['}
	for i, row := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, row...)
	}
	return append(b, ']')
}

// Sift gives what f makes of each row; nil = the row is left out.
func Sift(rows Rows, f func(row json.RawMessage) json.RawMessage) Rows {
	return func(yield func(json.RawMessage, error) bool) {
		for row, err := range rows {
			if err == nil {
				if row = f(row); row == nil {
					continue
				}
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// Quote is a text as a JSON string.
func Quote(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string always has a JSON form
	return b
}

// Member is a member of an object, by its names from the top; nil = there is none.
func Member(raw json.RawMessage, path ...string) json.RawMessage {
	for _, step := range path {
		var found json.RawMessage
		for name, val := range event.Members(raw) {
			if name == step {
				found = val
			}
		}
		raw = found
	}
	return raw
}

// Text is a JSON string's text; "" for anything else.
func Text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// TextAt is the text of the member at path; "" where there is none, or one that is no string.
func TextAt(raw json.RawMessage, path ...string) string { return Text(Member(raw, path...)) }
