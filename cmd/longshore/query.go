package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/longshore-dev/longshore/exporters/sqlite"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/store"
)

// queryFlags are what `longshore query` is told.
type queryFlags struct {
	db, sql        string
	limit          int
	json, entities bool
}

func newQuery(p *program) *cobra.Command {
	var f queryFlags
	cmd := &cobra.Command{
		Use:   "query [EXPRESSION]",
		Short: "Search the embedded store",
		Long: `Searches what the exporter sqlite stored, newest first, also while an agent is running. Without an expression: everything.

  event.outcome:failure              a field has a value, in any case; of a list, one element
  event.action:user.session.*        * stands for any text; field:* for any value
  message:"sign in"                  quoted; * and blanks mean themselves
  @timestamp:>=now-1h                also > < <=, and [2026-11-01 TO 2026-11-30]; * leaves an end open; times are UTC
  source.ip:10.0.0.0/8               a network
  okta.target.type:(User OR Group)   one of several values
  paris "ana roy" adm*               words anywhere in the record, phrases, beginnings of words

Conditions are joined by AND (which may be left out), OR, NOT and parentheses. Fields are those of the documents: ECS, saas.*
and the application's own. Entities that are gone are shown when the expression names entity.lifecycle.deleted.

--sql reads the views events, findings, actions, health and entities, whose columns docs/store.md lists (user.target.name is
user_target_name, saas.role.name is role_name), and the table letters (what could never be stored, with the reason). doc is the
document as JSON, time is nanoseconds since 1970, timestamp is text.`,
		Example: `  longshore query 'event.outcome:failure AND @timestamp:>=now-1h'
  longshore query --json --limit 0 'event.dataset:saas.finding' > findings.jsonl
  longshore query --entities 'entity.type:user saas.entity.status:suspended'
  longshore query --sql 'SELECT action, count(*) AS n FROM events GROUP BY action ORDER BY n DESC'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.limit < 0:
				return usagef("--limit %d: it must be 0 (all) or more", f.limit)
			case f.sql != "" && (len(args) > 0 || f.entities || cmd.Flags().Changed("limit")):
				return usagef("--sql stands alone: no EXPRESSION, --entities or --limit")
			}
			return p.query(untilSignalled(cmd.Context()), f, strings.Join(args, ""))
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.db, "db", sqlite.DefaultPath, "the store: the path of the exporter sqlite")
	fl.IntVar(&f.limit, "limit", 100, "how many to show; 0 = all")
	fl.BoolVar(&f.json, "json", false, "write the documents, one JSON object a line")
	fl.BoolVar(&f.entities, "entities", false, "search the last known state of users, groups, applications … instead of events")
	fl.StringVar(&f.sql, "sql", "", "run a `STATEMENT` that only reads, instead of a search")
	return cmd
}

func (p *program) query(ctx context.Context, f queryFlags, expression string) (err error) {
	filter, err := store.Compile(expression, time.Now())
	if err != nil {
		return usagef("expression: %w", err)
	}
	for _, name := range filter.Fields() {
		if hint := fieldHint(name); hint != "" {
			fmt.Fprintln(p.errs, "note:", hint)
		}
	}
	r, err := store.OpenReader(ctx, f.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	out := bufio.NewWriterSize(p.out, 64<<10)
	defer func() { err = errors.Join(err, out.Flush()) }()
	search := store.Search{Filter: filter, Limit: f.limit, Doc: f.json || !f.entities}
	if f.limit > 0 {
		search.Limit++ // to know whether there are more
	}
	switch {
	case f.sql != "":
		return querySQL(ctx, r, f, out)
	case f.entities:
		return show(p.errs, out, f, r.Entities(ctx, search), func(e store.Entity) string { return e.Doc },
			[]string{"read", "dataset", "tenant", "type", "name", "id", "gone"}, entityCells)
	}
	return show(p.errs, out, f, r.Documents(ctx, search), func(d store.Document) string { return d.Doc },
		[]string{"time", "tenant", "dataset", "action", "outcome", "user", "source"}, documentCells)
}

// documentCells are the columns of a record. Findings, actions and what the agent tells of itself say in words what they are about.
func documentCells(d store.Document) []string {
	cells := []string{utc(d.Time), d.Tenant, d.Dataset, d.Action, d.Outcome, d.User, d.SourceIP}
	var doc struct{ Message string }
	if strings.HasPrefix(d.Dataset, "saas.") && json.Unmarshal([]byte(d.Doc), &doc) == nil && doc.Message != "" {
		cells = append(cells, doc.Message)
	}
	return cells
}

func entityCells(e store.Entity) []string {
	gone := ""
	if !e.Deleted.IsZero() {
		gone = utc(e.Deleted)
	}
	return []string{utc(e.Time), e.Dataset, e.Tenant, e.Type, e.Name, e.Native, gone}
}

// utc writes a time as expressions read it.
func utc(t time.Time) string { return t.Format("2006-01-02T15:04:05Z") }

// show writes what a search finds, up to the limit, and says what is left out.
func show[T any](errs io.Writer, out *bufio.Writer, f queryFlags, found func(func(T, error) bool), doc func(T) string,
	head []string, cells func(T) []string) error {
	n, more := 0, false
	t := &columns{w: out}
	if !f.json {
		t.rows = append(t.rows, head)
	}
	for row, err := range found {
		if err != nil {
			return errors.Join(err, t.flush())
		}
		if more = f.limit > 0 && n == f.limit; more {
			break
		}
		n++
		if f.json {
			_, err = fmt.Fprintln(out, strings.ReplaceAll(doc(row), "\n", " "))
		} else {
			err = t.add(cells(row))
		}
		if err != nil {
			return fmt.Errorf("write result: %w", err)
		}
	}
	if n == 0 {
		fmt.Fprintln(errs, "nothing found")
		return nil
	}
	if err := t.flush(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if more {
		fmt.Fprintf(errs, "the first %s; there are more: --limit 0 shows all\n", plural(n, "result"))
	}
	return nil
}

func querySQL(ctx context.Context, r *store.Reader, f queryFlags, out *bufio.Writer) error {
	t := &columns{w: out}
	err := r.SQL(ctx, f.sql, func(names []string, values []any) error {
		if f.json {
			return jsonRow(out, names, values)
		}
		if !t.begun && len(t.rows) == 0 {
			t.rows = append(t.rows, slices.Clone(names))
		}
		cells := make([]string, len(values))
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			if v != nil {
				cells[i] = fmt.Sprint(v)
			}
		}
		return t.add(cells)
	})
	return errors.Join(err, t.flush())
}

// jsonRow writes a row with its columns in the order of the statement.
func jsonRow(w io.Writer, names []string, values []any) error {
	line := []byte{'{'}
	for i, name := range names {
		if b, ok := values[i].([]byte); ok {
			values[i] = string(b)
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		val, err := json.Marshal(values[i])
		if err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
		if i > 0 {
			line = append(line, ',')
		}
		line = append(append(append(line, key...), ':'), val...)
	}
	_, err := w.Write(append(line, '}', '\n'))
	return err
}

// columns aligns rows by the first of them: a long result is written as it comes.
type columns struct {
	w      io.Writer
	rows   [][]string // until begun
	widths []int
	begun  bool
}

// How many rows the widths are taken from, and the widest column but the last.
const (
	sampleRows  = 200
	widestCells = 48
)

func (c *columns) add(row []string) error {
	if c.begun {
		return c.write(row)
	}
	if c.rows = append(c.rows, row); len(c.rows) > sampleRows {
		return c.flush()
	}
	return nil
}

// flush writes the rows that were kept.
func (c *columns) flush() error {
	c.begun = true
	for _, row := range c.rows {
		c.widths = append(c.widths, make([]int, max(0, len(row)-len(c.widths)))...)
		for i, cell := range row {
			c.widths[i] = min(widestCells, max(c.widths[i], utf8.RuneCountInString(cell)))
		}
	}
	for _, row := range c.rows {
		if err := c.write(row); err != nil {
			return err
		}
	}
	c.rows = nil
	return nil
}

func (c *columns) write(row []string) error {
	var line strings.Builder
	for i, cell := range row {
		cell = printable(cell)
		if cell == "" {
			cell = "-"
		}
		line.WriteString(cell)
		if i < len(row)-1 {
			line.WriteString(strings.Repeat(" ", max(0, c.widths[i]-utf8.RuneCountInString(cell))+2))
		}
	}
	_, err := fmt.Fprintln(c.w, line.String())
	return err
}

// printable keeps what others wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '·'
		}
		return r
	}, s)
}

// fieldHint says what was probably meant by a name that no document has, or "".
func fieldHint(name string) string {
	roots, known := map[string]bool{"_id": true}, []string{"_id"}
	for k := range event.FieldTypes() {
		if k == name {
			return ""
		}
		root, _, _ := strings.Cut(k, ".")
		roots[root] = true
		known = append(known, k)
	}
	root, _, below := strings.Cut(name, ".")
	if below && (!roots[root] || root == "labels") || name == "_id" || isObject(name, known) {
		return "" // an application's own field
	}
	for _, k := range known {
		if !below && strings.HasSuffix(k, "."+name) && strings.Count(k, ".") == 1 {
			return fmt.Sprintf("there is no field %q; did you mean %q?", name, k)
		}
	}
	if near := saas.Nearest(name, known); near != "" {
		return fmt.Sprintf("there is no field %q; did you mean %q?", name, near)
	}
	return ""
}

// isObject tells whether a name stands above or below a known one.
func isObject(name string, known []string) bool {
	return slices.ContainsFunc(known, func(k string) bool {
		return strings.HasPrefix(k, name+".") || strings.HasPrefix(name, k+".") && event.FieldType(k) != "keyword"
	})
}
