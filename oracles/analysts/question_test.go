package analysts

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/oracles/procs"
)

// question is a page of docs/analysts/questions, as far as it is run.
type question struct {
	name    string // of its file, without .md
	text    string
	title   string
	reads   []string // fields
	kibana  []string
	bodies  []body
	join    *join
	sql     string
	ordered bool
}

// body is a Query DSL body, and where the rows of its answer are.
type body struct {
	index, text, rows string
	columns           []string
	keep              string // which rows count; "" = all
	show              []int  // columns of these
}

// join says how the rows of two bodies are put together. Columns count from 0.
type join struct {
	left, right int
	not         bool
	show        []int
}

var (
	bodyForm = regexp.MustCompile("(?s)`POST /([^`]+)/_search`\n\n```json\n(.*?)\n```\n\nRows: `([^`]+)`; columns ([^\n]+)\\.\n" +
		"(?:\nKeep: `([^`]+)`; show columns ([\\d, ]+)\\.\n)?")
	joinForm = regexp.MustCompile(
		`\nThen: the rows of the first whose column (\d) is (not )?in column (\d) of the second; show columns ([\d, ]+)\.\n`)
	codeForm = regexp.MustCompile("`([^`]+)`")
	esqlForm = regexp.MustCompile("(?s)```esql\n(.*?)\n```")
	sqlForm  = regexp.MustCompile("(?s)```sql\n(.*?);\n```")
)

// questions reads all pages.
func questions(t *testing.T) (all []*question) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(procs.Root(), "docs", "analysts", "questions", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no questions: %v", err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		q, err := readQuestion(string(text))
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(path), err)
		}
		q.name = strings.TrimSuffix(filepath.Base(path), ".md")
		all = append(all, q)
	}
	return all
}

func readQuestion(text string) (*question, error) {
	q := &question{text: text, ordered: strings.Contains(text, "\nThe order counts.\n")}
	title, rest, _ := strings.Cut(text, "\n")
	q.title = strings.TrimPrefix(title, "# ")
	_, reads, ok := strings.Cut(rest, "\nReads: ")
	if !ok {
		return nil, fmt.Errorf("it does not say what it reads")
	}
	reads, _, _ = strings.Cut(reads, "\n\n")
	q.reads = codes(reads)
	at := -1
	for _, heading := range []string{"\n## Kibana\n", "\n## Query DSL\n", "\n## SQL\n", "\n## Reading the answer\n"} {
		i := strings.Index(text, heading)
		if i <= at {
			return nil, fmt.Errorf("%q is missing or out of place", strings.TrimSpace(heading))
		}
		at = i
	}
	for _, m := range esqlForm.FindAllStringSubmatch(text, -1) {
		q.kibana = append(q.kibana, m[1])
	}
	for _, m := range bodyForm.FindAllStringSubmatch(text, -1) {
		q.bodies = append(q.bodies, body{m[1], m[2], m[3], codes(m[4]), m[5], columns(m[6])})
	}
	if m := joinForm.FindStringSubmatch(text); m != nil {
		q.join = &join{left: column(m[1]), right: column(m[3]), not: m[2] != "", show: columns(m[4])}
	}
	m := sqlForm.FindStringSubmatch(text)
	if m == nil || len(q.kibana) == 0 || !strings.Contains(text, "\nNot run here: ") {
		return nil, fmt.Errorf("it lacks SQL, ES|QL, or the word that this was not run")
	}
	q.sql = m[1]
	if n := strings.Count(text, "```json"); len(q.bodies) != n || n < 1 || n > 2 || (n == 2) != (q.join != nil) {
		return nil, fmt.Errorf("%d bodies, of which %d say where their rows are; joined: %v", n, len(q.bodies), q.join != nil)
	}
	return q, nil
}

func codes(s string) (out []string) {
	for _, m := range codeForm.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}

func column(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err) // the form has digits only
	}
	return n - 1
}

func columns(list string) (out []int) {
	for n := range strings.FieldsFuncSeq(list, func(c rune) bool { return c == ',' || c == ' ' }) {
		out = append(out, column(n))
	}
	return out
}

// kept are the rows that count.
func (b body) kept(rows [][]string) (out [][]string) {
	for _, row := range rows {
		switch {
		case b.keep == "":
			out = append(out, row)
		case holds(b.keep, row):
			out = append(out, pick(row, b.show))
		}
	}
	return out
}

func pick(row []string, show []int) (out []string) {
	for _, c := range show {
		out = append(out, row[c])
	}
	return out
}

// holds says whether comparisons, joined by and, hold for a row: $2 > 5 * $3 / 14.
func holds(keep string, row []string) bool {
	for part := range strings.SplitSeq(keep, " and ") {
		w := strings.Fields(part)
		a, b, ok := amount(w[0], row), amount(w[2], row), false
		for i := 3; i+1 < len(w); i += 2 {
			switch w[i] {
			case "*":
				b *= amount(w[i+1], row)
			case "/":
				b /= amount(w[i+1], row)
			default:
				panic("no such operation: " + w[i])
			}
		}
		switch w[1] {
		case ">":
			ok = a > b
		case ">=":
			ok = a >= b
		case "=":
			ok = a == b
		default:
			panic("no such comparison: " + w[1])
		}
		if !ok {
			return false
		}
	}
	return true
}

// amount is a number, or that of a column; what is absent is 0.
func amount(s string, row []string) float64 {
	if n, ok := strings.CutPrefix(s, "$"); ok {
		s = row[column(n)]
	}
	if s == "" {
		return 0
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return f
}

// take finds the rows of an answer.
func (b body) take(answer any) (rows [][]string, err error) {
	var walk func(at any, path string, outer map[string]any) error
	walk = func(at any, path string, outer map[string]any) error {
		head, rest, more := strings.Cut(path, "[]")
		found, ok := at, true
		for step := range strings.SplitSeq(strings.Trim(head, "."), ".") {
			var m map[string]any
			if m, ok = found.(map[string]any); !ok {
				break
			}
			found = m[step]
		}
		list, isList := found.([]any)
		if !ok || !isList || !more {
			return fmt.Errorf("the answer has no list %q", path)
		}
		steps := strings.Split(strings.TrimSuffix(strings.Trim(head, "."), ".buckets"), ".")
		for _, e := range list {
			outer[steps[len(steps)-1]] = e
			if rest != "" {
				if err := walk(e, rest, outer); err != nil {
					return err
				}
				continue
			}
			row := make([]string, len(b.columns))
			for i, c := range b.columns {
				row[i] = cell(e, outer, c)
			}
			rows = append(rows, row)
		}
		return nil
	}
	err = walk(answer, b.rows, map[string]any{})
	return rows, err
}

// cell is a column of a row: a path within it or, when its first step names a list, within that list's element.
func cell(e any, outer map[string]any, path string) string {
	first, rest, _ := strings.Cut(path, ".")
	if o, ok := outer[first]; ok {
		e, path = o, rest
	}
	for step := range strings.SplitSeq(path, ".") {
		m, ok := e.(map[string]any)
		if !ok {
			return ""
		}
		e = m[step]
	}
	return word(e)
}

func word(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		return strconv.FormatInt(v, 10)
	case []byte:
		return string(v)
	case []any:
		words := make([]string, len(v))
		for i, e := range v {
			words[i] = word(e)
		}
		return strings.Join(words, ", ")
	}
	raw, _ := json.Marshal(v) // it came of JSON
	return string(raw)
}

// of puts the rows of two bodies together.
func (j *join) of(first, second [][]string) (out [][]string) {
	in := map[string]bool{}
	for _, row := range second {
		in[row[j.right]] = true
	}
	for _, row := range first {
		if in[row[j.left]] == j.not {
			continue
		}
		out = append(out, pick(row, j.show))
	}
	return out
}

// lines are rows as the known answers are written: in order or, where that does not count, sorted and each once.
func (q *question) lines(rows [][]string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = strings.Join(r, " | ")
	}
	if !q.ordered {
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return out
}
