package dlp

import (
	"testing"
)

func TestWhatAnObjectHoldsIsFoundOnceThoughItGivesSeveralRecords(t *testing.T) {
	r := start(t, nil)
	b := oktaBatch()
	const raw = `{"message":"paid with card 4539 1488 0343 6467"}`
	add(b, "e1", raw)
	add(b, "e1#1", raw)
	add(b, "e2", `{"message":"nothing"}`)
	add(b, "e3", raw)
	_, found := r.pass(b.Take())
	if len(found) != 2 {
		t.Fatalf("%d findings, want one of the first object and one of the last", len(found))
	}
}
