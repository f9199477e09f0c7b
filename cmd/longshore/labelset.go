package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longshore-dev/longshore/internal/dlp/label"
)

// labelFlags are what `longshore label set` and `remove` are told.
type labelFlags struct {
	label.Change
	mode string
	json bool
}

// The modes, as those of policies.
const (
	modeDry     = "dry_run"
	modeEnforce = "enforce"
)

func newLabelSet(p *program) *cobra.Command {
	f := labelFlags{}
	cmd := &cobra.Command{
		Use:   "set PATH...",
		Short: "Set a label of Word, Excel and PowerPoint files",
		Long: `Sets a label of Word, Excel and PowerPoint files, in place of the one that its tenant has there; labels of other tenants stay. It
says what would change, and with --mode enforce does it: the new file is written beside the old one and then takes its name.
Every part of the file but those that hold labels, or name them, keeps its bytes.

Which place Office reads is a setting of the tenant that no file tells: LabelInfo where co-authoring of encrypted files is on, the
custom properties elsewhere. So the label goes where the tenant's label is now, and into both where it has none. LabelInfo has no
place for a name or a date: those stand in the custom properties only.

Encrypted and signed files are refused; nothing is marked or encrypted: what an earlier label put into the content stays.

Exit code: 0 done, or what would be done was said; 1 a file was refused, or failed; 2 called wrongly.`,
		Example: `  longshore label set --id 2096f6a2-d2f7-48be-b329-b73aaa526e5d --site cb46c030-1825-4e81-a295-151c039dbf02 --name Secret a.docx
  longshore label set --id 2096f6a2-d2f7-48be-b329-b73aaa526e5d --site cb46c030-1825-4e81-a295-151c039dbf02 --mode enforce *.xlsx`,
		Args: somePaths,
		RunE: func(cmd *cobra.Command, args []string) error {
			for name, value := range map[string]string{"id": f.ID, "site": f.Site} {
				if _, ok := label.GUID(value); !ok {
					return usagef("--%s %q: want a GUID, as 2096f6a2-d2f7-48be-b329-b73aaa526e5d", name, value)
				}
			}
			if f.Method != label.Standard && f.Method != label.Privileged {
				return usagef("--method %q: want %s or %s", f.Method, label.Standard, label.Privileged)
			}
			stores := []string{"", label.InLabelInfo, label.InProperties, label.Both}
			if !slices.Contains(stores, f.Store) {
				return usagef("--store %q: want %s", f.Store, strings.Join(stores[1:], ", "))
			}
			return p.changeLabels(cmd.Context(), &f, args)
		},
	}
	cmd.Flags().StringVar(&f.ID, "id", "", "`GUID` of the label")
	cmd.Flags().StringVar(&f.Name, "name", "", "`NAME` of the label (default the one that the file has of it, or none)")
	cmd.Flags().StringVar(&f.Method, "method", label.Privileged,
		"`METHOD`: "+label.Privileged+" = a person chose the label, "+label.Standard+" = a rule or a default did")
	cmd.Flags().StringVar(&f.Store, "store", "",
		"`PLACE` of the label: label_info, properties or both (default where the tenant's label is, or both)")
	f.add(cmd)
	return cmd
}

func newLabelRemove(p *program) *cobra.Command {
	f := labelFlags{Change: label.Change{Remove: true}}
	cmd := &cobra.Command{
		Use:   "remove PATH...",
		Short: "Remove a tenant's label of Word, Excel and PowerPoint files",
		Long: `Takes away the labels that a tenant has in Word, Excel and PowerPoint files; those of other tenants stay. It says what would
change, and with --mode enforce does it. In LabelInfo is left that a label was removed, as [MS-OFFCRYPTO] 2.6.5.4 has it.

Exit code: 0 done, or what would be done was said; 1 a file was refused, or failed; 2 called wrongly.`,
		Example: "  longshore label remove --site cb46c030-1825-4e81-a295-151c039dbf02 --mode enforce plan.docx",
		Args:    somePaths,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, ok := label.GUID(f.Site); !ok {
				return usagef("--site %q: want a GUID, as cb46c030-1825-4e81-a295-151c039dbf02", f.Site)
			}
			return p.changeLabels(cmd.Context(), &f, args)
		},
	}
	f.add(cmd)
	return cmd
}

// add adds the flags that both commands have.
func (f *labelFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.Site, "site", "", "`GUID` of the tenant")
	cmd.Flags().StringVar(&f.mode, "mode", modeDry, "`MODE`: "+modeDry+" says what would change, "+modeEnforce+" does it")
	cmd.Flags().BoolVar(&f.Force, "force", false, "change signed files too: their signatures break")
	cmd.Flags().BoolVar(&f.json, "json", false, "write a JSON object per line for each file")
}

// changedJSON is a line of `label set --json`.
type changedJSON struct {
	Path    string      `json:"path"`
	Outcome string      `json:"outcome"` // changed, would_change, unchanged, refused, failed
	Reason  string      `json:"reason,omitempty"`
	Before  []labelJSON `json:"before,omitempty"`
	After   []labelJSON `json:"after,omitempty"`
	Parts   []string    `json:"parts,omitempty"`
	Notes   []string    `json:"notes,omitempty"`
}

// changeLabels changes the labels of files, one after the other.
func (p *program) changeLabels(ctx context.Context, f *labelFlags, paths []string) error {
	if f.mode != modeDry && f.mode != modeEnforce {
		return usagef("--mode %q: want %s or %s", f.mode, modeDry, modeEnforce)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return usageError{err}
		case !info.Mode().IsRegular():
			return usagef("%s is no file", path)
		}
	}
	ctx = untilSignalled(ctx)
	f.At = time.Now().UTC().Truncate(time.Second)
	failed, could := false, false
	for i, path := range paths {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted after %s", plural(i, "file"))
		}
		line := f.change(path)
		failed = failed || line.Outcome == "refused" || line.Outcome == "failed"
		could = could || line.Outcome == "would_change"
		if err := p.tellChange(f, line); err != nil {
			return err
		}
	}
	if could && !f.json {
		fmt.Fprintf(p.out, "nothing was written: this was a dry run; --mode %s writes\n", modeEnforce)
	}
	if failed {
		return errReported
	}
	return nil
}

// change changes one file, or says what would change.
func (f *labelFlags) change(path string) (line changedJSON) {
	line = changedJSON{Path: path, Outcome: "failed"}
	file, err := os.Open(path)
	if err != nil {
		line.Reason = (&scanned{err: err}).why()
		return line
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	var e *label.Edit
	if err == nil {
		e, err = label.Set(file, info.Size(), f.Change)
	}
	if err == nil {
		line.Before, line.After, line.Notes = labelsJSON(e.Before), labelsJSON(e.After), e.Notes
		for _, part := range e.Parts {
			line.Parts = append(line.Parts, part.String())
		}
		switch {
		case len(e.Parts) == 0:
			line.Outcome = "unchanged"
			return line
		case f.mode == modeDry:
			line.Outcome = "would_change"
			return line
		}
		err = e.Replace(path, info)
	}
	var r *label.Refusal
	switch {
	case err == nil:
		line.Outcome = "changed"
	case errors.As(err, &r):
		line.Outcome, line.Reason = "refused", r.Reason
	default:
		line.Reason = (&scanned{err: err}).why()
	}
	return line
}

// tellChange writes what became of a file.
func (p *program) tellChange(f *labelFlags, line changedJSON) error {
	if f.json {
		enc := json.NewEncoder(p.out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("write result: %w", err)
		}
		return nil
	}
	text := strings.ReplaceAll(line.Outcome, "_", " ")
	switch {
	case line.Reason != "":
		text += ": " + line.Reason
	case len(line.Parts) > 0:
		site, _ := label.GUID(f.Site)
		text += fmt.Sprintf(": %s becomes %s; in %s", tenantLabel(line.Before, site), tenantLabel(line.After, site),
			strings.Join(line.Parts, ", "))
	}
	fmt.Fprintln(p.out, wrap(shown(line.Path)+": ", text, "    "))
	for _, note := range line.Notes {
		fmt.Fprintln(p.out, wrap("    ", note, "    "))
	}
	return nil
}

// tenantLabel is the label that a tenant has in a file, for people.
func tenantLabel(all []labelJSON, site string) string {
	var out []string
	for _, l := range all {
		if l.Site == site && l.InForce {
			out = append(out, strings.Join(nonEmpty(shown(l.Name), shown(l.ID)), " "))
		}
	}
	if len(out) == 0 {
		return "no label"
	}
	return strings.Join(out, ", ")
}
