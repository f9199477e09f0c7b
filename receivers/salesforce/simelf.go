package salesforce

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simLog is a log file: of a type of events and an hour, or a day. What comes late for an hour makes another file of it, with the
// next sequence number. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_event_log_file_hourly_overview.htm
type simLog struct {
	kind    int // of simEvents
	from    time.Time
	seq     int // 0 = of a day
	created time.Time
	lines   []int32      // its events, in no order
	length  atomic.Int64 // of the text; 0 = not yet reckoned
}

const (
	simKept  = 30 * 24 * time.Hour // for how long log files are there
	simTardy = 4 * 24 * time.Hour  // after which a log file of an hour is there at the latest
	simMost  = 32                  // log files of an hour
)

// number is what the id of the file is made of.
func (l *simLog) number() int {
	n := (int(l.from.Unix()/3600)*64+l.kind)*simMost + l.seq
	return n
}

// logBy is a log file by its id, if it is there now.
func (s *simOrg) logBy(id string) *simLog {
	n := simNumber(id)
	if n < 0 || !strings.HasPrefix(id, "0AT") {
		return nil
	}
	l := simLog{seq: n % simMost, kind: n / simMost % 64, from: time.Unix(int64(n/simMost/64)*3600, 0).UTC()}
	for _, f := range s.logsOf(l.from, l.seq == 0) {
		if f.kind == l.kind && f.seq == l.seq && s.there(f) {
			return f
		}
	}
	return nil
}

// there says whether a log file can be read now.
func (s *simOrg) there(l *simLog) bool {
	now, kept := s.o.Now(), simKept
	if s.o.Variant == "free" {
		if kept = 24 * time.Hour; l.seq > 0 || !slices.Contains(simFree, simEvents[l.kind].file) {
			return false
		}
	}
	return !l.created.After(now) && now.Sub(l.created) < kept
}

// seqOf is in which file of its hour event i is.
func (s *simOrg) seqOf(i int, hour time.Time) int {
	late := s.feed.Persisted(i).Sub(hour.Add(time.Hour))
	if late <= 0 {
		return 1
	}
	return min(2+int((late-1)/time.Hour), simMost-1)
}

// logsOf are the log files of an hour, or of a day. They do not depend on what time it is.
func (s *simOrg) logsOf(from time.Time, daily bool) []*simLog {
	type place struct {
		at    int64
		daily bool
	}
	if all, ok := s.logs.Load(place{from.Unix(), daily}); ok {
		return all.([]*simLog)
	}
	seen, end := map[[2]int]*simLog{}, from.Add(time.Hour)
	if daily {
		end = from.Add(24 * time.Hour)
	}
	first := sort.Search(s.feed.Len(), func(i int) bool { return !s.feed.At(i).Before(from) })
	for i := first; i < s.feed.Len() && s.feed.At(i).Before(end); i++ {
		kind, seq := s.fileKind(i), 0
		if kind < 0 {
			continue
		}
		if !daily {
			seq = s.seqOf(i, from)
		}
		l := seen[[2]int{kind, seq}]
		if l == nil {
			l = &simLog{kind: kind, from: from, seq: seq, created: s.createdAt(from, kind, seq)}
			seen[[2]int{kind, seq}] = l
		}
		l.lines = append(l.lines, int32(i))
	}
	all := slices.SortedFunc(maps.Values(seen), func(a, b *simLog) int { return a.number() - b.number() })
	for _, l := range all {
		slices.SortFunc(l.lines, func(a, b int32) int {
			return cmp.Compare(sim.Hash(s.o.Seed, 71, uint64(a)), sim.Hash(s.o.Seed, 71, uint64(b)))
		})
	}
	s.logs.Store(place{from.Unix(), daily}, all)
	return all
}

// createdAt is when a log file is there: hours after its hour, now and then days; of a day in the following night.
func (s *simOrg) createdAt(from time.Time, kind, seq int) time.Time {
	h := sim.Hash(s.o.Seed, 70, uint64(from.Unix()), uint64(kind), uint64(seq))
	least, more := 3*time.Hour, 3*time.Hour
	if seq == 0 {
		least, more = 2*time.Hour, 4*time.Hour
	}
	if s.o.MaxLag > 0 {
		least, more = 0, s.o.MaxLag
	}
	at := from.Add(time.Duration(seq)*time.Hour + least + time.Duration(h%uint64(more)))
	if seq == 0 {
		at = at.Add(24*time.Hour + s.o.MaxLag)
	}
	if s.o.Late > 0 && s.o.MaxLag == 0 && h>>40%12 == 0 {
		at = at.Add(time.Duration(sim.Hash(s.o.Seed, 72, h) % uint64(60*time.Hour)))
	}
	return at.Truncate(time.Second)
}

// fileKind is the type of event i, if log files have it; -1 = they do not.
func (s *simOrg) fileKind(i int) int {
	if s.replayed == nil {
		k, _ := s.kind(i)
		if k.file == "" {
			return -1
		}
		return slices.IndexFunc(simEvents, func(x simEvent) bool { return x.file == k.file })
	}
	name, ok := strings.CutPrefix(s.replayed[i]["object"].(string), "log ")
	if !ok {
		return -1
	}
	return slices.IndexFunc(simEvents, func(x simEvent) bool { return x.file == name })
}

// eachLog calls f for the log files created in a span, of hours and of days.
func (s *simOrg) eachLog(from, to time.Time, f func(l *simLog)) {
	first, last := s.o.Start, s.o.Start.Add(s.o.Span)
	for _, daily := range []bool{false, true} {
		step := time.Hour
		if daily {
			step = 24 * time.Hour
		}
		at := first.Truncate(step)
		if early := from.Add(-simTardy - s.o.MaxLag).Truncate(step); early.After(at) {
			at = early
		}
		for ; !at.After(last) && !at.After(to); at = at.Add(step) {
			for _, l := range s.logsOf(at, daily) {
				if s.there(l) && !l.created.Before(from) && !l.created.After(to) {
					f(l)
				}
			}
		}
	}
}

// listLogs is the table of log files. Without a word on the interval there are daily ones only, but with a condition on the id both.
func (s *simOrg) listLogs(_ *simCall, where *simCond, each func(simRef) bool) {
	from, to := where.span("CreatedDate")
	both := where.names("Interval", "Id")
	s.eachLog(from, to, func(l *simLog) {
		if both || l.seq == 0 {
			each(simRef{row: s.logRow(l)})
		}
	})
}

func (s *simOrg) logRow(l *simLog) simRow {
	k := &simEvents[l.kind]
	names := k.header()
	interval := "Hourly"
	if l.seq == 0 {
		interval = "Daily"
	}
	return simRow{"Id": s.id("0AT", l.number()), "EventType": k.file, "Interval": interval, "Sequence": l.seq, "LogDate": l.from,
		"CreatedDate": l.created, "LastModifiedDate": l.created, "SystemModstamp": l.created, "ApiVersion": 67.0,
		"LogFileContentType": "text/csv", "LogFileFieldNames": strings.Join(names, ","),
		"LogFileFieldTypes": strings.TrimSuffix(strings.Repeat("String,", len(names)), ","),
		"LogFileLength": func() any {
			if l.length.Load() == 0 {
				var n simLength
				s.logText(&n, l)
				l.length.Store(int64(n))
			}
			return float64(l.length.Load())
		}}
}

// header are the columns of a log file.
func (k *simEvent) header() []string {
	out := strings.Fields("EVENT_TYPE TIMESTAMP REQUEST_ID ORGANIZATION_ID USER_ID RUN_TIME CPU_TIME URI SESSION_KEY LOGIN_KEY")
	own, after, _ := strings.Cut(k.columns, "|")
	for _, part := range []string{own, "TIMESTAMP_DERIVED USER_ID_DERIVED CLIENT_IP URI_ID_DERIVED", after} {
		for _, c := range strings.Fields(part) {
			c, _, _ = strings.Cut(c, "=")
			out = append(out, strings.TrimSuffix(c, "!"))
		}
	}
	return out
}

// logText writes what a log file holds, line by line.
func (s *simOrg) logText(w io.Writer, l *simLog) {
	k := &simEvents[l.kind]
	names := k.header()
	var b []byte
	line := func(value func(name string) string) {
		b = b[:0]
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, '"'), strings.ReplaceAll(value(name), `"`, `""`)...), '"')
		}
		_, _ = w.Write(append(b, '\n'))
	}
	line(func(name string) string { return name })
	row, fixed := map[string]string{}, k.fixed()
	for _, i := range l.lines {
		clear(row)
		s.line(row, int(i), k, fixed)
		line(func(name string) string { return row[name] })
	}
}

// simLength counts what is written.
type simLength int

func (n *simLength) Write(b []byte) (int, error) {
	*n += simLength(len(b))
	return len(b), nil
}

// logFile is GET of a log file.
func (s *simOrg) logFile(c *simCall, id string) {
	l := s.logBy(id)
	if l == nil || !s.sees(c, "EventLogFile") {
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return
	}
	c.w.Header().Set("Content-Type", "text/csv")
	if !strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		s.logText(c.w, l)
		return
	}
	c.w.Header().Set("Content-Encoding", "gzip")
	z := &simGzip{w: c.w}
	_, _ = c.w.Write([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	s.logText(z, l)
	z.block(true)
	_, _ = c.w.Write(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, z.sum), z.n))
}

// simGzip writes the blocks of a gzip file as they are: a packer takes nearly a megabyte.
type simGzip struct {
	w      io.Writer
	b      []byte
	sum, n uint32
}

func (z *simGzip) Write(b []byte) (int, error) {
	if len(z.b)+len(b) > simPiece {
		z.block(false)
	}
	z.b, z.sum, z.n = append(z.b, b...), crc32.Update(z.sum, crc32.IEEETable, b), z.n+uint32(len(b))
	return len(b), nil
}

// block writes what there is, which is less than 64 KiB.
func (z *simGzip) block(last bool) {
	head := [5]byte{}
	if last {
		head[0] = 1
	}
	binary.LittleEndian.PutUint16(head[1:], uint16(len(z.b)))
	binary.LittleEndian.PutUint16(head[3:], ^uint16(len(z.b)))
	_, _ = z.w.Write(head[:])
	_, _ = z.w.Write(z.b)
	z.b = z.b[:0]
}

// fixed are the columns of a type of events whose values are always the same; those of free text have "!".
func (k *simEvent) fixed() map[string]string {
	out := map[string]string{}
	for _, c := range strings.Fields(strings.ReplaceAll(k.columns, "|", " ")) {
		name, v, _ := strings.Cut(c, "=")
		if strings.HasSuffix(name, "!") {
			name, v = strings.TrimSuffix(name, "!"), "!"
		}
		out[name] = v
	}
	return out
}

// line fills row with event i as a log file has it, by column.
func (s *simOrg) line(row map[string]string, i int, k *simEvent, fixed map[string]string) {
	if s.replayed != nil {
		for name, v := range s.replayed[i] {
			if text, ok := v.(string); ok {
				row[name] = text
			}
		}
		row["TIMESTAMP_DERIVED"] = s.feed.At(i).UTC().Format("2006-01-02T15:04:05.000Z")
		return
	}
	_, rnd := s.kind(i)
	var login simRow
	if k.file == "Login" {
		_, again := s.kind(i)
		login = s.loginRow(nil, i, again)
	}
	note := s.note(i, sim.NewRand(s.o.Seed, 13, uint64(i)))
	for name, v := range fixed {
		if v == "!" {
			v = "Nightly; \"quoted\"\n" + note
		}
		row[name] = v
	}
	id, who := s.actor(rnd)
	at := s.feed.At(i).UTC()
	// two rows of one request
	request := string(sim.NewRand(s.o.Seed, 14, uint64(i/2)).Name([]byte("4"), 21))
	for name, v := range map[string]string{"EVENT_TYPE": k.file, "TIMESTAMP": at.Format("20060102150405.000"), "REQUEST_ID": request,
		"ORGANIZATION_ID": s.org[:15], "USER_ID": id[:15], "USER_ID_DERIVED": id, "RUN_TIME": itoa(rnd.N(900)), "CPU_TIME": itoa(rnd.N(200)),
		"URI": "/services/data", "SESSION_KEY": string(rnd.Name(nil, 16)), "LOGIN_KEY": string(rnd.Name(nil, 16)),
		"TIMESTAMP_DERIVED": at.Format("2006-01-02T15:04:05.000Z"), "CLIENT_IP": "203.0.113." + itoa(1+rnd.N(250))} {
		row[name] = v
	}
	s.fill(row, k, i, rnd, login, who)
}

// fill sets what is of one type of events only.
func (s *simOrg) fill(row map[string]string, k *simEvent, i int, rnd *sim.Rand, login, who simRow) {
	if k.vary != "" {
		for _, name := range []string{"TRANSACTION_TYPE", "ACTION"} {
			if _, ok := row[name]; ok {
				row[name] = sim.Pick(rnd, strings.Split(k.vary, ","))
			}
		}
	}
	switch k.file {
	case "Login":
		row["USER_NAME"], row["SOURCE_IP"], row["CLIENT_IP"] = who["Username"].(string), login["SourceIp"].(string), login["SourceIp"].(string)
		row["LOGIN_STATUS"] = map[any]string{"Success": "LOGIN_NO_ERROR", "Invalid Password": "LOGIN_ERROR_INVALID_PASSWORD",
			"User is Frozen": "LOGIN_ERROR_USER_FROZEN", "Restricted IP": "LOGIN_ERROR_RESTRICTED_IP"}[login["Status"]]
		if s.stranger(i) {
			row["USER_ID"], row["USER_ID_DERIVED"], row["USER_NAME"] = "", "", "nobody@elsewhere.example"
			row["LOGIN_STATUS"] = "LOGIN_ERROR_INVALID_PASSWORD"
		}
	case "LoginAs":
		admin := s.people[0]
		row["DELEGATED_USER_ID"], row["DELEGATED_USER_ID_DERIVED"], row["DELEGATED_USER_NAME"] = admin[:15], admin, "admin@contoso.example"
	case "ContentTransfer", "ContentDocumentLink":
		f := s.fileEvent(i)
		doc := f["DocumentId"].(string)
		row["DOCUMENT_ID"], row["DOCUMENT_ID_DERIVED"] = doc[:15], doc
		if version := f["VersionId"].(string); k.file == "ContentTransfer" {
			row["VERSION_ID"], row["VERSION_ID_DERIVED"], row["FILE_TYPE"] = version[:15], version, f["FileType"].(string)
			action, _ := s.fileDone(i)
			row["TRANSACTION_TYPE"], row["SIZE_BYTES"] = simFileActions[action][1], itoa(f["ContentSize"].(int))
		} else {
			to := sim.Pick(rnd, s.people)
			row["SHARED_WITH_ENTITY_ID"], row["SHARED_WITH_ENTITY_ID_DERIVED"] = to[:15], to
		}
	}
}

// stranger says whether login i is of a name that nobody has: only log files have it.
func (s *simOrg) stranger(i int) bool { return i > 0 && sim.Hash(s.o.Seed, 15, uint64(i))%12 == 0 }
