package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

type (
	// result is the outcome of `quickstart --once`, as --json writes it.
	result struct {
		OK      bool           `json:"ok"`
		Seconds float64        `json:"seconds"`
		Tenants []tenantResult `json:"tenants"`
	}
	// tenantResult is what became of one simulated tenant.
	tenantResult struct {
		ID       string          `json:"id"`
		Title    string          `json:"title"`
		Streams  []streamResult  `json:"streams"`
		Content  map[string]int  `json:"content,omitempty"` // files by what became of reading them: done, not_scanned …
		Findings []findingResult `json:"findings"`
		Alerts   []alertResult   `json:"alerts"`
		Actions  []actionResult  `json:"actions"`
	}
	// streamResult compares the keys that a stream had to deliver with those that are stored. Samples only when they differ.
	streamResult struct {
		Stream     string   `json:"stream"`
		Published  int      `json:"published"`
		Stored     int      `json:"stored"`
		Equal      bool     `json:"equal"`
		Missing    []string `json:"missing,omitempty"`
		Unexpected []string `json:"unexpected,omitempty"`
	}
	// findingResult compares the records that hold a planted value of a data type with those in which one was found.
	findingResult struct {
		DataType string `json:"data_type"`
		Planted  int    `json:"planted"`
		Found    int    `json:"found"`
		Equal    bool   `json:"equal"`
	}
	// alertResult counts what a policy reported.
	alertResult struct {
		Policy string `json:"policy"`
		Count  int    `json:"count"`
	}
	// actionResult counts what a policy would do, and what would be refused, with the first reason.
	actionResult struct {
		Policy  string `json:"policy"`
		Action  string `json:"action"`
		Mode    string `json:"mode"`
		Planned int    `json:"planned"`
		Refused int    `json:"refused,omitempty"`
		Reason  string `json:"reason,omitempty"`
	}
)

func (r *result) published() (n int) {
	for _, t := range r.Tenants {
		for _, s := range t.Streams {
			n += s.Published
		}
	}
	return n
}

func (r *result) stored() (n int) {
	for _, t := range r.Tenants {
		for _, s := range t.Streams {
			n += s.Stored
		}
	}
	return n
}

func (r *result) found() (n int) {
	for _, t := range r.Tenants {
		for _, f := range t.Findings {
			n += f.Found
		}
	}
	return n
}

func (r *result) planned() (n int) {
	for _, t := range r.Tenants {
		for _, a := range t.Actions {
			n += a.Planned
		}
	}
	return n
}

// compare puts what was published beside what is stored by now.
func (w *watch) compare(held tally) *result {
	res := &result{OK: true}
	for i, t := range w.tenants {
		h := held.of(t)
		out := tenantResult{ID: t.id(), Title: t.app.Title, Streams: []streamResult{}, Content: maps.Clone(h.judged),
			Findings: []findingResult{}, Alerts: []alertResult{}, Actions: []actionResult{}}
		for _, name := range streamNames(t, h) {
			want, got := w.want[i][name], h.streams[name]
			s := streamResult{Stream: name, Published: want.n, Stored: got.n, Equal: want == got}
			res.OK = res.OK && s.Equal
			out.Streams = append(out.Streams, s)
		}
		types := maps.Clone(h.findings)
		maps.Copy(types, t.sim.Planted)
		for _, dt := range slices.Sorted(maps.Keys(types)) {
			f := findingResult{DataType: dt, Planted: t.sim.Planted[dt], Found: h.findings[dt]}
			f.Equal = f.Planted == f.Found
			res.OK = res.OK && f.Equal
			out.Findings = append(out.Findings, f)
		}
		for _, p := range slices.Sorted(maps.Keys(h.alerts)) {
			out.Alerts = append(out.Alerts, alertResult{p, h.alerts[p]})
		}
		for _, k := range slices.SortedFunc(maps.Keys(h.actions), planned.compare) {
			e := h.actions[k]
			out.Actions = append(out.Actions, actionResult{k.policy, k.verb, k.mode, e.n - e.refused, e.refused, e.reason})
		}
		res.Tenants = append(res.Tenants, out)
	}
	return res
}

func (a planned) compare(b planned) int {
	return cmp.Or(cmp.Compare(a.policy, b.policy), cmp.Compare(a.verb, b.verb), cmp.Compare(a.mode, b.mode))
}

// streamNames are the streams of a tenant in the fake's order, then those that only the store knows.
func streamNames(t rehearsed, held *holding) []string {
	names := slices.DeleteFunc(t.names(), func(n string) bool { return n == contentStream && !slices.Contains(t.sim.Streams, n) })
	for _, n := range slices.Sorted(maps.Keys(held.streams)) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// printResult writes the result and fails when the sets differ.
func (p *program) printResult(f quickFlags, r *result) error {
	if f.json {
		if err := writeJSON(p.out, r); err != nil {
			return fmt.Errorf("write result: %w", err)
		}
	} else {
		r.print(p.out)
	}
	if !r.OK {
		return errReported
	}
	return nil
}

func (r *result) print(w io.Writer) {
	for _, t := range r.Tenants {
		fmt.Fprintf(w, "%s (%s)\n", t.ID, t.Title)
		lines := [][]string{{"stream", "published", "stored", ""}}
		for _, s := range t.Streams {
			lines = append(lines, []string{s.Stream, count(s.Published), count(s.Stored), verdict(s.Equal)})
		}
		table(w, "  ", lines)
		for _, s := range t.Streams {
			printKeys(w, s.Stream, "missing", s.Missing)
			printKeys(w, s.Stream, "unexpected", s.Unexpected)
		}
		fmt.Fprintln(w)
		if len(t.Content) > 0 {
			lines = [][]string{{"content of files", "files"}}
			for _, outcome := range slices.Sorted(maps.Keys(t.Content)) {
				lines = append(lines, []string{strings.ReplaceAll(outcome, "_", " "), count(t.Content[outcome])})
			}
			table(w, "  ", lines)
			fmt.Fprintln(w)
		}
		lines = [][]string{{"data type", "planted", "found", ""}}
		for _, f := range t.Findings {
			lines = append(lines, []string{f.DataType, count(f.Planted), count(f.Found), verdict(f.Equal)})
		}
		table(w, "  ", lines)
		fmt.Fprintln(w)
		lines = [][]string{{"policy", "times", "effect"}}
		for _, a := range t.Actions {
			lines = append(lines, []string{a.Policy, count(a.Planned), a.Action + " (" + a.Mode + ")"})
			if a.Refused > 0 {
				lines = append(lines, []string{"", count(a.Refused), "refused: " + a.Reason})
			}
		}
		for _, a := range t.Alerts {
			lines = append(lines, []string{a.Policy, count(a.Count), "alert"})
		}
		if len(lines) == 1 {
			lines = [][]string{{"no policy holds"}}
		}
		table(w, "  ", lines)
		fmt.Fprintln(w)
	}
	state := "all stored, all found"
	if !r.OK {
		state = "NOT EQUAL"
	}
	fmt.Fprintf(w, "%s: %s of %s records, %s findings, %s actions planned, %.1f s\n", state, count(r.stored()), count(r.published()),
		count(r.found()), count(r.planned()), r.Seconds)
}

func printKeys(w io.Writer, stream, what string, keys []string) {
	if len(keys) > 0 {
		fmt.Fprintf(w, "  %s %s, for example: %s\n", stream, what, strings.Join(keys, " "))
	}
}

func verdict(equal bool) string {
	if equal {
		return "equal"
	}
	return "DIFFERS"
}
