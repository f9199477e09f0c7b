package store

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
)

func TestWordsAreRunsOfLettersAndDigitsWithoutAccents(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if got := wordsOf(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	f("")
	f(" -.@ ")
	f("Ana.Roy7@contoso.example", "ana", "roy7", "contoso", "example")
	f("Rhône RHO\u0302NE", "rhone", "rhone")
	f("Ærø—Ünal", "ærø", "unal")
	f("ДМИТРИЙ 東京都", "дмитрии", "東京都")
	f("a\xffb", "a", "b")
	f("mid\u0301dle", "middle")
}

func TestWordsOfARecordAreKeptOnce(t *testing.T) {
	var w words
	for range 3 { // a record does not know the words of the one before
		w.vals = []string{"ana roy", "Roy ANA cy", "cy"}
		if got := string(w.append([]byte("x"))); got != "xana roy cy " {
			t.Fatalf("got %q", got)
		}
	}
	var many []string
	for i := range 5000 { // more than it remembers: some stand twice, none is missing
		many = append(many, fmt.Sprintf("w%d", i))
	}
	w.vals = slices.Concat(many, many)
	got := strings.Fields(string(w.append(nil)))
	slices.Sort(got)
	slices.Sort(many)
	if !slices.Equal(slices.Compact(got), many) {
		t.Fatalf("%d words of %d", len(got), len(many))
	}
}

func TestPhrasesAreWordsThatFollowEachOtherInOneValue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "longshore.db")
	logs := batch(0, 3)
	for i, v := range slices.Collect(event.Views(logs)) {
		a := v.Log.Attributes()
		a.PutStr("message", []string{"invoice from Ana Roy", "Roy met Ana", "invoice Ána-Röy"}[i])
		a.PutStr("file.name", []string{"a", "b", "quarterly report.pdf"}[i])
		v.Log.Body().SetStr(`{"n":"Roy Ana"}`)
	}
	write(t, opened(t, path), logs)
	r := reading(t, path)
	f := func(expression string, want ...int) {
		t.Helper()
		got := []int{}
		for d, err := range r.Documents(t.Context(), Search{Filter: compiled(t, expression)}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d.Time.Second())
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
	f(`"ana roy"`, 0, 2)
	f(`"roy ana"`) // the raw object is not searched, nor two values as one
	f(`roy`, 0, 1, 2)
	f(`ana roy`, 0, 1, 2)
	f(`quarterly.rep*`, 2)
	f(`quarterly.pdf`)
	f(`"roy met ana"`, 1)
	f(`NOT "ana roy"`, 1)
	f(`"--"`)
	f(`ro*`, 0, 1, 2)
}
