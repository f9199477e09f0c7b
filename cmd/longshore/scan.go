package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/custom"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
	processor "github.com/longshore-dev/longshore/processors/dlp"
)

// scanFlags are what `longshore scan` is told.
type scanFlags struct {
	packs      []string
	confidence int
	size       string
	json       bool
	detectors  string
	explain    bool
	sarif      bool
	ignore     string
	limits     extract.Limits // those that are flags of their own
	timeout    time.Duration
}

func newScan(p *program) *cobra.Command {
	defaults := processor.NewFactory().CreateDefaultConfig().(*processor.Config)
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "scan PATH...",
		Short: "Find sensitive data in local files",
		Long: `Reads files, and folders with all that is in them, and says which hold sensitive data, with the detectors of the processor
dlp: text, CSV, JSON, XML, HTML, PDF, Office documents of any age, OpenDocument, RTF, mail with its attachments, and archives (zip,
tar, gzip, bzip2, xz, zstd, 7-Zip, RAR), told apart by their content. What has no reader, is damaged,
needs a password or passes a limit is listed with the reason. Values are shown masked only, and nothing leaves this machine.

Symbolic links in folders are not followed, and .git is left out unless it is named. - reads stdin. Of a folder that has a file
.longshoreignore, what its patterns name is left out; they are written as those of .gitignore, which itself does not count: what is
kept out of a repository may well be a secret.

Exit code: 0 nothing found; 1 something found; 2 called wrongly, or nothing found where a path could not be read.`,
		Example: `  longshore scan ~/Documents
  longshore scan --packs secrets --min-confidence 65 .
  longshore scan --detectors acme.yaml --explain shared
  longshore scan --packs secrets --sarif . > findings.sarif
  longshore scan --json exports | jq 'select(.findings) | .path'
  longshore scan - < dump.sql`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no PATH to scan; - reads stdin")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := newScanning(p, f, args)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(untilSignalled(cmd.Context()))
			defer cancel()
			return s.run(ctx)
		},
	}
	packs := strings.Join(dlp.Packs(), ", ")
	cmd.Flags().StringSliceVar(&f.packs, "packs", defaults.Packs, "`NAMES` of the detectors' packs: "+packs)
	cmd.Flags().IntVar(&f.confidence, "min-confidence", defaults.MinConfidence,
		"leave out what is less sure than `N`: 65 = the pattern alone, 75 = a check digit or structure holds, 85 = with a keyword nearby")
	cmd.Flags().StringVar(&f.size, "max-size", "64MiB", "how much of a file is read, `SIZE`; archives and documents that are larger are not")
	f.limitFlags(cmd.Flags(), &defaults.Content)
	cmd.Flags().StringVar(&f.detectors, "detectors", "", "YAML `FILE` with detectors of your own; see docs/dlp.md")
	cmd.Flags().BoolVar(&f.explain, "explain", false, "say why: the check that holds, where a keyword stands, how sure that makes it")
	cmd.Flags().BoolVar(&f.json, "json", false, "write a JSON object per line for each file, and one with the sums")
	cmd.Flags().BoolVar(&f.sarif, "sarif", false, "write a SARIF 2.1.0 log, as platforms for code take it")
	cmd.Flags().StringVar(&f.ignore, "ignore", "", "`FILE` of patterns of what is left out, beside "+ignoreFile+" of each folder PATH")
	return cmd
}

// limitFlags are the limits of what one file may cost, with the defaults of the processor.
func (f *scanFlags) limitFlags(flags *pflag.FlagSet, c *processor.ContentConfig) {
	flags.IntVar(&f.limits.Depth, "max-depth", c.MaxDepth, "how deep archives are read that stand in each other, `N`")
	flags.IntVar(&f.limits.Entries, "max-entries", c.MaxEntries, "how many files of all archives in a file are read, `N`")
	flags.Float64Var(&f.limits.Ratio, "max-ratio", c.MaxRatio, "how many bytes may come of one byte that is unpacked, `N`")
	flags.IntVar(&f.limits.Pages, "max-pages", c.PDF.MaxPages, "how many pages of a PDF are read, `N`")
	flags.DurationVar(&f.timeout, "timeout", 0, "how long the reading of one file may take, `DURATION`; 0 = as long as it takes")
}

// checkLimits says which of them is none.
func (f *scanFlags) checkLimits() error {
	for _, n := range []struct {
		flag string
		n    int
	}{{"max-depth", f.limits.Depth}, {"max-entries", f.limits.Entries}, {"max-pages", f.limits.Pages}} {
		if n.n < 1 {
			return usagef("--%s %d: want 1 or more", n.flag, n.n)
		}
	}
	if !(f.limits.Ratio >= 1) {
		return usagef("--max-ratio %v: want 1 or more", f.limits.Ratio)
	}
	if f.timeout < 0 {
		return usagef("--timeout %v: want a duration, or 0 for none", f.timeout)
	}
	return nil
}

// scanning is one run of the command.
type scanning struct {
	p     *program
	flags scanFlags
	set   *dlp.Set
	leave ignores
	paths []string
	files chan *scanned // in the order in which they are told
	work  chan *scanned
}

// scanned is a file and what became of it.
type scanned struct {
	path     string
	size     int64
	res      extract.Result
	findings []dlp.Finding
	err      error // it could not be opened, or read
	done     chan struct{}
}

func newScanning(p *program, f scanFlags, paths []string) (*scanning, error) {
	if f.json && f.sarif {
		return nil, usagef("--json and --sarif: want one of them")
	}
	if f.confidence < 1 || f.confidence > 100 {
		return nil, usagef("--min-confidence %d: want 1 to 100; what is found has 65, 75 or 85", f.confidence)
	}
	if err := f.checkLimits(); err != nil {
		return nil, err
	}
	var own dlp.Custom
	if f.detectors != "" {
		all, err := custom.Load(f.detectors)
		if err == nil {
			own, err = custom.New(all)
		}
		if err != nil {
			return nil, usagef("--detectors: %w", err)
		}
	}
	if len(f.packs) == 0 && own == nil {
		return nil, usagef("--packs lists none: want any of %s", strings.Join(dlp.Packs(), ", "))
	}
	size, ok := extract.ParseSize(f.size, 1<<40)
	if !ok || size < 1 {
		return nil, usagef("--max-size %q: want a number of bytes, as 500k, 64MiB or 1GB", f.size)
	}
	set, err := dlp.New(dlp.Options{Packs: f.packs, Confidence: f.confidence, Custom: own, Explain: f.explain})
	if err != nil {
		return nil, usageError{err}
	}
	for _, path := range paths {
		if path != "-" {
			if _, err := os.Stat(path); err != nil {
				return nil, usageError{err}
			}
		}
	}
	var leave ignores
	if f.ignore != "" {
		if leave, err = readIgnores(f.ignore, true); err != nil {
			return nil, usagef("--ignore: %w", err)
		}
	}
	f.limits.Input, f.limits.Text = size, 4*size
	width := runtime.GOMAXPROCS(0)
	return &scanning{p: p, flags: f, set: set, leave: leave, paths: paths,
		files: make(chan *scanned, 16*width), work: make(chan *scanned)}, nil
}

// run scans the files, as many at a time as there are cores, and tells of them in their order.
func (s *scanning) run(ctx context.Context) error {
	go s.walk(ctx)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			sc := s.set.Scanner()
			for f := range s.work {
				f.scan(ctx, sc, &s.flags, s.p.in)
				close(f.done)
			}
		}()
	}
	t := newTelling(s.p, s.flags.json)
	if s.flags.sarif {
		t.sarif = newSARIF(t.line, func(text string) { _, _ = t.out.WriteString(text) }) // a failure shows at the next flush
	}
	for {
		select {
		case f, ok := <-s.files:
			if !ok {
				return t.end()
			}
			select {
			case <-f.done:
				if ctx.Err() != nil {
					return t.stopped()
				}
				if err := t.tell(f); err != nil {
					return err
				}
			case <-ctx.Done():
				return t.stopped()
			}
		case <-ctx.Done():
			return t.stopped()
		}
	}
}

// walk finds the files.
func (s *scanning) walk(ctx context.Context) {
	defer close(s.files)
	defer close(s.work)
	send := func(f *scanned) error {
		f.done = make(chan struct{})
		if f.err != nil {
			close(f.done)
		}
		select {
		case s.files <- f:
		case <-ctx.Done():
			return ctx.Err()
		}
		if f.err != nil {
			return nil
		}
		select {
		case s.work <- f:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, root := range s.paths {
		if walkFrom(root, s.leave, send) != nil {
			return
		}
	}
}

// walkFrom finds the files below a path, or the one that it is, but for those that are left out.
func walkFrom(root string, leave ignores, send func(*scanned) error) error {
	info, err := os.Stat(root)
	switch {
	case root == "-":
		return send(&scanned{path: root, size: -1})
	case err != nil:
		return send(&scanned{path: root, err: err})
	case !info.IsDir():
		return send(&scanned{path: root, size: sizeOf(info)})
	}
	if target, err := filepath.EvalSymlinks(root); err == nil && target != filepath.Clean(root) {
		root += string(filepath.Separator) // the folder that a link leads to
	}
	own, err := readIgnores(filepath.Join(root, ignoreFile), false)
	if err != nil {
		return send(&scanned{path: filepath.Join(root, ignoreFile), err: err})
	}
	leave = slices.Concat(leave, own)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			if err = send(&scanned{path: path, err: err}); err == nil && d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return err
		case d.IsDir() && (d.Name() == ".git" && path != root || leave.leaveOut(root, path, true)):
			return fs.SkipDir
		case !d.Type().IsRegular(), leave.leaveOut(root, path, false):
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return send(&scanned{path: path, err: err})
		}
		return send(&scanned{path: path, size: info.Size()})
	})
}

// sizeOf is the size of a file that was named, which may be a pipe.
func sizeOf(info fs.FileInfo) int64 {
	if info.Mode().IsRegular() {
		return info.Size()
	}
	return -1
}

// scan reads one file.
func (f *scanned) scan(ctx context.Context, s *dlp.Scanner, flags *scanFlags, stdin io.Reader) {
	in := stdin
	if flags.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, flags.timeout)
		defer cancel()
	}
	if f.path != "-" {
		file, err := os.Open(f.path)
		if err != nil {
			f.err = err
			return
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	f.res, f.err = s.File(ctx, in, f.path, f.size, flags.limits)
	f.findings = s.Findings()
	if errors.Is(f.err, context.DeadlineExceeded) {
		f.err = nil // the outcome says so
	}
}

// why says in short what went wrong with a file, whose path stands beside it.
func (f *scanned) why() string {
	var pathError *fs.PathError
	if errors.As(f.err, &pathError) {
		return pathError.Err.Error()
	}
	return f.err.Error()
}
