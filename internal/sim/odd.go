package sim

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrExpired is the answer to a token of a delta feed that is too old or was never given out.
var ErrExpired = errors.New("the token has expired")

// Blob is data that is listed and then read.
type Blob struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Size    int       `json:"size"`
	Type    string    `json:"type"`
	data    []byte
}

// Blobs are listed at their folder, ?after=&limit= with {"blobs":[…],"next":…}, and read by name below it.
type Blobs struct {
	Now func() time.Time

	mu  sync.Mutex
	all []Blob
}

// Put adds a blob. The test that makes the blobs bounds them.
func (b *Blobs) Put(name, contentType string, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, Blob{name, b.Now(), len(data), contentType, data})
	slices.SortFunc(b.all, func(x, y Blob) int { return cmp.Compare(x.Name, y.Name) })
}

// ServeHTTP lists or reads. It stands behind http.StripPrefix.
func (b *Blobs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	all := slices.Clone(b.all)
	b.mu.Unlock()
	if name := strings.TrimPrefix(r.URL.Path, "/"); name != "" {
		i, ok := slices.BinarySearchFunc(all, name, func(x Blob, n string) int { return cmp.Compare(x.Name, n) })
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", all[i].Type)
		_, _ = w.Write(all[i].data)
		return
	}
	after, limit := r.URL.Query().Get("after"), 1000
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil && n > 0 {
		limit = n
	}
	all = slices.DeleteFunc(all, func(x Blob) bool { return after != "" && x.Name <= after })
	page, next := Slice(all, 0, limit)
	out := map[string]any{"blobs": page}
	if next > 0 {
		out["next"] = page[len(page)-1].Name
	}
	WriteJSON(w, http.StatusOK, out)
}

// Gzip compresses.
func Gzip(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(data) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// CSV writes rows, the first of which names the fields.
func CSV(rows ...[]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(rows) // a buffer takes everything
	return b.Bytes()
}

// Queue is a remote queue: a message received is hidden for a while and comes again unless it is deleted.
type Queue struct {
	Now func() time.Time

	mu     sync.Mutex
	all    []Message
	issued int
}

// Message is one message of a queue. Receipt is good for this delivery only.
type Message struct {
	Receipt, Body string
	Deliveries    int
	hidden        time.Time
}

// Send adds a message. The test that sends the messages bounds them.
func (q *Queue) Send(body string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = append(q.all, Message{Body: body})
}

// Receive takes at most n messages and hides them.
func (q *Queue) Receive(n int, hide time.Duration) []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.Now()
	var out []Message
	for i := range q.all {
		if m := &q.all[i]; len(out) < n && !m.hidden.After(now) {
			q.issued++
			m.Receipt, m.hidden, m.Deliveries = "r"+strconv.Itoa(q.issued), now.Add(hide), m.Deliveries+1
			out = append(out, *m)
		}
	}
	return out
}

// Delete ends a message by the receipt of its last delivery.
func (q *Queue) Delete(receipt string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := len(q.all)
	q.all = slices.DeleteFunc(q.all, func(m Message) bool { return m.Receipt == receipt && receipt != "" })
	return len(q.all) < before
}

// Newest calls each for at most limit events, newest first, without the offset newest ones: pages that shift when
// events come in while they are read. It returns whether there are more.
func (f *Feed) Newest(offset, limit int, each func(raw []byte)) (more bool) {
	b := Bounds{To: f.now().Add(time.Nanosecond), Newest: true}
	c, _ := f.ReadIn(b, f.Begin(b), offset, func([]byte) {})
	_, more = f.ReadIn(b, c, limit, each)
	return more
}

// Changes is a delta feed: what changed since a token. It keeps the last Keep changes; older tokens have expired.
type Changes struct {
	Keep int

	mu   sync.Mutex
	log  []string
	gone int
}

// Add notes a change.
func (c *Changes) Add(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, key)
	if over := len(c.log) - max(1, c.Keep); over > 0 {
		c.log, c.gone = slices.Delete(c.log, 0, over), c.gone+over
	}
}

// Since lists at most limit changes after the token, "" = only a token for now, and the token to go on with.
func (c *Changes) Since(token string, limit int) (keys []string, next string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.gone + len(c.log)
	if token != "" {
		if at, err = strconv.Atoi(token); err != nil || at < c.gone || at > c.gone+len(c.log) {
			return nil, "", ErrExpired
		}
	}
	keys = slices.Clone(c.log[at-c.gone:])
	keys = keys[:min(limit, len(keys))]
	return keys, strconv.Itoa(at + len(keys)), nil
}
