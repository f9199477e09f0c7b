package salesforce

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const (
	simIdle    = 15 * time.Minute // after which a locator dies
	simOpenMax = 10               // locators that a user may have open
	simPiece   = 32 << 10         // bytes of an answer that are written at a time
	simAPITime = "2006-01-02T15:04:05.000-0700"
)

// simLocator is a query whose pages are being read.
type simLocator struct {
	id    string
	owner string
	q     *simQuery
	o     *simSchema
	refs  []simRef
	used  time.Time
	size  int
}

// query is GET /query and /queryAll.
func (s *simOrg) query(c *simCall, deleted bool) {
	q, no := simParse(c.r.URL.Query().Get("q"))
	if no != nil {
		s.fault(c, no)
		return
	}
	q.deleted = deleted
	o := s.schemas[strings.ToLower(q.from)]
	if o == nil || o.prefix == "" || !s.sees(c, o.name) {
		s.fault(c, simBad("INVALID_TYPE", "\n%s\n^\nERROR at Row:1:Column:1\nsObject type '%s' is not supported.", q.text, q.from))
		return
	}
	if no = s.check(q, o); no == nil {
		no = s.mayList(c, q, o)
	}
	if no != nil {
		s.fault(c, no)
		return
	}
	refs, size := s.search(c, q, o), simBatch(c.r.Header.Get("Sforce-Query-Options"))
	if o.name == "OauthToken" && q.fields[0] != "COUNT()" { // 500 at a time and 2500 in all
		refs, size = refs[:min(len(refs), 2500)], min(size, 500)
	}
	if q.fields[0] == "COUNT()" {
		c.json(http.StatusOK, obj{"totalSize": len(refs), "done": true, "records": []obj{}})
		return
	}
	s.page(c, &simLocator{q: q, o: o, refs: refs, owner: c.user, size: size}, 0)
}

// simBatch is the number of records of a page: a hint of the client's.
func simBatch(header string) int {
	for _, part := range strings.Split(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && strings.EqualFold(strings.TrimSpace(name), "batchSize") {
			return min(max(n, 200), 2000)
		}
	}
	return 2000
}

// more is GET of a nextRecordsUrl: "01g…-2000".
func (s *simOrg) more(c *simCall) {
	id, at, _ := strings.Cut(c.path("locator"), "-")
	n, err := strconv.Atoi(at)
	s.mu.Lock()
	l := s.locators[id]
	if l != nil && (l.owner != c.user || s.o.Now().Sub(l.used) > simIdle) {
		delete(s.locators, id)
		l = nil
	}
	s.mu.Unlock()
	if l == nil || err != nil || n < 0 || n >= len(l.refs) {
		s.fault(c, simBad("INVALID_QUERY_LOCATOR", "invalid query locator"))
		return
	}
	s.page(c, l, n)
}

// open keeps a locator; the oldest of the user's is closed when there are too many.
func (s *simOrg) open(l *simLocator) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.used = s.o.Now(); l.id != "" {
		return
	}
	var mine []*simLocator
	for id, o := range s.locators {
		if l.used.Sub(o.used) > simIdle {
			delete(s.locators, id)
		} else if o.owner == l.owner {
			mine = append(mine, o)
		}
	}
	if len(mine) >= simOpenMax {
		oldest := slices.MinFunc(mine, func(a, b *simLocator) int { return a.used.Compare(b.used) })
		delete(s.locators, oldest.id)
	}
	s.opened++
	l.id = s.id("01g", int(sim.Hash(s.o.Seed, 90)%1e6)*1e6+s.opened)
	s.locators[l.id] = l
}

// page answers with the records from at on.
func (s *simOrg) page(c *simCall, l *simLocator, at int) {
	end := min(at+l.size, len(l.refs))
	c.w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	b := append([]byte(`{"totalSize":`), itoa(len(l.refs))...)
	if end < len(l.refs) {
		s.open(l)
		b = append(b, `,"done":false,"nextRecordsUrl":"`...)
		b = append(append(b, c.data()+"/query/"+l.id+"-"...), itoa(end)...)
		b = append(b, '"')
	} else {
		b = append(b, `,"done":true`...)
	}
	b = append(b, `,"records":[`...)
	paths := make([]simPath, len(l.q.fields))
	for i, name := range l.q.fields {
		paths[i], _ = s.path(l.o, name)
	}
	first, into := true, simRow{}
	for _, r := range l.refs[at:end] {
		row := r.row
		if row == nil {
			row = s.tables[l.o.name].row(into, r.n)
		}
		if row == nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		if b = s.write(b, c, l.o, row, paths); len(b) > simPiece {
			_, _ = c.w.Write(b)
			b = b[:0]
		}
	}
	_, _ = c.w.Write(append(b, "]}"...))
}

// write appends the fields of a record; those of one related record stand together where the first of them stands.
func (s *simOrg) write(b []byte, c *simCall, o *simSchema, row simRow, paths []simPath) []byte {
	id, _ := row["Id"].(string)
	for _, part := range [...]string{`{"attributes":{"type":"`, o.name, `","url":"/services/data/`, c.version, "/sobjects/", o.name, "/", id,
		`"}`} {
		b = append(b, part...)
	}
	var done []string // relations
	for i, p := range paths {
		f := p[0]
		if len(p) == 1 {
			b = s.field(append(append(append(b, `,"`...), f.name...), `":`...), c, o, f, row)
			continue
		}
		name := strings.TrimSuffix(f.name, "Id")
		if slices.Contains(done, name) {
			continue
		}
		done = append(done, name)
		b = append(b, `,"`+name+`":`...)
		target, _ := row[f.name].(string)
		related := s.find(target)
		if related == nil {
			b = append(b, "null"...)
			continue
		}
		var below []simPath
		for _, q := range paths[i:] {
			if len(q) > 1 && q[0].name == f.name {
				below = append(below, q[1:])
			}
		}
		b = s.write(b, c, s.objectOf(target), related, below)
	}
	return append(b, '}')
}

// field appends the value of a field.
func (s *simOrg) field(b []byte, c *simCall, o *simSchema, f simField, row simRow) []byte {
	if f.kind == "base64" {
		id, _ := row["Id"].(string)
		return sim.Text(b, c.data()+"/sobjects/"+o.name+"/"+id+"/"+f.name)
	}
	switch v := row[f.name].(type) {
	case string:
		return sim.Text(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		if v == math.Trunc(v) {
			return append(strconv.AppendInt(b, int64(v), 10), ".0"...)
		}
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case time.Time:
		if f.kind == "date" {
			return append(v.UTC().AppendFormat(append(b, '"'), time.DateOnly), '"')
		}
		return append(v.UTC().AppendFormat(append(b, '"'), simAPITime), '"')
	case func() any: // what takes long to find out
		return s.field(b, c, o, f, simRow{f.name: v()})
	}
	if f.kind == "boolean" {
		return append(b, "false"...)
	}
	return append(b, "null"...)
}

// simRules are the fields that an object can be filtered by, and sorted by. Other objects take all.
var simRules = map[string][]string{
	"LoginHistory": {"LoginTime", "UserId", "LoginType", "LoginUrl", "NetworkId", "AuthenticationServiceId"},
	"SetupAuditTrail": {"Id", "Action", "CreatedDate", "CreatedById", "DelegateUser", "CreatedByContext", "CreatedByIssuer",
		"ResponsibleNamespacePrefix"},
}

// simStores are the big objects: conditions and order only by EventDate and then EventIdentifier.
var simStores = strings.Fields(`LoginEvent LogoutEvent LoginAsEvent ApiEvent ReportEvent ListViewEvent UriEvent LightningUriEvent
	FileEventStore PermissionSetEventStore BulkApiResultEventStore IdentityVerificationEvent IdentityProviderEventStore`)

// restrict refuses what an object does not allow.
func (s *simOrg) restrict(q *simQuery, o *simSchema) (no *simFault) {
	big := slices.Contains(simStores, o.name)
	rules, ruled := simRules[o.name]
	if big {
		rules, ruled = []string{"EventDate", "EventIdentifier"}, true
	}
	if q.fields[0] == "COUNT()" && (big || o.name == "SetupAuditTrail") {
		return simBad("MALFORMED_QUERY", "Implementation restriction: %s doesn't support aggregate functions", o.name)
	}
	if !ruled {
		return nil
	}
	allowed := func(field, how string) {
		if no == nil && !slices.ContainsFunc(rules, func(r string) bool { return strings.EqualFold(r, field) }) {
			no = simBad("INVALID_FIELD", "field '%s' can not be %s in a query call", field, how)
		}
	}
	first := ""
	q.where.each(func(p *simCond) {
		allowed(p.field, "filtered")
		if first == "" {
			first = p.field
		}
		if big && no == nil && (p.op == "!=" || p.op == "not in" || p.op == "like") {
			no = simBad("MALFORMED_QUERY", "%s does not allow the operator %s", o.name, p.op)
		}
	})
	for _, by := range q.orders {
		allowed(by.field, "sorted")
	}
	switch {
	case no != nil || !big:
	case q.where != nil && (q.where.op == "or" || q.where.op == "not" || slices.ContainsFunc(q.where.parts, func(p *simCond) bool {
		return p.field == ""
	})):
		no = simBad("MALFORMED_QUERY", "%s does not allow disjunctions", o.name)
	case first != "" && !strings.EqualFold(first, "EventDate"), len(q.orders) > 0 && !strings.EqualFold(q.orders[0].field, "EventDate"):
		no = simBad("MALFORMED_QUERY", "%s: filters and orders begin with EventDate", o.name)
	}
	return no
}

// mayList refuses lists of links between files and records that are about everything, unless the user may query all files.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocumentlink.htm
func (s *simOrg) mayList(c *simCall, q *simQuery, o *simSchema) *simFault {
	if o.name != "ContentDocumentLink" || s.may(c.user, "QueryAllFiles") {
		return nil
	}
	single := false
	conds := []*simCond{q.where}
	if q.where != nil && q.where.op == "and" {
		conds = q.where.parts
	}
	for _, p := range conds {
		single = single || p != nil && (p.op == "=" || p.op == "in") && p.names("Id", "ContentDocumentId", "LinkedEntityId")
	}
	if single {
		return nil
	}
	return simBad("MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId "+
		"or LinkedEntityId using the equals operator or multiple Id's using the IN operator.")
}
