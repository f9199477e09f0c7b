package event

import "testing"

// BenchmarkAppendOCSF has ECS beside it, in the same run.
func BenchmarkAppendOCSF(b *testing.B) {
	logs := signInLogs(b, pageEvents)
	run := func(name string, encode func([]byte, View, Encoding) []byte, e Encoding) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				for w := range Views(logs) {
					buf = encode(buf[:0], w, e)
				}
			}
			perEvent(b)
		})
	}
	run("ocsf", AppendOCSF, Encoding{})
	run("ocsf, no original", AppendOCSF, Encoding{NoOriginal: true})
	run("ecs", AppendECS, Encoding{NoVendor: true})
	run("ecs, no original", AppendECS, Encoding{NoVendor: true, NoOriginal: true})
}

func TestOCSFIsWrittenWithoutAnAllocation(t *testing.T) {
	logs := signInLogs(t, 100)
	c := newOCSFEncoder() // the pool's may be dropped at any time
	var buf []byte
	write := func() {
		for w := range Views(logs) {
			buf = c.document(buf[:0], w, Encoding{Ingested: observed})
		}
	}
	if n := testing.AllocsPerRun(50, write); n != 0 {
		t.Errorf("%v allocations for 100 documents", n)
	}
}
