package deliverytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
)

// Day is when the first event of a batch happened.
var Day = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// Batch makes events of one application, numbered, a second apart.
func Batch(from, to int) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("event.module", "okta")
	rl.Resource().Attributes().PutStr("saas.tenant", "okta/acme")
	sl := rl.ScopeLogs().AppendEmpty()
	for i := from; i < to; i++ {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(Day.Add(time.Duration(i) * time.Second)))
		lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(Day.Add(time.Hour)))
		lr.Attributes().PutStr("event.dataset", "okta.system")
		lr.Attributes().PutStr("event.id", fmt.Sprintf("id-%05d", i))
		lr.Attributes().PutStr("event.action", "user.session.start")
		lr.Body().SetStr(fmt.Sprintf(`{"uuid":"id-%05d",`+"\n"+`"n":"%s"}`, i, strings.Repeat("x", 100)))
	}
	return logs
}

// First is the first record.
func First(l plog.Logs) event.View {
	for w := range event.Views(l) {
		return w
	}
	panic("no record")
}

// IDs are those that the documents of a batch must have, in order.
func IDs(l plog.Logs) []string {
	var out []string
	for w := range event.Views(l) {
		out = append(out, w.DocID())
	}
	slices.Sort(out)
	return out
}

// Drain pushes until nothing is given back, and says how many records each attempt had.
func Drain(t testing.TB, push func(context.Context, plog.Logs) error, logs plog.Logs) []int {
	t.Helper()
	var sizes []int
	var err error
	for range 50 {
		sizes = append(sizes, logs.LogRecordCount())
		if err = push(t.Context(), logs); err == nil {
			return sizes
		}
		var part consumererror.Logs
		if !errors.As(err, &part) {
			t.Fatalf("an error without the failed part: %v", err)
		}
		logs = part.Data()
	}
	t.Fatalf("still failing after %v: %v", sizes, err)
	return nil
}

// Same checks that what came is what was sent.
func Same(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %d documents, want %d: the first %.5q", len(got), len(want), got[:min(len(got), 5)])
	}
}
