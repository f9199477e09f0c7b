package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/longshore-dev/longshore/internal/dlp/label"
)

func newLabel(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "label",
		Short: "Read, set and remove sensitivity labels of local files",
		Long: `Sensitivity labels of Microsoft Purview, as Office writes them: in Word, Excel and PowerPoint files in the part LabelInfo and in
custom properties, in messages in the header msip_labels. Of other kinds of files, and of encrypted documents, none are read. No
network is needed, and nothing is asked of Microsoft: a label is its id and the id of its tenant (site).`,
		Example: `  longshore label get ~/Documents
  longshore label set --id 2096f6a2-d2f7-48be-b329-b73aaa526e5d --site cb46c030-1825-4e81-a295-151c039dbf02 plan.docx
  longshore label remove --site cb46c030-1825-4e81-a295-151c039dbf02 --mode enforce plan.docx`,
		Args: oneOf("label", "get, set, remove"),
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(newLabelGet(p), newLabelSet(p), newLabelRemove(p))
	return cmd
}

// somePaths asks for a path.
func somePaths(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("no PATH")
	}
	return nil
}

func newLabelGet(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "get PATH...",
		Short: "Tell the labels of files, and of all files in folders",
		Long: `Tells every label of files, and of all files in folders. A label is in force if it is enabled, was not removed, and no other one of
its tenant counts: what LabelInfo says does, then the custom properties ([MS-OFFCRYPTO] 2.6.3).

Exit code: 0 told; 1 a label is malformed; 2 called wrongly, or a path could not be read.`,
		Example: `  longshore label get plan.docx
  longshore label get --json exports | jq 'select(.labels == null) | .path'`,
		Args: somePaths,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, path := range args {
				if _, err := os.Stat(path); err != nil {
					return usageError{err}
				}
			}
			g := &labelGet{p: p, out: bufio.NewWriter(p.out), json: asJSON, wide: minWide, other: map[string]int{}}
			return g.run(untilSignalled(cmd.Context()), args)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write a JSON object per line for each file, and one with the sums")
	return cmd
}

type (
	// labelJSON is a label as --json writes it.
	labelJSON struct {
		ID          string   `json:"id"`
		Site        string   `json:"site,omitempty"`
		Name        string   `json:"name,omitempty"`
		InForce     bool     `json:"in_force"`
		Enabled     bool     `json:"enabled"`
		Removed     bool     `json:"removed"`
		Overruled   bool     `json:"overruled"`
		Method      string   `json:"method,omitempty"`
		SetDate     string   `json:"set_date,omitempty"`
		ActionID    string   `json:"action_id,omitempty"`
		ContentBits uint32   `json:"content_bits"`
		Places      []string `json:"places"`
	}
	// labelledJSON is a line of `label get --json`.
	labelledJSON struct {
		Path   string      `json:"path"`
		Read   bool        `json:"read"`
		Reason string      `json:"reason,omitempty"`
		Labels []labelJSON `json:"labels,omitempty"`
		Flaws  []string    `json:"malformed_labels,omitempty"`
	}
	// labelSums is the last line.
	labelSums struct {
		Files     int `json:"files"`
		Labelled  int `json:"files_with_a_label_in_force"`
		Malformed int `json:"files_with_malformed_labels"`
		Others    int `json:"files_of_other_kinds"`
		Failed    int `json:"files_that_failed"`
	}
)

func labelsJSON(all []label.Label) (out []labelJSON) {
	for _, l := range all {
		j := labelJSON{ID: l.ID, Site: l.Site, Name: l.Name, InForce: l.InForce(), Enabled: l.Enabled, Removed: l.Removed,
			Overruled: l.Overruled, Method: l.Method, ActionID: l.ActionID, ContentBits: l.ContentBits, Places: l.Places}
		if !l.SetDate.IsZero() {
			j.SetDate = l.SetDate.Format(time.RFC3339)
		}
		out = append(out, j)
	}
	return out
}

// labelGet is one run of `label get`.
type labelGet struct {
	p     *program
	out   *bufio.Writer
	json  bool
	wide  int
	begun bool
	sums  labelSums
	other map[string]int // files of other kinds, by reason
}

func (g *labelGet) run(ctx context.Context, paths []string) error {
	for _, root := range paths {
		err := walkFrom(root, nil, func(f *scanned) error {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("interrupted after %s", plural(g.sums.Files, "file"))
			}
			return g.file(f)
		})
		if err != nil {
			return errors.Join(err, g.out.Flush())
		}
	}
	if err := g.end(); err != nil {
		return err
	}
	switch {
	case g.sums.Failed > 0:
		return errUnread
	case g.sums.Malformed > 0:
		return errReported
	}
	return nil
}

// file tells of one.
func (g *labelGet) file(f *scanned) error {
	g.sums.Files++
	var found label.Found
	if f.err == nil {
		found, f.err = labelsOf(f.path)
	}
	switch {
	case f.err != nil:
		g.sums.Failed++
		found.Reason = "cannot be read: " + f.why()
	case !found.Read:
		g.sums.Others++
	case len(found.InForce()) > 0:
		g.sums.Labelled++
	}
	if len(found.Flaws) > 0 {
		g.sums.Malformed++
	}
	if g.json {
		return g.line(labelledJSON{f.path, found.Read, found.Reason, labelsJSON(found.Labels), found.Flaws})
	}
	if found.Read || f.err != nil {
		g.tell(f, &found)
	} else {
		g.other[found.Reason]++
	}
	return g.flush()
}

// labelsOf reads the labels of a file.
func labelsOf(path string) (label.Found, error) {
	f, err := os.Open(path)
	if err != nil {
		return label.Found{}, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return label.Found{}, err
	}
	return label.Read(f, info.Size())
}

// tell writes the lines of a file for people.
func (g *labelGet) tell(f *scanned, found *label.Found) {
	path := shown(f.path)
	g.wide = min(max(g.wide, utf8.RuneCountInString(path)), maxWide)
	if !g.begun {
		g.begun = true
		fmt.Fprintf(g.out, "%-*s  %-36s  %-9s  NAME, METHOD, DATE, WHERE\n", g.wide, "PATH", "LABEL", "STATE")
	}
	for _, l := range found.Labels {
		fmt.Fprintf(g.out, "%-*s  %-36s  %-9s  %s\n", g.wide, path, shown(l.ID), labelState(&l), labelWords(&l))
	}
	if len(found.Labels) == 0 && found.Read {
		fmt.Fprintf(g.out, "%-*s  none\n", g.wide, path)
	}
	if !found.Read {
		fmt.Fprintf(g.out, "%-*s  %s\n", g.wide, path, found.Reason)
	}
	for _, flaw := range found.Flaws {
		fmt.Fprintf(g.out, "%-*s  malformed: %s\n", g.wide, path, flaw)
	}
}

// labelState says in a word whether a label counts.
func labelState(l *label.Label) string {
	switch {
	case l.Removed:
		return "removed"
	case l.Overruled:
		return "overruled"
	case !l.Enabled:
		return "off"
	}
	return "in force"
}

func labelWords(l *label.Label) string {
	date := ""
	if !l.SetDate.IsZero() {
		date = l.SetDate.Format(time.DateTime) + "Z"
	}
	return strings.Join(nonEmpty(shown(l.Name), shown(l.Method), date, strings.Join(l.Places, "+"),
		strings.Join(label.Marks(l.ContentBits), "+")), ", ")
}

// end writes the sums.
func (g *labelGet) end() error {
	if g.json {
		return g.line(map[string]labelSums{"summary": g.sums})
	}
	s := fmt.Sprintf("%s: %s with a label in force", plural(g.sums.Files, "file"), count(g.sums.Labelled))
	for _, of := range []struct {
		n    int
		what string
	}{{g.sums.Malformed, "with malformed labels"}, {g.sums.Others, "of other kinds"}, {g.sums.Failed, "cannot be read"}} {
		if of.n > 0 {
			s += fmt.Sprintf(", %s %s", count(of.n), of.what)
		}
	}
	if g.begun {
		fmt.Fprintln(g.out)
	}
	fmt.Fprintln(g.out, s)
	return g.flush()
}

func (g *labelGet) line(v any) error {
	enc := json.NewEncoder(g.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return g.flush()
}

func (g *labelGet) flush() error {
	if err := g.out.Flush(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
