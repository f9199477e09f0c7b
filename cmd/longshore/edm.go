package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/longshore-dev/longshore/internal/dlp/custom"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

func newEDM(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edm",
		Short: "Make tables for exact data match",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return usagef("no command; see longshore edm build") },
	}
	cmd.AddCommand(newEDMBuild(p))
	return cmd
}

func newEDMBuild(p *program) *cobra.Command {
	var key, out string
	var b custom.Build
	cmd := &cobra.Command{
		Use:   "build --key-file KEY --primary COLUMN --out FILE CSV",
		Short: "Hash a CSV into a table that a detector finds the rows of",
		Long: `Reads a CSV whose first line names the columns, - = stdin, and writes keyed hashes of the wanted ones (HMAC-SHA-256). A detector
with exact_match then finds rows: the value of a primary column, and near it values of secondary columns of the same row. Case, accents and
what is no letter or digit do not matter. A value has at most 64 letters and digits in 8 words, a primary one at least 4; rows
without one are left out. Without the key the table tells how long values are and nothing else of them.

The key is text of at least 16 bytes, the same for the detector. Who has it and the table can try values out.`,
		Example: `  openssl rand -hex 32 > edm.key
  longshore edm build --key-file edm.key --primary ssn --secondary first_name,last_name,birth_date --out staff.edm staff.csv`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usagef("want one CSV; - reads stdin")
			case key == "", out == "", len(b.Primary) == 0:
				return usagef("want --key-file, --primary and --out")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if b.Key, err = custom.ReadKey(key); err != nil {
				return usageError{err}
			}
			in, done, err := p.open(args[0])
			if err != nil {
				return usageError{err}
			}
			defer done()
			built, err := b.WriteTable(untilSignalled(cmd.Context()), in, out)
			if err != nil {
				return fmt.Errorf("build %s from %s: %w", out, args[0], err)
			}
			fmt.Fprintf(p.errs, "%s has %s", out, plural(built.Rows, "row"))
			if built.Left > 0 {
				fmt.Fprintf(p.errs, "; %s left out, for a primary value is missing, too short or too long", plural(built.Left, "row"))
			}
			fmt.Fprintln(p.errs)
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key-file", "", "`FILE` with the key")
	cmd.Flags().StringSliceVar(&b.Primary, "primary", nil, "`COLUMNS` of which one value is enough to look for its row")
	cmd.Flags().StringSliceVar(&b.Secondary, "secondary", nil, "`COLUMNS` that are to stand near")
	cmd.Flags().StringVarP(&out, "out", "o", "", "`FILE` to write")
	return cmd
}

// open opens a file, - = stdin.
func (p *program) open(name string) (in io.Reader, done func(), err error) {
	if name == "-" {
		return p.in, func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	return f, func() { _ = f.Close() }, nil
}

func newFingerprint(p *program) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "fingerprint [--out FILE] DOCUMENT...",
		Short: "Write fingerprints of documents that a detector finds copies of",
		Long: `Reads documents as scan does and writes a JSON line for each, by which a detector with documents finds copies, edited ones, and
texts that hold much of one. Files of fingerprints may be joined. A document has at least about 20 words. Fingerprints are hashes of five
words each: they show none, but who has them can tell whether a text that he knows is a document.`,
		Example: `  longshore fingerprint --out plans.jsonl plans/*.docx`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no DOCUMENT")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []byte
			ctx := untilSignalled(cmd.Context())
			for _, name := range args {
				in, done, err := p.open(name)
				if err != nil {
					return usageError{err}
				}
				line, err := custom.Fingerprint(ctx, in, name, -1, extract.Limits{})
				done()
				if err != nil {
					return fmt.Errorf("fingerprint %s: %w", name, err)
				}
				all = append(all, line...)
			}
			if out != "" {
				return os.WriteFile(out, all, 0o600)
			}
			_, err := p.out.Write(all)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "`FILE` to write; without it, stdout")
	return cmd
}
