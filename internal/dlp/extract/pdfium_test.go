package extract

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

// slow makes a PDF of three pages, of which the second takes minutes: it draws a form thousands of times that draws nothing, at length.
func slow() string {
	m := made.NewPDF()
	x := m.Stream("/Type/XObject/Subtype/Form/BBox[0 0 1 1]", strings.Repeat("q Q ", 1<<20), true)
	m.Page(made.Drawn("one"), "")
	m.Page(strings.Repeat("/X Do ", 10_000), fmt.Sprintf("/Resources<</XObject<</X %d 0 R>>>>", x))
	m.Page(made.Drawn("three"), "")
	return m.String()
}

// large makes a PDF of three pages, of which the second needs 16 MiB.
func large() string {
	m := made.NewPDF()
	m.Page(made.Drawn("one"), "")
	m.Page(made.Drawn("two"), "")
	m.Objects[len(m.Objects)-2] = m.Objects[m.Stream("", strings.Repeat("q Q ", 4<<20), true)-1]
	m.Page(made.Drawn("three"), "")
	return m.String()
}

func TestAPageBeyondALimitLeavesTheOthers(t *testing.T) {
	f := func(in string, lim Limits, reason string) {
		t.Helper()
		got, res := spansOf(t, in, lim)
		if want := "page 1| one\npage 3| three\n"; got != want || res.Outcome != Partial || res.Reason != reason {
			t.Errorf("%+v, want %s; got:\n%s\nwant:\n%s", res, reason, got, want)
		}
	}
	f(slow(), Limits{PageTime: time.Second},
		"1 of 3 pages could not be read, the first because it takes longer than 1s, the limit of the time for a page")
	f(large(), Limits{Memory: 24 << 20},
		"1 of 3 pages could not be read, the first because it takes more than 24 MiB of memory, the limit")
	if got, res := spansOf(t, made.Pages("one"), Limits{Memory: 1}); got != "page 1| one\n" || res.Outcome != Done {
		t.Errorf("with what it begins with alone: %+v\n%s", res, got)
	}
	in := made.Pages("one") + strings.Repeat(" ", 32<<20)
	got, res := spansOf(t, in, Limits{Memory: 32 << 20})
	if want := "a PDF: it takes more than 32 MiB of memory, the limit"; got != "" || res.Outcome != NotScanned || res.Reason != want {
		t.Errorf("%+v, want %s; got:\n%s", res, want, got)
	}
}

func TestTheTimeOfAFileEndsACallOfPDFium(t *testing.T) {
	if _, err := compiled(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
	defer cancel()
	res, err := Read(ctx, strings.NewReader(slow()), "", -1, Limits{PageTime: time.Hour}, func(*Piece) {})
	if !errors.Is(err, context.DeadlineExceeded) || res.Outcome != Partial || res.Reason != "the time ran out" {
		t.Errorf("%+v, %v", res, err)
	}
	for range cap(slots) { // all turns are taken
		slots <- struct{}{}
	}
	res, err = Read(ctx, strings.NewReader(made.Pages("one")), "", -1, Limits{}, func(*Piece) {})
	for range cap(slots) {
		<-slots
	}
	if !errors.Is(err, context.DeadlineExceeded) || res.Outcome != Partial {
		t.Errorf("waiting for a turn: %+v, %v", res, err)
	}
}

// broken reads a PDF whose reader breaks whenever a piece is handed on: its memory is filled with ones.
func broken(t *testing.T, in string) (got string, res Result) {
	t.Helper()
	e, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	x := newRun(t.Context(), Limits{}, func(p *Piece) {
		fmt.Fprintf(&b, "%s| %s\n", p.Where(p.From), strings.TrimSpace(string(p.Text[p.From:p.To])))
		for i := range e.next.b {
			e.next.b[i] = 0xff
		}
	})
	x.size, x.context = 100, 0
	res, err = x.read(strings.NewReader(in), "", -1)
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), res
}

func TestWhenPDFiumFailsANewOneGoesOn(t *testing.T) {
	long := strings.Repeat("x", 98)
	got, res := broken(t, made.Pages("a"+long, "b"+long, "c"))
	if want := "page 1| a" + long + "\npage 2| b" + long + "\npage 3| c\n"; got != want || res.Outcome != Partial ||
		res.Reason != "2 of 3 pages could not be read, the first because its reader fails" {
		t.Errorf("%+v; got:\n%s\nwant:\n%s", res, got, want)
	}
	var many []string
	for range 10 {
		many = append(many, long+long)
	}
	_, res = broken(t, made.Pages(many...))
	if want := "10 of 10 pages could not be read, the first because its reader fails"; res.Outcome != Partial || res.Reason != want {
		t.Errorf("%+v, want %s", res, want)
	}
	if got, res := spansOf(t, made.Pages("the next file"), Limits{}); got != "page 1| the next file\n" || res.Outcome != Done {
		t.Errorf("%+v; got:\n%s", res, got)
	}
}

func TestManyPDFsAreReadAtTheSameTime(t *testing.T) {
	var all sync.WaitGroup
	for i := range 4 * maxInstances {
		all.Go(func() {
			text := fmt.Sprint("text ", i)
			if got, res := spansOf(t, made.Pages(text), Limits{}); got != "page 1| "+text+"\n" || res.Outcome != Done {
				t.Errorf("%d: %+v\n%s", i, res, got)
			}
		})
	}
	all.Wait()
	if n := len(slots); n != 0 {
		t.Errorf("%d turns are still taken", n)
	}
}

func TestNoReaderOfPDFsIsMadeForOtherFiles(t *testing.T) {
	defer func(was func() (*engine, error)) { compiled = was }(compiled)
	count := 0
	compiled = func() (*engine, error) {
		count++
		return nil, errors.New("none")
	}
	for _, in := range []string{"text", "a,b\n1,2\n", made.Docx(t, "<w:p/>"), string(made.Zip(t, "a.pdf", "how a %PDF- begins"))} {
		if _, res := piecesOf(t, strings.NewReader(in), "a.pdf", Limits{}); res.Outcome != Done || count > 0 {
			t.Errorf("%+v; %d made", res, count)
		}
	}
	if _, res := piecesOf(t, strings.NewReader("%PDF-1.7\nno more"), "", Limits{}); res.Outcome != NotScanned || count > 0 {
		t.Errorf("%+v; %d made", res, count)
	}
	_, res := piecesOf(t, strings.NewReader(made.Pages("one")), "", Limits{})
	if want := "a PDF: its reader cannot run on this system"; res.Outcome != NotScanned || res.Reason != want || count != 1 {
		t.Errorf("%+v, want %s; %d made", res, want, count)
	}
}

func TestPDFsWithBitsThatAreWrongHaveAnOutcome(t *testing.T) {
	n := 300
	if os.Getenv("LONGSHORE_LONG") != "" {
		n = 10_000
	}
	m := made.NewPDF()
	m.Page(made.Drawn("one", "two"), "/Annots[<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(b)/Rect[0 0 9 9]>>]")
	m.Page(made.Drawn("three"), "")
	whole := []string{m.String(), holding("one", "c.txt", "two")}
	m.Packed = true
	whole = append(whole, m.String())
	r, outcomes := rand.New(rand.NewPCG(1, 2)), map[string]int{}
	for i := range n {
		b := []byte(whole[i%len(whole)])
		for range 1 + r.IntN(4) {
			b[9+r.IntN(len(b)-9)] ^= 1 << r.IntN(8)
		}
		outcomes[check(t, b, "").Outcome]++
	}
	if t.Log(n, outcomes); outcomes[Done] < n/20 || outcomes[Partial]+outcomes[NotScanned] < n/20 {
		t.Errorf("of %d: %v: the test does not see what happens", n, outcomes)
	}
}
