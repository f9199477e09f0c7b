package saas

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// mapper makes records of a stream's objects.
type mapper struct {
	st     *streamState
	batch  *event.Batch
	own    event.Values
	values *event.Values // being mapped
	first  *event.Record
	latest *event.Record
	mapped int
	named  func(rec *event.Record, n int) // gives record n of the object its id, once Map is done with it
	add    func() *event.Record
}

func (m *mapper) init(st *streamState, o event.Origin) {
	m.st, m.batch = st, event.NewBatch(o)
	m.add = func() *event.Record {
		if m.mapped > 0 {
			m.named(m.latest, m.mapped-1)
		}
		m.latest = m.batch.Add(m.st.layout, m.values)
		if m.mapped++; m.mapped == 1 {
			m.first = m.latest
		}
		return m.latest
	}
}

// fill gives the wanted values of raw. They are good until the next call.
func (m *mapper) fill(raw json.RawMessage) (*event.Values, error) {
	if m.st.layout == nil {
		m.own = event.Values{Raw: raw}
		return &m.own, nil
	}
	if err := m.st.layout.Fill(raw, &m.own); err != nil {
		return nil, err
	}
	return &m.own, nil
}

func (m *mapper) key(v *event.Values) (key string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("find the key of a record: %v", p)
		}
	}()
	if key = m.st.Key(v); key == "" {
		err = errors.New("find the key of a record: there is none")
	}
	return key, err
}

// mapRecord makes the records of one object and finds its items. What a malformed object made is taken back.
func (m *mapper) mapRecord(v *event.Values, named func(*event.Record, int)) (items []Item, err error) {
	m.values, m.mapped, m.first, m.named = v, 0, nil, named
	before := m.batch.Len()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("map record: %v", p)
		}
		if err != nil {
			m.batch.Cut(before)
		}
	}()
	if err := m.st.Map(v, m.add); err != nil {
		return nil, fmt.Errorf("map record: %w", err)
	}
	if m.mapped > 0 {
		named(m.latest, m.mapped-1)
	}
	return m.itemsOf(v), nil
}

func (m *mapper) itemsOf(v *event.Values) []Item {
	if m.st.Items == nil {
		return nil
	}
	return m.st.Items(v)
}

// byKey names the records that Map gave no id: by the key, further records of the object also by their number in it.
func byKey(key string) func(*event.Record, int) {
	return func(rec *event.Record, n int) {
		if !rec.HasID() {
			rec.ID(numbered(key, n))
		}
	}
}

func numbered(key string, n int) string {
	if n == 0 {
		return key
	}
	return key + "#" + strconv.Itoa(n)
}

// ObjectKey is the key of the raw object that an event was made of, by its event.id: of the records of one object all but the first
// have a number.
func ObjectKey(id string) string {
	at := strings.LastIndexByte(id, '#')
	if at <= 0 || at == len(id)-1 || strings.Trim(id[at+1:], "0123456789") != "" {
		return id
	}
	return id[:at]
}

// Normalizer maps raw objects without a tenant, a network or a clock: the same input gives the same records.
type Normalizer struct{ m mapper }

// NewNormalizer maps what the stream behind a dataset of Provider.Datasets reads; "" is the default.
func NewNormalizer(p *Provider, dataset string) (*Normalizer, error) {
	name, ok := p.Datasets[dataset]
	if !ok {
		return nil, fmt.Errorf("map objects of %s: there is no dataset %q", p.Name, dataset)
	}
	streams, err := p.Declared()
	if err != nil {
		return nil, fmt.Errorf("map objects of %s: %w", p.Name, err)
	}
	for i := range streams {
		if s := &streams[i]; s.Name == name {
			n := &Normalizer{}
			n.m.init(newStreamState(s), event.Origin{Module: p.module(), Dataset: s.Dataset})
			return n, nil
		}
	}
	return nil, fmt.Errorf("map objects of %s: there is no stream %q", p.Name, name)
}

// Do calls out for every record in raw. A malformed object is an error and no record.
func (n *Normalizer) Do(raw json.RawMessage, out func(event.View)) error {
	v, err := n.m.fill(raw)
	if err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	key, err := n.m.key(v)
	if err != nil {
		return err
	}
	if _, err := n.m.mapRecord(v, byKey(key)); err != nil {
		return err
	}
	for w := range event.Views(n.m.batch.Take()) {
		out(w)
	}
	return nil
}
