package action

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// registry holds the engines that run in this process, in the order of their start.
var registry struct {
	sync.Mutex
	engines []*Engine
}

// Engines lists the engines that run in this process.
func Engines() []*Engine {
	registry.Lock()
	defer registry.Unlock()
	return slices.Clone(registry.engines)
}

func (e *Engine) register(on bool) {
	registry.Lock()
	defer registry.Unlock()
	registry.engines = slices.DeleteFunc(registry.engines, func(o *Engine) bool { return o == e })
	if on {
		registry.engines = append(registry.engines, e)
	}
}

// Has says whether the ledger holds an action.
func (e *Engine) Has(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.items[id] != nil
}

// Get reads one action.
func (e *Engine) Get(ctx context.Context, id string) (Entry, error) {
	en, err := e.read(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	return *en, nil
}

// Holder finds the engine that holds an action.
func Holder(id string) (*Engine, error) {
	all := Engines()
	for _, e := range all {
		if e.Has(id) {
			return e, nil
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no policies run in this agent: its pipelines have no processor governance")
	}
	return nil, fmt.Errorf("no action %q is in the ledger of this agent", id)
}
