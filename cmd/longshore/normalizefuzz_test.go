package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// What normalize may take: by the bytes of its input, by the documents that it writes, and once.
const (
	outPerByte, outPerDoc    = 16, 1 << 10
	heapPerByte, heapAtFirst = 128, 8 << 20
)

// way is normalize for one stream and encoding.
type way func(in io.Reader, out, errs io.Writer, c *tallied) error

// ways are all that normalize can be asked for.
func ways(t testing.TB) map[string]way {
	t.Helper()
	out := map[string]way{}
	for _, a := range apps(t) {
		for dataset, stream := range a.Datasets {
			n, err := saas.NewNormalizer(a.Provider, dataset)
			if err != nil {
				t.Fatal(err)
			}
			for name, encode := range encodings {
				out[a.Name+" "+stream+" "+name] = func(in io.Reader, out, errs io.Writer, c *tallied) error {
					return normalize(in, out, errs, encode, c.of(n.Do))
				}
			}
		}
	}
	return out
}

// tallied counts objects that were given to the mapping, those of them that were refused or gave nothing, and documents.
type tallied struct{ objects, refused, empty, docs int }

func (c *tallied) of(do func(json.RawMessage, func(event.View)) error) func(json.RawMessage, func(event.View)) error {
	return func(raw json.RawMessage, out func(event.View)) error {
		n := 0
		err := do(raw, func(v event.View) { n++; out(v) })
		c.objects++
		switch {
		case err != nil:
			c.refused++
		case n == 0:
			c.empty++
		default:
			c.docs += n
		}
		return err
	}
}

// allocated is how many bytes the process has taken from the heap since its start.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// checkNormalize normalizes an input in one way and holds what comes of it to what normalize promises.
func checkNormalize(t *testing.T, name string, do way, in []byte) (out []byte) {
	t.Helper()
	var c tallied
	var docs, errs bytes.Buffer
	before := allocated()
	err := do(bytes.NewReader(in), &docs, &errs, &c)
	took := allocated() - before
	said := strings.Count(errs.String(), "\n")
	lines := 0
	for line := range bytes.SplitSeq(in, []byte("\n")) {
		if len(bytes.TrimSpace(line)) > 0 {
			lines++
		}
	}
	if err != nil && !errors.Is(err, errReported) || (said > 0) != (err != nil) {
		t.Errorf("%s: %v, and on stderr: %s", name, err, errs.String())
	}
	if c.objects != lines || c.empty > 0 || c.refused != said || strings.Count(docs.String(), "\n") != c.docs {
		t.Errorf("%s: %d lines, %+v, %d documents, on stderr: %s", name, lines, c, strings.Count(docs.String(), "\n"), errs.String())
	}
	if most := outPerByte*len(in) + outPerDoc*c.docs; docs.Len() > most {
		t.Errorf("%s: %d bytes of documents, at most %d", name, docs.Len(), most)
	}
	if most := heapPerByte*len(in) + heapAtFirst; took > uint64(most) {
		t.Errorf("%s: %d bytes of memory, at most %d", name, took, most)
	}
	for line := range bytes.Lines(docs.Bytes()) {
		if !json.Valid(line) || line[0] != '{' || !utf8.Valid(line) {
			t.Errorf("%s: no document: %q", name, line)
		}
	}
	if !utf8.Valid(errs.Bytes()) {
		t.Errorf("%s: on stderr: %q", name, errs.Bytes())
	}
	return docs.Bytes()
}

// FuzzNormalize: whatever is written on stdin becomes documents or is named on stderr, line by line, and the same the next time.
func FuzzNormalize(f *testing.F) {
	all := ways(f)
	names := slices.Sorted(maps.Keys(all))
	for n, name := range names {
		app, _, _ := strings.Cut(name, " ")
		for _, raws := range rawObjects(f, app) {
			for _, raw := range raws {
				f.Add([]byte(raw), uint8(n))
			}
		}
		for _, in := range nasty(40) {
			f.Add([]byte(in), uint8(n))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, which uint8) {
		name := names[int(which)%len(names)]
		first := checkNormalize(t, name, all[name], in)
		if again := checkNormalize(t, name, all[name], in); !bytes.Equal(first, again) {
			t.Errorf("%s: other bytes the next time:\n%s\n%s", name, first, again)
		}
	})
}

// nasty are objects of n parts that make much of little: nested, escaped, repeated, long.
func nasty(n int) map[string]string {
	okta := func(members string) string { return `{"uuid":"u1","eventType":"user.session.start",` + members + `}` }
	box := func(members string) string { return `{"event_id":"e1","event_type":"SHIELD_ALERT",` + members + `}` }
	list := func(format string) string {
		var parts []string
		for i := range n {
			parts = append(parts, strings.ReplaceAll(format, "#", fmt.Sprint(i)))
		}
		return strings.Join(parts, ",")
	}
	deep := min(n, 500)
	return map[string]string{
		"targets":     okta(`"target":[` + list(`{"id":"#","type":"User","alternateId":"u#@a.example"}`) + `]`),
		"changes":     okta(`"target":[{"type":"User","changeDetails":{"to":{` + list(`"f#":"#"`) + `}}}]`),
		"scopes":      okta(`"debugContext":{"debugData":{"grantedScopes":"` + strings.Repeat("a ", n) + `"}}`),
		"behaviors":   okta(`"debugContext":{"debugData":{"behaviors":"` + strings.Repeat("a=POSITIVE,", n) + `"}}`),
		"flattened":   okta(`"debugContext":{"debugData":{` + list(`"k#":"\u0001"`) + `}}`),
		"members":     okta(list(`"m#":1`)),
		"capitals":    okta(`"` + strings.Repeat("aB", n) + `":1`),
		"same member": okta(list(`"m":[0]`)),
		"escapes":     okta(`"displayMessage":"` + strings.Repeat(`\u0001`, n) + `"`),
		"nested":      okta(`"a":` + strings.Repeat(`{"a":[`, deep/2) + strings.Repeat(`]}`, deep/2)),
		"addresses":   box(`"additional_details":{"shield_alert":{"ips":[` + list(`{"ip":"2001:db8::#"}`) + `]}}`),
		"nested alert": box(`"additional_details":{"shield_alert":` + strings.Repeat(`{"a":[`, deep/2) + `{"ip":"::1"}` +
			strings.Repeat(`]}`, deep/2) + `}`),
		"details as text": box(`"additional_details":"` + strings.Repeat(`\u005b`, n) + `"`),
		"lines":           strings.Repeat("{}\n[]\n1\n", n),
	}
}

// TestNormalizeNeedsMemoryByItsInput: also of objects that make much of little, ten times larger each.
func TestNormalizeNeedsMemoryByItsInput(t *testing.T) {
	all := ways(t)
	for _, n := range []int{100, 1000, 10_000} {
		for kind, in := range nasty(n) {
			for name, do := range all {
				checkNormalize(t, fmt.Sprintf("%s, %d %s", name, n, kind), do, []byte(in))
			}
		}
	}
}
