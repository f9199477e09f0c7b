package event

import (
	"encoding/json"
	"slices"
	"time"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// ECSVersion is the version of the Elastic Common Schema that the names follow.
const ECSVersion = "9.4.0"

const (
	scopeName = "longshore"
	maxOpen   = 256  // records of one object that can still be changed
	maxShapes = 256  // remembered orders of attributes
	maxExtra  = 1024 // names outside the field table, remembered between batches
	arenaSize = 16 << 10
)

// Origin says where the records of a batch come from; its fields are resource attributes.
type Origin struct {
	Module, Tenant string // event.module, saas.tenant
	OrgID, OrgName string // organization.*
	Version        string // of the agent
	Dataset        string // of records that set none
	Observed       time.Time
}

// Batch collects records for one hand-over. It is for one goroutine.
type Batch struct{ batch }

type batch struct {
	o        Origin
	observed pcommon.Timestamp
	logs     plog.Logs
	groups   []group
	done     []placed // finished records, in order
	open     []*Record
	spare    []*scratch
	slab     []Record // not yet given out
	size     int
	arena    []byte
	seats    seats
	extra    []string // names outside the field table; their ids follow those of the table
	extraID  map[string]int
	shapes   map[uint64]*shape
	own      Values
	cur      *scratch // whose values go into attributes
	curAt    int
	fill     func(string, pcommon.Value) bool
}

// group is the records of one dataset.
type group struct {
	dataset string
	records plog.LogRecordSlice
}

type placed struct{ group, size int32 }

// shape is a map of empty attributes in the order in which records like it set them.
type shape struct {
	ids   []int32
	empty pcommon.Map
}

// NewBatch starts an empty batch.
func NewBatch(o Origin) *Batch {
	b := &Batch{batch{o: o, logs: plog.NewLogs(), extraID: map[string]int{}, shapes: map[uint64]*shape{}}}
	if !o.Observed.IsZero() {
		b.observed = pcommon.NewTimestampFromTime(o.Observed)
	}
	b.fill = b.setNext
	return b
}

// Add starts a record with v.Raw as its body and every value that l names in place. l may be nil. A record can be changed
// until one of another object is added, or the logs are taken.
func (b *Batch) Add(l *Layout, v *Values) *Record {
	if n := len(b.open); n > 0 && (n >= maxOpen || !sameBytes(b.open[n-1].body, v.Raw)) {
		b.finish()
	}
	if len(b.slab) == 0 {
		b.slab = make([]Record, 32)
	}
	r := &b.slab[0]
	b.slab = b.slab[1:]
	r.record = record{b: b, s: b.scratch(), body: v.Raw}
	b.open = append(b.open, r)
	b.size += len(v.Raw)
	if l == nil {
		return r
	}
	if v.l != l {
		if l.Fill(v.Raw, &b.own) != nil {
			return r
		}
		v = &b.own
	}
	for i := range l.puts {
		p := &l.puts[i]
		if raw := v.Bytes(p.slot); len(raw) > 0 {
			r.put(b.id(p), raw, v, p.slot)
		}
	}
	return r
}

func sameBytes(a, b json.RawMessage) bool {
	return len(a) == len(b) && len(a) > 0 && unsafe.SliceData(a) == unsafe.SliceData(b)
}

func (b *Batch) id(p *put) int {
	if p.id >= 0 {
		return p.id
	}
	return b.nameID(p.name)
}

// nameID is the number of a name: its place in the field table, or one given out by the batch.
func (b *Batch) nameID(name string) int {
	if id := b.seats.fieldID(name); id >= 0 {
		return id
	}
	return b.extraName(name)
}

func (b *Batch) extraName(name string) int {
	id, ok := b.extraID[name]
	if !ok {
		id = len(fieldTable) + len(b.extra)
		b.extra = append(b.extra, name)
		b.extraID[name] = id
	}
	return id
}

func (b *Batch) name(id int32) string {
	if int(id) < len(fieldTable) {
		return fieldTable[id].name
	}
	return b.extra[int(id)-len(fieldTable)]
}

func (b *Batch) scratch() *scratch {
	if n := len(b.spare); n > 0 {
		s := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return s
	}
	return &scratch{}
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.done) + len(b.open) }

// Size is the bytes of their bodies.
func (b *Batch) Size() int { return b.size }

// Cut takes back the records from the nth on.
func (b *Batch) Cut(n int) {
	for len(b.open) > 0 && b.Len() > n {
		r := b.open[len(b.open)-1]
		b.open = b.open[:len(b.open)-1]
		b.size -= len(r.body)
		b.release(r)
	}
	for len(b.done) > max(n, 0) {
		p := b.done[len(b.done)-1]
		b.done = b.done[:len(b.done)-1]
		b.size -= int(p.size)
		records := b.groups[p.group].records
		at, last := 0, records.Len()-1
		records.RemoveIf(func(plog.LogRecord) bool { at++; return at-1 == last })
	}
}

// Take finishes the last record and gives the logs away; the batch is empty after it.
func (b *Batch) Take() plog.Logs {
	b.finish()
	b.logs.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool { return rl.ScopeLogs().At(0).LogRecords().Len() == 0 })
	out := b.logs
	b.logs, b.groups, b.done, b.size = plog.NewLogs(), nil, b.done[:0], 0
	if len(b.extra) > maxExtra {
		b.extra, b.extraID, b.shapes, b.spare = nil, map[string]int{}, map[uint64]*shape{}, nil
	}
	return out
}

func (b *Batch) finish() {
	for i, r := range b.open {
		b.place(r)
		b.release(r)
		b.open[i] = nil
	}
	b.open = b.open[:0]
}

// release takes the working state from a record that can no longer be changed.
func (b *Batch) release(r *Record) {
	r.s.reset()
	b.spare = append(b.spare, r.s)
	r.s, r.body = nil, nil
}

// place writes a finished record into the logs.
func (b *Batch) place(r *Record) {
	r.complete()
	g := b.group(r.dataset)
	b.done = append(b.done, placed{int32(g), int32(len(r.body))})
	lr := b.groups[g].records.AppendEmpty()
	lr.Body().SetStr(zeroCopy(r.body))
	lr.SetTimestamp(r.time)
	lr.SetObservedTimestamp(b.observed)
	lr.SetEventName(r.eventName())
	lr.SetSeverityNumber(r.severity())
	b.attributes(r.s, lr.Attributes())
}

func (b *Batch) group(dataset string) int {
	if dataset == "" {
		dataset = b.o.Dataset
	}
	for i := range b.groups {
		if b.groups[i].dataset == dataset {
			return i
		}
	}
	rl := b.logs.ResourceLogs().AppendEmpty()
	attrs := rl.Resource().Attributes()
	for _, kv := range [][2]string{{"event.module", b.o.Module}, {"event.dataset", dataset}, {"event.kind", "event"}, {"saas.tenant",
		b.o.Tenant},
		{"organization.id", b.o.OrgID}, {"organization.name", b.o.OrgName}, {"ecs.version", ECSVersion}, {"agent.type", scopeName},
		{"agent.version", b.o.Version}} {
		if kv[1] != "" {
			attrs.PutStr(kv[0], kv[1])
		}
	}
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(scopeName)
	b.groups = append(b.groups, group{dataset, sl.LogRecords()})
	return len(b.groups) - 1
}

// attributes writes the values of s into m. Records that set the same names in the same order share a shape, which saves
// the search for duplicates that pcommon.Map makes with every new name.
func (b *Batch) attributes(s *scratch, m pcommon.Map) {
	h := uint64(14695981039346656037)
	for i := range s.vals {
		h = (h ^ uint64(s.vals[i].id)) * 1099511628211
	}
	sh := b.shapes[h]
	switch {
	case sh != nil && sh.of(s):
		sh.empty.CopyTo(m)
	default:
		m.EnsureCapacity(len(s.vals))
		for i := range s.vals {
			m.PutEmpty(b.name(s.vals[i].id))
		}
		if sh == nil && len(b.shapes) < maxShapes {
			sh = &shape{empty: pcommon.NewMap()}
			for i := range s.vals {
				sh.ids = append(sh.ids, s.vals[i].id)
			}
			m.CopyTo(sh.empty)
			b.shapes[h] = sh
		}
	}
	b.cur, b.curAt = s, 0
	m.Range(b.fill)
	b.cur = nil
}

func (sh *shape) of(s *scratch) bool {
	return slices.EqualFunc(sh.ids, s.vals, func(id int32, v value) bool { return id == v.id })
}

func (b *Batch) setNext(_ string, to pcommon.Value) bool {
	b.cur.vals[b.curAt].write(to)
	b.curAt++
	return true
}

// hold keeps p as a string in the arena, which is never written to twice.
func (b *Batch) hold(p []byte) string {
	if cap(b.arena)-len(b.arena) < len(p) {
		b.arena = make([]byte, 0, max(arenaSize, len(p)))
	}
	start := len(b.arena)
	b.arena = append(b.arena, p...)
	return zeroCopy(b.arena[start:len(b.arena):len(b.arena)])
}
