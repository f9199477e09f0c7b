package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

type (
	// fileJSON is a line of `scan --json`.
	fileJSON struct {
		Path     string        `json:"path"`
		Outcome  string        `json:"outcome"`
		Reason   string        `json:"reason,omitempty"`
		Type     string        `json:"type,omitempty"`
		Bytes    int64         `json:"bytes"`
		Labels   []labelJSON   `json:"labels,omitempty"`
		Flaws    []string      `json:"malformed_labels,omitempty"`
		Findings []findingJSON `json:"findings,omitempty"`
	}
	findingJSON struct {
		Type       string   `json:"type"`
		Confidence int      `json:"confidence"`
		Severity   int      `json:"severity"`
		Count      int      `json:"count"`
		Unique     int      `json:"unique"`
		Samples    []string `json:"samples"`
		Locations  []string `json:"locations"`
		// Reasons are there with --explain.
		Reasons []reasonJSON `json:"reasons,omitempty"`
	}
	reasonJSON struct {
		Confidence int    `json:"confidence"`
		Count      int    `json:"count"`
		Check      string `json:"check,omitempty"`
		Keyword    string `json:"keyword,omitempty"`
		Distance   int    `json:"distance,omitempty"`
	}
	// sumsJSON is the last line.
	sumsJSON struct {
		Files    int     `json:"files"`
		Bytes    int64   `json:"bytes"`
		Found    int     `json:"files_with_findings"`
		Findings int     `json:"findings"`
		Unread   int     `json:"files_not_read_whole"`
		Failed   int     `json:"files_that_failed"`
		Seconds  float64 `json:"seconds"`
	}
)

// telling writes what is found as it is found, then what was not read and the sums.
type telling struct {
	p      *program
	json   bool
	sarif  *sarif // nil = not wanted
	out    *bufio.Writer
	say    *progress
	said   time.Time
	began  time.Time
	sums   sumsJSON
	wide   int // of the paths
	unread []unread
	at     map[string]int // in unread, by reason
}

// unread are files that were not read, or not whole, for one reason.
type unread struct {
	why   string
	count int
	paths []string
}

const (
	maxUnread = 20 // reasons, the last for all others
	maxPaths  = 5  // of a reason that are listed
	maxShown  = 3  // samples and places in a line
	minWide   = 20 // of paths
	maxWide   = 60 // to which they are aligned
)

func newTelling(p *program, asJSON bool) *telling {
	return &telling{p: p, json: asJSON, out: bufio.NewWriter(p.out), say: newProgress(p.errs), began: time.Now(), at: map[string]int{},
		wide: minWide}
}

// tell tells of a file.
func (t *telling) tell(f *scanned) error {
	t.sums.Files++
	t.sums.Bytes += f.res.Bytes
	if len(f.findings) > 0 {
		t.sums.Found++
		t.sums.Findings += len(f.findings)
	}
	why := ""
	switch {
	case f.err != nil:
		t.sums.Failed++
		f.res.Outcome, f.res.Reason = extract.NotScanned, "cannot be read: "+f.why()
		why = f.res.Reason
	case f.res.Outcome == extract.Partial:
		why = "read in part: " + f.res.Reason
	case f.res.Outcome != extract.Done:
		why = "not read: " + f.res.Reason
	}
	if why != "" {
		t.sums.Unread++
		t.note(why, f.path)
	}
	if t.json {
		return t.line(f.json())
	}
	if t.sarif != nil {
		return t.sarif.tell(f, why)
	}
	t.progress()
	return t.findings(f)
}

// findings writes a line for each.
func (t *telling) findings(f *scanned) error {
	if len(f.findings) == 0 {
		return nil
	}
	t.say.end()
	path := shown(f.path)
	t.wide = min(max(t.wide, utf8.RuneCountInString(path)), maxWide)
	if t.sums.Found == 1 {
		fmt.Fprintf(t.out, "%-*s  %-24s  SURE  VALUES  MASKED, AND WHERE\n", t.wide, "PATH", "TYPE")
	}
	for _, x := range f.findings {
		fmt.Fprintf(t.out, "%-*s  %-24s  %4d  %6s  %s  at %s\n", t.wide, path, x.Type.ID, x.Confidence, count(x.Count),
			some(x.Samples, x.Unique), cmp.Or(some(x.Locations, 0), "the whole of it"))
		for _, r := range x.Reasons {
			fmt.Fprintf(t.out, "%*s  %4d  %6s  %s\n", t.wide+26, "why", r.Confidence, count(r.Count), wording(r))
		}
	}
	return t.flush()
}

// wording is a reason for people.
func wording(r dlp.Reason) string {
	check := "the pattern, no check"
	if r.Check != "" {
		check = r.Check
	}
	switch r.Keyword {
	case dlp.Nowhere:
		return check
	case dlp.InField:
		return check + "; a keyword " + string(r.Keyword)
	}
	return fmt.Sprintf("%s; a keyword %s %s", check, plural(r.Distance, "character"), r.Keyword)
}

// progress says on a terminal how far it is, a few times a second.
func (t *telling) progress() {
	if t.say.live && time.Since(t.said) > 200*time.Millisecond {
		t.said = time.Now()
		t.say.say("scanned %s, %s", plural(t.sums.Files, "file"), megabytes(t.sums.Bytes))
	}
}

// some are the first of many. all: how many there are, 0 = as listed.
func some(list []string, all int) string {
	n := min(len(list), maxShown)
	s := make([]string, n)
	for i := range s {
		s[i] = shown(list[i])
	}
	out := strings.Join(s, "; ")
	if max(all, len(list)) > n {
		out += "; …"
	}
	return out
}

// shown is a text that does not act on a terminal.
func shown(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// note lists a file with the reason why it was not read.
func (t *telling) note(why, path string) {
	i, known := t.at[why]
	if !known {
		if len(t.unread) >= maxUnread {
			why = "not read whole, for other reasons"
		}
		if i, known = t.at[why]; !known {
			i = len(t.unread)
			t.at[why] = i
			t.unread = append(t.unread, unread{why: why})
		}
	}
	u := &t.unread[i]
	if u.count++; u.count <= maxPaths {
		u.paths = append(u.paths, path)
	}
}

func (f *scanned) json() fileJSON {
	line := fileJSON{Path: f.path, Outcome: f.res.Outcome, Reason: f.res.Reason, Type: f.res.Type, Bytes: f.res.Bytes,
		Labels: labelsJSON(f.res.Labels.Labels), Flaws: f.res.Labels.Flaws}
	for _, x := range f.findings {
		found := findingJSON{x.Type.ID, x.Confidence, x.Type.Severity, x.Count, x.Unique, append([]string{}, x.Samples...),
			append([]string{}, x.Locations...), nil}
		for _, r := range x.Reasons {
			found.Reasons = append(found.Reasons, reasonJSON{r.Confidence, r.Count, r.Check, string(r.Keyword), r.Distance})
		}
		line.Findings = append(line.Findings, found)
	}
	return line
}

// line writes an object.
func (t *telling) line(v any) error {
	enc := json.NewEncoder(t.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return t.flush()
}

func (t *telling) flush() error {
	if err := t.out.Flush(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// end writes the sums and gives the answer.
func (t *telling) end() error {
	t.say.end()
	t.sums.Seconds = time.Since(t.began).Seconds()
	var err error
	switch {
	case t.json:
		err = t.line(map[string]sumsJSON{"summary": t.sums})
	case t.sarif != nil:
		if err = t.sarif.end(); err == nil {
			err = t.flush()
		}
	default:
		t.summary()
		err = t.flush()
	}
	switch {
	case err != nil:
		return err
	case t.sums.Found > 0:
		return errReported
	case t.sums.Failed > 0:
		return errUnread
	}
	return nil
}

func (t *telling) summary() {
	if t.sums.Found > 0 {
		fmt.Fprintln(t.out)
	}
	for _, u := range t.unread {
		if u.count == 1 {
			fmt.Fprintln(t.out, wrap(shown(u.paths[0])+": ", u.why, "    "))
			continue
		}
		fmt.Fprintln(t.out, wrap(plural(u.count, "file")+" ", u.why, "    "))
		for _, path := range u.paths {
			fmt.Fprintln(t.out, "    "+shown(path))
		}
		if more := u.count - len(u.paths); more > 0 {
			fmt.Fprintf(t.out, "    and %s more; --json lists all\n", count(more))
		}
	}
	if len(t.unread) > 0 {
		fmt.Fprintln(t.out)
	}
	found := "nothing found"
	if t.sums.Found > 0 {
		found = plural(t.sums.Findings, "finding") + " in " + plural(t.sums.Found, "file")
	}
	fmt.Fprintf(t.out, "%s: scanned %s, %s in %.1f s", found, plural(t.sums.Files, "file"), megabytes(t.sums.Bytes), t.sums.Seconds)
	if t.sums.Unread > 0 {
		fmt.Fprintf(t.out, "; %s of them not, or not whole", count(t.sums.Unread))
	}
	fmt.Fprintln(t.out)
}

// stopped ends what was interrupted.
func (t *telling) stopped() error {
	t.say.end()
	_ = t.out.Flush()
	return fmt.Errorf("interrupted after %s", plural(t.sums.Files, "file"))
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
