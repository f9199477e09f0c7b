package custom

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/sim"
)

// compared is a text as dictionaries compare it, a character at a time: what each is, and where it begins and ends.
type compared struct {
	is         string
	start, end int
}

func compare(fold bool, text string) (out []compared) {
	a := manner{fold: fold}
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRuneInString(text[i:])
		is := string(a.appendChar(nil, c))
		n := len(out)
		switch {
		case fold && unicode.IsMark(c):
			if n > 0 && out[n-1].is != " " {
				out[n-1].end = i + size
			}
		case is == " " && n > 0 && out[n-1].is == " ":
		default:
			out = append(out, compared{is, i, i + size})
		}
		i += size
	}
	return out
}

// naive finds terms by looking for each at each place.
func naive(fold, whole bool, terms []string, text string) (out []span) {
	chars := compare(fold, text)
	for i := 0; i < len(chars); i++ {
		best := -1
		for _, t := range terms {
			rest := manner{fold: fold}.normal(t)
			k := i
			for rest != "" && k < len(chars) && strings.HasPrefix(rest, chars[k].is) {
				rest = rest[len(chars[k].is):]
				k++
			}
			if rest == "" && (!whole || bounded([]byte(text), chars[i].start, chars[k-1].end)) {
				best = max(best, k)
			}
		}
		if best > 0 {
			out = append(out, span{chars[i].start, chars[best-1].end})
			i = best - 1
		}
	}
	return out
}

// bounded says whether no word goes on at the ends of what stands at [start, end).
func bounded(text []byte, start, end int) bool {
	before, _ := utf8.DecodeLastRune(text[:start])
	first, _ := utf8.DecodeRune(text[start:])
	last, _ := utf8.DecodeLastRune(text[:end])
	after, _ := utf8.DecodeRune(text[end:])
	return !(start > 0 && joined(before, first)) && !(end < len(text) && joined(last, after))
}

// random makes texts of few letters, so that terms overlap.
func random(r *sim.Rand, n int) string {
	letters := []string{"a", "b", "A", "é", "e", "e\u0301", " ", "  ", "-", "ü", "世", "\xff", "_", "\n"}
	var b strings.Builder
	for range n {
		b.WriteString(letters[r.N(len(letters))])
	}
	return b.String()
}

func TestTermsAreThoseOfANaiveSearch(t *testing.T) {
	r, found := sim.NewRand(3, 3), 0
	for round := range 3000 {
		fold, whole := round%2 == 0, round%3 > 0
		var terms []string
		for range 1 + r.N(12) {
			if s := strings.TrimSpace(random(r, 1+r.N(5))); checkTerm(s) == nil && (manner{fold: fold}).normal(s) != "" {
				terms = append(terms, s)
			}
		}
		if len(terms) == 0 {
			continue
		}
		how := manner{fold, whole}
		var entries []entry
		for _, s := range terms {
			entries = append(entries, entry{how.normal(s), 0})
		}
		text := random(r, r.N(60))
		var got []span
		newAutomaton(how, entries).scan([]byte(text), func(_ uint8, start, end int) {
			got = longest(got, span{start, end})
		})
		want := naive(fold, whole, terms, text)
		if found += len(want); !slices.Equal(got, want) {
			t.Fatalf("terms %q in %q: %v, want %v (fold %v, whole words %v)", terms, text, got, want, fold, whole)
		}
	}
	if found < 3000 {
		t.Errorf("only %d terms found", found)
	}
}

func TestTermsOfDictionariesAreFound(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "terms.txt")
	if err := os.WriteFile(file, []byte("\ufeffProject Nightingale\r\n\nÉclair\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := scanner(t, Detector{ID: "acme.project", Dictionary: &Dictionary{Terms: []string{"Falcon", "Falcon Heavy"}, File: file}},
		Detector{ID: "acme.code", Dictionary: &Dictionary{Terms: []string{"XK"}, CaseSensitive: true, Parts: true}})
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	f(inText(s, "the FALCON, the falcon  heavy and\nproject\nNightingale"), "acme.project 3/3 75 at note")
	f(inText(s, "falcons superfalcon falcon_x"), "")
	f(inText(s, "eclair ECLAIR e\u0301clair"), "acme.project 3/1 75 at note")
	f(inText(s, "aXKb xk"), "acme.code 1/1 75 at note")
	f(inJSON(s, `{"n":"Falc","m":"on","o":["f\u0061lcon"]}`), "acme.project 1/1 75 at o[0]")
	f(inText(s, "世falcon界"), "acme.project 1/1 75 at note")
	for _, bad := range []string{"\xff", strings.Repeat("x", 200)} {
		if err := os.WriteFile(file, []byte("ok\n"+bad+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New([]Detector{{ID: "acme.x", Dictionary: &Dictionary{File: file}}})
		if err == nil || !strings.Contains(err.Error(), `detector "acme.x": dictionary: `+file+": line 2: the term") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := os.WriteFile(file, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New([]Detector{{ID: "acme.x", Dictionary: &Dictionary{File: file}}})
	if err == nil || !strings.Contains(err.Error(), "has no terms") {
		t.Errorf("an empty file: %v", err)
	}
}

// many makes terms of two words, and words that texts are made of.
func many(n int) (terms []entry, text []byte) {
	r := sim.NewRand(5, 5)
	word := func() string {
		b := make([]byte, 4+r.N(6))
		for i := range b {
			b[i] = "etaoinshrdlucmfwypvbgkjqxz"[min(25, r.N(8)*r.N(6))]
		}
		return string(b)
	}
	for range n {
		terms = append(terms, entry{manner{true, true}.normal(word() + " " + word()), 0})
	}
	for len(text) < 1<<20 {
		text = append(append(text, word()...), ' ')
	}
	return terms, text
}

// rate reports also the rate by the time that the processor was ours, which others on the machine change less.
func rate(b *testing.B, n int, f func()) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b.SetBytes(int64(n))
	began := used()
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(n)*float64(b.N)/1e6/(used()-began).Seconds(), "MB/cpu-s")
}

// BenchmarkDictionary has DICTIONARY_TERMS terms, 1,000,000 for the figures in docs/benchmarks.md.
func BenchmarkDictionary(b *testing.B) {
	n := 100_000
	if _, err := fmt.Sscan(cmp.Or(os.Getenv("DICTIONARY_TERMS"), "100000"), &n); err != nil {
		b.Fatal(err)
	}
	terms, text := many(n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a := newAutomaton(manner{true, true}, slices.Clone(terms))
	runtime.GC()
	runtime.ReadMemStats(&after)
	found := 0
	rate(b, len(text), func() { a.scan(text, func(uint8, int, int) { found++ }) })
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
	b.ReportMetric(float64(len(a.label)), "nodes")
	runtime.KeepAlive(terms)
}

func BenchmarkBuildDictionary(b *testing.B) {
	terms, _ := many(100_000)
	for b.Loop() {
		newAutomaton(manner{true, true}, slices.Clone(terms))
	}
}
