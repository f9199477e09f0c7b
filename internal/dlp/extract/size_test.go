package extract

import "testing"

func TestSizesAreRead(t *testing.T) {
	f := func(in string, want int64) {
		t.Helper()
		if got, ok := ParseSize(in, 1<<40); got != want || ok != (want > 0) {
			t.Errorf("%q: %d, %v", in, got, ok)
		}
	}
	f("10", 10)
	f("500k", 500<<10)
	f("64MiB", 64<<20)
	f("64 mb", 64<<20)
	f("1G", 1<<30)
	f("2000g", 0)
	f("-1", 0)
	f("", 0)
	f("k", 0)
	f("9999999999999999999", 0)
}
