package delivery

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
)

// LetterDataset is the dataset of records that were set aside.
const LetterDataset = "saas.dead_letter"

// Refusal says why a record can never be delivered.
type Refusal struct {
	ID     string // of the document or message
	Type   string // short: the server's class of error
	Reason string // in the server's words
}

// Letter writes a record that was refused as one JSON document without a line end: the reason, the raw object and the
// record's own fields. What is longer than limit bytes is cut, and the letter says so.
func Letter(w event.View, r Refusal, namespace string, limit int, at time.Time) []byte {
	cut := false
	short := func(s string) string {
		s = strings.ToValidUTF8(s, "\ufffd")
		if len(s) > limit {
			s, cut = strings.ToValidUTF8(s[:limit], ""), true
		}
		return s
	}
	dataset := w.Str("event.dataset")
	doc := string(event.AppendECS(nil, w, event.Encoding{NoOriginal: true, NoVendor: true, Namespace: namespace}))
	aside := map[string]any{"id": r.ID, "dataset": dataset, "bytes": len(w.Raw()), "document": short(doc)}
	ev := map[string]any{"kind": "pipeline_error", "dataset": LetterDataset, "module": w.Str("event.module"), "original": short(w.Raw())}
	fault := map[string]any{"type": r.Type, "message": short(r.Reason)}
	aside["cut"] = cut
	for _, m := range []map[string]any{aside, ev} {
		for name, val := range m {
			if val == "" {
				delete(m, name)
			}
		}
	}
	saas := map[string]any{"dead_letter": aside}
	if tenant := w.Str("saas.tenant"); tenant != "" {
		saas["tenant"] = tenant
	}
	out, err := json.Marshal(map[string]any{
		"@timestamp":  at.UTC().Format("2006-01-02T15:04:05.000Z"),
		"ecs":         map[string]any{"version": event.ECSVersion},
		"data_stream": map[string]any{"type": "logs", "dataset": LetterDataset, "namespace": namespace},
		"event":       ev, "error": fault, "saas": saas,
	})
	if err != nil { // maps of strings, numbers and booleans only
		return []byte("{}")
	}
	return out
}

// File keeps letters, one a line. It may be used by several goroutines.
type File struct {
	mu sync.Mutex
	f  *os.File
}

// OpenFile opens a file of letters to append to; only its owner can read it.
func OpenFile(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open dead-letter file %q: %w", path, err)
	}
	return &File{f: f}, nil
}

// Write appends a letter and waits until the disk has it.
func (f *File) Write(letter []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.f.Write(append(letter, '\n')); err != nil {
		return fmt.Errorf("write dead-letter file: %w", err)
	}
	if err := f.f.Sync(); err != nil {
		return fmt.Errorf("sync dead-letter file: %w", err)
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }
