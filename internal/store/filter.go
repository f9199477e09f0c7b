package store

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
)

// Filter is an expression that was read.
//
//	user.name:ana@acme.example      a value, in any case of ASCII letters; of a list, one element
//	event.action:user.session.*     * stands for any text; field:* for any value
//	message:"sign in"               quoted; * and blanks mean themselves
//	@timestamp:>=now-1h             also > < <=, and [2026-11-01 TO 2026-11-30], with * for an open end
//	source.ip:10.0.0.0/8            a network
//	okta.target.type:(User OR Group)
//	paris "ana roy" adm*            words anywhere in the record, phrases, beginnings of words
//
// Conditions are joined by AND (which may be left out), OR, NOT and parentheses.
type Filter struct {
	root   node
	now    time.Time
	fields []string
}

// Compile reads an expression. now is what the word stands for in it.
func Compile(expression string, now time.Time) (*Filter, error) {
	root, err := parse(expression)
	if err != nil {
		return nil, err
	}
	f := &Filter{root: root, now: now}
	if err := f.check(&parser{in: expression}, root); err != nil {
		return nil, err
	}
	return f, nil
}

// Fields are the names of fields in the order in which they are written.
func (f *Filter) Fields() []string { return f.fields }

// check refuses the conditions that mean nothing, so that making SQL of them cannot fail.
func (f *Filter) check(p *parser, n node) (err error) {
	defer caught(&err)
	f.checkNode(p, n)
	return nil
}

func (f *Filter) checkNode(p *parser, n node) {
	for _, k := range n.kids {
		f.checkNode(p, k)
	}
	t := n.term
	switch {
	case n.op != "":
		return
	case t.field == "":
		if t.val.wild && firstStar(t.val.pattern) != len(t.val.pattern)-1 {
			p.fail(t.val.at, "in free text a wildcard stands at the end of a word only; name the field to use it elsewhere")
		}
		if strings.TrimSpace(t.val.text()) == "" {
			p.fail(t.val.at, "there is no word to search for")
		}
		return
	}
	f.fields = append(f.fields, t.field)
	if isTime(t.field) {
		for _, w := range t.values() {
			if _, ok := moment(w.text(), f.now); !ok && !(w.wild && w.pattern == "*" && (t.compare == "=" || t.compare == "[]")) {
				p.fail(w.at, "%s wants a time, as 2026-11-24, 2026-11-24T10:00:00Z or now-1h", t.field)
			}
		}
	}
	if event.FieldType(t.field) == "ip" && t.compare == "=" && !t.val.wild && strings.Contains(t.val.pattern, "/") {
		if _, err := netip.ParsePrefix(t.val.text()); err != nil {
			p.fail(t.val.at, "%s is no network, as 10.0.0.0/8", t.val.text())
		}
	}
}

// firstStar is where the first wildcard of a pattern stands, or -1.
func firstStar(pattern string) int {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*':
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// values are those of the comparison.
func (t term) values() []word {
	if t.compare == "[]" {
		return []word{t.val, t.upper}
	}
	return []word{t.val}
}

func isTime(field string) bool { return event.FieldType(field) == "date" }

// table is what a filter can be made SQL for.
type table struct {
	name    string
	columns map[string]string // of fields; each has its value in full
}

var (
	documents = table{"documents", map[string]string{"_id": "id", "event.module": "module", "event.dataset": "dataset",
		"data_stream.dataset": "dataset", "saas.tenant": "tenant", "event.kind": "kind", "event.action": "action",
		"event.outcome": "outcome", "source.ip": "source_ip"}}
	states = table{"states", map[string]string{"_id": "id", "event.module": "module", "saas.tenant": "tenant",
		"entity.type": "type", "entity.id": "native"}}
)

// selective are fields whose values are in few records, so that the index of words finds them. All their values are in it.
var selective = func() map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(`user.name user.id user.email user.full_name user.target.id user.target.name user.target.email
		related.user related.ip related.hosts session.id transaction.id event.id file.name file.path saas.file.id entity.id entity.name
		device.id client.ip host.name group.id group.name saas.action.id saas.action.plan_id`) {
		m[name] = true
	}
	return m
}()

// deletedField is when an entity was found gone. A filter that does not name it leaves those out.
const deletedField = "entity.lifecycle.deleted"

// query is SQL being made.
type query struct {
	table table
	texts []string // the table's indexes of words
	now   time.Time
	text  strings.Builder
	args  []any
}

func (q *query) add(text string, args ...any) {
	q.text.WriteString(text)
	q.args = append(q.args, args...)
}

// node writes a condition in parentheses.
func (q *query) node(n node) {
	switch n.op {
	case "all":
		q.add("(1)")
	case "not":
		q.add("(NOT ")
		q.node(n.kids[0])
		q.add(")")
	case "and", "or":
		q.add("(")
		for i, k := range n.kids {
			if i > 0 {
				q.add(" " + strings.ToUpper(n.op) + " ")
			}
			q.node(k)
		}
		q.add(")")
	default:
		q.add("(")
		q.term(n.term)
		q.add(")")
	}
}

func (q *query) term(t term) {
	column := q.table.columns[t.field]
	network := event.FieldType(t.field) == "ip" && t.compare == "=" && !t.val.wild && strings.Contains(t.val.pattern, "/")
	switch {
	case t.field == "":
		q.match(t.val, true)
	case t.field == "@timestamp":
		q.time("time", t)
	case t.field == deletedField && q.table.name != documents.name:
		q.add("deleted > 0 AND ")
		q.time("deleted", t)
	case isTime(t.field) && !anything(t):
		from, to := q.reach(t)
		q.add("field_match(doc, ?, ?, ?, ?)", t.field, testTime, from, to)
	case network:
		q.add("field_match(doc, ?, ?, ?, NULL)", t.field, testNet, t.val.text())
	case column != "":
		q.column(column, t)
	default:
		q.field(t)
	}
}

// anything tells whether a condition asks only that a field is there.
func anything(t term) bool {
	return t.compare == "=" && t.val.wild && strings.Trim(t.val.pattern, "*") == ""
}

// match looks for a word, or for several that follow each other: the index knows the records, and their documents the order.
func (q *query) match(w word, order bool) {
	said := w.text()
	if w.wild {
		said = strings.TrimSuffix(said, "*")
	}
	found := wordsOf(said)
	if len(found) == 0 { // signs only
		q.add("0")
		return
	}
	prefix := w.wild
	expression := `"` + strings.Join(found, `" AND "`) + `"`
	if prefix {
		expression += "*"
	}
	text, args := matching(q.texts, expression)
	q.add(text, args...)
	if order && len(found) > 1 {
		q.add(" AND has_phrase(doc, ?, ?)", strings.Join(found, " "), prefix)
	}
}

// reach is the time that a condition leaves.
func (q *query) reach(t term) (from, to int64) {
	lower, upper := span{from: math.MinInt64, to: math.MinInt64}, span{from: math.MaxInt64, to: math.MaxInt64}
	if v, ok := moment(t.val.text(), q.now); ok {
		lower = v
	}
	if v, ok := moment(t.upper.text(), q.now); ok {
		upper = v
	}
	return reach(t.compare, lower, upper)
}

func (q *query) time(column string, t term) {
	if anything(t) {
		q.add("1")
		return
	}
	from, to := q.reach(t)
	q.add(column+" >= ? AND "+column+" < ?", from, to)
}

func (q *query) column(column string, t term) {
	switch {
	case t.compare == "[]":
		q.add(column + " <> ''")
		for i, w := range t.values() {
			if !w.wild {
				q.add(" AND "+column+[...]string{" >= ?", " <= ?"}[i], w.text())
			}
		}
	case t.compare != "=":
		q.add(column+" <> '' AND "+column+" "+t.compare+" ?", t.val.text())
	case anything(t):
		q.add(column + " <> ''")
	case t.val.wild:
		q.add(column+` LIKE ? ESCAPE '\'`, likePattern(t.val.pattern))
	case column == "kind" && !strings.EqualFold(t.val.text(), "event"):
		q.add("kind = ? AND kind <> 'event'", t.val.text()) // so that SQLite sees that the index has it
	default:
		q.add(column+" = ?", t.val.text())
	}
}

// likePattern turns a pattern into one of LIKE.
func likePattern(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '*':
			b.WriteByte('%')
			continue
		case c == '\\' && i+1 < len(pattern):
			i++
			c = pattern[i]
		}
		if c == '%' || c == '_' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// field looks into the document.
func (q *query) field(t term) {
	const call = "field_match(doc, ?, ?, ?, ?)"
	switch {
	case anything(t):
		q.add(call, t.field, testAny, nil, nil)
	case t.compare == "[]":
		low, high := t.val.text(), t.upper.text()
		if t.val.wild {
			low = ""
		}
		if t.upper.wild {
			high = ""
		}
		q.add(call, t.field, testRange+"[]", low, high)
	case t.compare == ">=" || t.compare == ">":
		q.add(call, t.field, testRange+map[string]string{">=": "[]", ">": "(]"}[t.compare], t.val.text(), "")
	case t.compare != "=":
		q.add(call, t.field, testRange+map[string]string{"<=": "[]", "<": "[)"}[t.compare], "", t.val.text())
	case event.FieldType(t.field) == "match_only_text" && !t.val.wild:
		q.add(call, t.field, testWords, t.val.text(), nil)
	default:
		if selective[t.field] && findable(t.val) {
			q.match(t.val, false)
			q.add(" AND ")
		}
		q.add(call, t.field, testGlob, t.val.pattern, nil)
	}
}

// findable tells whether the index of words surely has a value: one of ASCII, where the index splits words as we think.
func findable(w word) bool {
	letters := 0
	for i := range len(w.pattern) {
		switch c := w.pattern[i]; {
		case c >= 0x80 || w.wild:
			return false
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
		}
	}
	return letters > 0
}

// where makes the condition of a table.
func (f *Filter) where(t table, texts []string) (string, []any) {
	q := &query{table: t, texts: texts, now: f.now}
	q.node(f.root)
	if t.name != documents.name && !f.names(deletedField) {
		q.add(" AND deleted = 0")
	}
	return q.text.String(), q.args
}

func (f *Filter) names(field string) bool {
	for _, n := range f.fields {
		if n == field {
			return true
		}
	}
	return false
}
