package saas

import (
	"context"

	"github.com/longshore-dev/longshore/internal/event"
)

func byRaw(v *event.Values) string                         { return string(v.Raw) }
func mapNothing(*event.Values, func() *event.Record) error { return nil }
func pollNothing(context.Context, *Run) error              { return nil }
