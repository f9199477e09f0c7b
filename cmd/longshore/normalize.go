package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// maxLine bounds one raw object.
const maxLine = 64 << 20

func newNormalize(p *program) *cobra.Command {
	var app, dataset, encoding string
	cmd := &cobra.Command{
		Use:   "normalize --app NAME",
		Short: "Turn raw objects of an application (JSON lines) into documents",
		Long: `Reads raw provider objects, one per line, on stdin and writes one document per line on stdout (several for an object that
holds several activities), in the same order. No network and no clock: the same input gives the same bytes. A line that cannot
be read is named on stderr, the rest goes on, and the exit code is 1.

With --encoding ocsf the documents are those of the Open Cybersecurity Schema Framework, as the exporter kafka writes them. Of
inventory they have no time here: it is when the agent read it.`,
		Example: `  longshore normalize --app okta < system_log.jsonl > ecs.jsonl
  longshore normalize --app box --encoding ocsf < events.jsonl > ocsf.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a, err := p.application(app)
			if err != nil {
				return err
			}
			if _, ok := a.Datasets[dataset]; dataset != "" && !ok {
				known := slices.DeleteFunc(slices.Sorted(maps.Keys(a.Datasets)), func(d string) bool { return d == "" })
				return usagef("unknown dataset %q of %s; there are: %s", dataset, a.Name, strings.Join(known, ", "))
			}
			appendDoc := encodings[encoding]
			if appendDoc == nil {
				return usagef("unknown encoding %q; there are: %s", encoding, strings.Join(slices.Sorted(maps.Keys(encodings)), ", "))
			}
			n, err := saas.NewNormalizer(a.Provider, dataset)
			if err != nil {
				return err
			}
			return normalize(p.in, p.out, p.errs, appendDoc, n.Do)
		},
	}
	cmd.Flags().StringVar(&app, "app", "", "the application's `NAME` in configuration or in event.module (needed)")
	cmd.Flags().StringVar(&dataset, "dataset", "",
		"which of the application's objects these are, by the `NAME` of a dataset (default: its main activity log)")
	cmd.Flags().StringVar(&encoding, "encoding", "ecs", "`ENCODING` of the documents: ecs or ocsf")
	return cmd
}

// encodings of documents.
var encodings = map[string]encoder{"ecs": event.AppendECS, "ocsf": event.AppendOCSF}

type encoder func(dst []byte, w event.View, e event.Encoding) []byte

// normalize writes the documents of every line. It returns errReported when a line was bad.
func normalize(in io.Reader, out, errs io.Writer, encode encoder, do func(raw json.RawMessage, out func(event.View)) error) error {
	r := bufio.NewReaderSize(in, 1<<20)
	w := bufio.NewWriterSize(out, 1<<20)
	bad := false
	var line, docs []byte
	for n := 1; ; n++ {
		var end error
		line, end = readLine(r, line[:0])
		if len(line) == 0 && errors.Is(end, io.EOF) {
			break
		}
		var err error
		docs = docs[:0]
		switch raw := bytes.TrimSpace(line); {
		case errors.Is(end, errTooLong):
			err = end
		case end != nil && !errors.Is(end, io.EOF):
			return errors.Join(fmt.Errorf("read line %d: %w", n, end), w.Flush())
		case len(raw) > 0:
			err = do(raw, func(v event.View) {
				docs = append(encode(docs, v, event.Encoding{NoClock: true}), '\n')
			})
		}
		if err != nil {
			bad = true
			fmt.Fprintf(errs, "line %d: %v\n", n, err)
			continue
		}
		if _, err = w.Write(docs); err != nil {
			return fmt.Errorf("write documents of line %d: %w", n, err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write documents: %w", err)
	}
	if bad {
		return errReported
	}
	return nil
}

var errTooLong = fmt.Errorf("longer than %d bytes", maxLine)

// readLine appends the next line to buf. What is too long is read to its end and dropped.
func readLine(r *bufio.Reader, buf []byte) ([]byte, error) {
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(buf)+len(part) > maxLine; !long {
			buf = append(buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if long && (err == nil || errors.Is(err, io.EOF)) {
			return append(buf[:0], '!'), errTooLong
		}
		return buf, err
	}
}
