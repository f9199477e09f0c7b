package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// width is how far text is written before it goes on in the next line.
const width = 110

// writeJSON writes v indented, as every --json does.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table aligns rows of cells separated by tabs; each line begins with indent.
func table(w io.Writer, indent string, lines [][]string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, cells := range lines {
		fmt.Fprintln(tw, indent+strings.Join(cells, "\t"))
	}
	_ = tw.Flush() // as with every print to a terminal, nobody is left to tell
}

// wrap writes text behind lead and breaks it at spaces so that, with indent before each line but the first, no line is longer
// than width.
func wrap(lead, text, indent string) string {
	var b strings.Builder
	b.WriteString(lead)
	room := width - utf8.RuneCountInString(indent)
	at := utf8.RuneCountInString(lead) - utf8.RuneCountInString(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > room:
			b.WriteString("\n" + indent)
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// count writes n with separators: 12,345.
func count[T int | int64](n T) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is "1 event", "2 events".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// progress is a line on stderr that says how far long work is: rewritten in place on a terminal, else written when it changed
// and the caller says it is time.
type progress struct {
	w    io.Writer
	live bool
	last string
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok {
		return &progress{w: w}
	}
	info, err := f.Stat()
	return &progress{w: w, live: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p *progress) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if line == p.last {
		return
	}
	p.last = line
	if p.live {
		fmt.Fprintf(p.w, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(p.w, line)
}

// end leaves the terminal at the beginning of an empty line.
func (p *progress) end() {
	if p.live && p.last != "" {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.last = ""
}
