package dlp

import (
	"testing"
)

func TestWhatAnObjectHoldsIsFoundOnceThoughItGivesSeveralRecords(t *testing.T) {
	r := start(t, nil)
	b := oktaBatch()
	const raw = `{"message":"paid with card 4539 1488 0343 6467"}`
	add(b, "e1", raw)
	add(b, "e1#1", raw).Dataset("okta.inventory")
	add(b, "e2", `{"message":"nothing"}`)
	_, found := r.pass(b.Take())
	if len(found) != 1 {
		t.Fatalf("%d findings in one object that gave two records", len(found))
	}
}
