package elasticsearch

import (
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
)

func TestDeadNodesRestAndAreTriedAgain(t *testing.T) {
	now := deliverytest.Day
	n := newNodes([]string{"a", "b", "c"}, func() time.Time { return now })
	want := func(order string) {
		t.Helper()
		var got []string
		for _, at := range n.order() {
			got = append(got, at.url)
		}
		if s := strings.Join(got, " "); s != order {
			t.Fatalf("order %q, want %q", s, order)
		}
	}
	want("a b c")
	want("b c a")
	n.report(n.all[2], false)
	want("a b c") // c would have been next, and comes last
	now = now.Add(firstRest)
	want("a b c")
	want("b c a")
	for range 20 {
		n.report(n.all[2], false)
	}
	now = now.Add(mostRest - time.Second)
	want("a b c")
	now = now.Add(time.Second)
	want("a b c")
	want("b c a")
	n.report(n.all[2], false)
	n.report(n.all[2], true)
	want("c a b")
	for i, at := range n.all { // all are down: each is still tried
		now = now.Add(time.Duration(i) * time.Second)
		n.report(at, false)
	}
	want("a b c")
}
