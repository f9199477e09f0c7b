package saas

import (
	"context"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Memory is a storage that ends with the process: of `storage: none`, and of dry runs.
type Memory struct {
	mu   sync.Mutex
	rows map[string][]byte
}

// NewMemory makes an empty Memory.
func NewMemory() *Memory { return &Memory{rows: map[string][]byte{}} }

// Get gives a row, or nil.
func (m *Memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[key], nil
}

// Set keeps a row.
func (m *Memory) Set(ctx context.Context, key string, val []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, val))
}

// Delete forgets a row.
func (m *Memory) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

// Close does nothing.
func (m *Memory) Close(context.Context) error { return nil }

// Batch does all operations.
func (m *Memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = m.rows[op.Key]
		case storage.Set:
			m.rows[op.Key] = slices.Clone(op.Value)
		case storage.Delete:
			delete(m.rows, op.Key)
		}
	}
	return nil
}

// Walk calls fn for every row, in the order of keys, and then does the operations it gave.
func (m *Memory) Walk(ctx context.Context, fn storage.WalkFunc) error {
	m.mu.Lock()
	rows := maps.Clone(m.rows)
	m.mu.Unlock()
	var all []*storage.Operation
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		ops, err := fn(key, rows[key])
		all = append(all, ops...)
		if err == storage.SkipAll { //nolint:errorlint // the value itself is the signal
			break
		}
		if err != nil {
			return err
		}
	}
	return m.Batch(ctx, all...)
}
