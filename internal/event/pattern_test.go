package event

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// TestRecordsWithTheSameNamesAreWrittenAsTheFirstOfTheirKind: whatever the values and the encoding, and the names the other way round.
func TestRecordsWithTheSameNamesAreWrittenAsTheFirstOfTheirKind(t *testing.T) {
	testVendor(t, Vendor{Root: "vend", Snake: true})
	random := rand.NewChaCha8([32]byte{7})
	encodings := []Encoding{{}, {NoVendor: true}, {NoOriginal: true}, {NoClock: true}, {Ingested: time.Unix(1, 0), Namespace: "x\"y"}}
	c, followed := newEncoder(), 0
	for range 1000 {
		data := make([]byte, 1000)
		if _, err := random.Read(data); err != nil {
			t.Fatal(err)
		}
		feed := &feed{data}
		for w := range Views(feed.record(t, `{"a":1}`)) {
			if feed.next()&1 > 0 {
				w.Res.Resource().Attributes().PutStr("event.module", "test")
			}
			for k := range 4 {
				for _, e := range encodings {
					made := c.patterns.made
					got := c.document(nil, w, e)
					if want := newEncoder().document(nil, w, e); !bytes.Equal(got, want) {
						t.Fatalf("%+v: by its pattern\n%s\nand without one\n%s", e, got, want)
					}
					if c.patterns.made == made {
						followed++
					}
				}
				for _, m := range []pcommon.Map{w.Log.Attributes(), w.Res.Resource().Attributes()} {
					for name, val := range m.All() {
						if name != "event.module" || k > 1 {
							feed.value(val, 0)
						}
						if feed.next()%16 == 1 {
							pcommon.NewValueEmpty().CopyTo(val)
						}
					}
				}
				w.Log.Body().SetStr([]string{`{"b":2,"c":{"D":"é"}}`, "", "no object", "\xff{\"a\n"}[k])
				w.Log.SetTimestamp(pcommon.Timestamp(feed.uint64() >> 2))
			}
		}
	}
	if followed < 5000 {
		t.Fatalf("%d documents were not the first of their kind", followed)
	}
}

// TestPatternsAreBounded: of records of which no two are alike, few are learned, and of many kinds not all are kept.
func TestPatternsAreBounded(t *testing.T) {
	c := newEncoder()
	write := func(i int) {
		w, _ := otlpRecord()
		w.Log.Attributes().PutStr(fmt.Sprintf("kind%d.of", i), "x")
		c.document(nil, w, Encoding{})
	}
	for i := range 5000 {
		write(i)
	}
	most := maxPatternDebt/patternCost + 1
	if c.patterns.made > most || c.patterns.branches > most {
		t.Fatalf("%d patterns and %d branches of records that come once", c.patterns.made, c.patterns.branches)
	}
	for i := range 3000 {
		for range 8 {
			write(i)
		}
	}
	if c.patterns.made > maxPatterns || c.patterns.branches > maxBranches || c.patterns.debt > maxPatternDebt+patternCost {
		t.Fatalf("%d patterns, %d branches, debt %d", c.patterns.made, c.patterns.branches, c.patterns.debt)
	}
}
