package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
)

const (
	maxRows  = 2000 // of a page, and of a question
	leastID  = "000000000000000"
	restarts = 5 // of a window whose cursor died
)

// smallPages are for rows that are large and read from many objects at the same time.
var smallPages = map[string]string{"Sforce-Query-Options": "batchSize=500"}

// org asks for things of one org.
type org struct {
	*Config
	cred   *credential
	labels *infile.Labels
}

// at is a path of the API.
func (o *org) at(path string) string { return "/services/data/v" + o.APIVersion + path }

// query is the path of a question.
func (o *org) query(soql string) string { return o.at("/query?q=" + url.QueryEscape(soql)) }

// quote is a text in a question.
func quote(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'" }

// in are texts in a question, in brackets.
func in(texts []string) string {
	quoted := make([]string, len(texts))
	for i, s := range texts {
		quoted[i] = quote(s)
	}
	return " IN (" + strings.Join(quoted, ",") + ")"
}

// stamp is a time in a question.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// page calls each for the rows of a page and gives the path of the next; "" = there is none.
func page(ctx context.Context, d saas.Doer, path string, each func(json.RawMessage) error) (next string, err error) {
	p, err := saas.Each(ctx, d, saas.Req{URL: path}, "records", each)
	if err != nil {
		return "", err
	}
	return p.Field("nextRecordsUrl"), nil
}

// all are the rows of a short answer.
func (o *org) all(ctx context.Context, d saas.Doer, path string) (rows []json.RawMessage, err error) {
	for path != "" && err == nil {
		path, err = page(ctx, d, path, func(row json.RawMessage) error {
			rows = append(rows, row)
			return nil
		})
	}
	return rows, err
}

// set is the rows of an object.
type set struct {
	fields, from, where string
	deleted             bool                                                      // what is in the recycle bin too
	each                func(context.Context, *saas.Run, []json.RawMessage) error // emits a page; nil = as it is
}

// place is the mark of a walk: the last id that was read.
type place struct {
	Last string `json:"last"`
}

// walk reads a set in the order of its ids. Each page asks for what follows the last id: Salesforce's own cursors are few
// and die.
func (o *org) walk(s set) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		at := place{leastID}
		r.Mark(&at)
		for limit := maxRows; ; {
			n, last, more, err := o.after(ctx, r, s, at.Last, limit)
			if saas.Is(err, saas.TooMuch) && n == 0 {
				if limit /= 2; limit > 10 {
					continue
				}
				return &saas.Error{Outcome: saas.Unavailable, Err: err}
			}
			if err != nil {
				return err
			}
			if !more {
				return r.Whole(nil)
			}
			at.Last = last
			if err := r.Commit(at); err != nil {
				return err
			}
		}
	}
}

// after emits a page of the rows whose ids follow.
func (o *org) after(ctx context.Context, r *saas.Run, s set, from string, limit int) (n int, last string, more bool, err error) {
	where := "Id > " + quote(from)
	if s.where != "" {
		where = s.where + " AND " + where
	}
	path := o.query(fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY Id LIMIT %d", s.fields, s.from, where, limit))
	if s.deleted {
		path = strings.Replace(path, "/query?", "/queryAll?", 1)
	}
	var kept []json.RawMessage
	next, err := page(ctx, r, path, func(row json.RawMessage) error {
		n, last = n+1, saas.TextAt(row, "Id")
		if s.each != nil {
			kept = append(kept, row)
			return nil
		}
		return r.Emit("", row)
	})
	if err == nil && len(kept) > 0 {
		err = s.each(ctx, r, kept)
	}
	return n, last, next != "" || n == limit, err
}

// span reads the rows of a stretch of time, from the oldest. When the cursor of the answer dies, it goes on from the last row.
func (o *org) span(fields, from, column string) func(ctx context.Context, r *saas.Run, begin, end time.Time) error {
	return func(ctx context.Context, r *saas.Run, begin, end time.Time) error {
		for n := 0; ; n++ {
			q := fmt.Sprintf("SELECT %s FROM %s WHERE %s >= %s AND %[3]s < %[5]s ORDER BY %[3]s", fields, from, column, stamp(begin), stamp(end))
			err := saas.Pages(ctx, r, saas.Req{URL: o.query(q), Header: smallPages}, func(p *saas.Reply) saas.Rows {
				return saas.Sift(p.JSON("records"), func(row json.RawMessage) json.RawMessage {
					if at, ok := event.ParseTime(saas.TextAt(row, column)); ok && at.After(begin) {
						begin = at
					}
					return row
				})
			}, func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
				next := p.Field("nextRecordsUrl")
				return saas.Req{URL: next}, next != ""
			})
			switch {
			case !saas.Is(err, saas.Expired):
				return err
			case n == restarts:
				return &saas.Error{Outcome: saas.Unavailable, Err: err} // Expired would drop the mark
			}
		}
	}
}

// trail is what an object's rows are followed by: a time that many share, and the id.
type trail struct {
	fields, from, where, column string
	overlap, back               time.Duration // what is read again; how far back there are rows, 0 = nothing before now matters
	mayFail                     bool          // without it the others go on
	each                        func(r *saas.Run, row json.RawMessage) error
}

// moment is a time, and an id in it.
type moment struct {
	At   time.Time `json:"at"`
	Last string    `json:"last,omitempty"`
}

func (m moment) after(o moment) bool { return m.At.After(o.At) || m.At.Equal(o.At) && m.Last > o.Last }

// idle is how old a mark may be while there is nothing new.
const idle = time.Hour

// follow reads what follows the newest row of each trail, and again what was written within the overlap before it.
func (o *org) follow(trails ...trail) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		tops := map[string]moment{}
		r.Mark(&tops)
		var moved any // the marks, once one is another
		for _, t := range trails {
			top, known := tops[t.from]
			if !known {
				top.At = t.begin(r)
				tops[t.from], moved = top, tops
			}
			for at, more := t.again(r, top), true; more; {
				var err error
				at, more, err = o.newer(ctx, r, t, at)
				if t.mayFail && (saas.Is(err, saas.Denied) || saas.Is(err, saas.Invalid)) {
					break
				}
				if err != nil {
					return err
				}
				if read := r.Now().Add(-t.overlap); !more && read.Sub(at.At) > idle {
					at = moment{At: read}
				}
				if at.after(top) {
					top = at
					tops[t.from], moved = top, tops
				}
				if !more {
					break
				}
				if err := r.Commit(tops); err != nil {
					return err
				}
			}
		}
		return r.Commit(moved)
	}
}

func (t *trail) begin(r *saas.Run) time.Time {
	if t.back == 0 {
		return r.Now()
	}
	return r.Since()
}

// again is where to read from, so that what came late is read too.
func (t *trail) again(r *saas.Run, top moment) moment {
	oldest := r.Now().Add(-t.back)
	if t.back == 0 || !top.At.Before(oldest) {
		return moment{At: top.At.Add(-t.overlap)}
	}
	if oldest.Sub(top.At) > time.Hour { // less is the time since start_at was reckoned
		r.Gap(top.At, oldest, fmt.Sprintf("older than the %.0f days for which Salesforce keeps %s", t.back.Hours()/24, t.from))
	}
	return moment{At: oldest}
}

// newer emits a page of the rows that follow, and gives the last.
func (o *org) newer(ctx context.Context, r *saas.Run, t trail, at moment) (last moment, more bool, err error) {
	where := t.column + " >= " + stamp(at.At)
	if at.Last != "" {
		where = fmt.Sprintf("((%s = %s AND Id > %s) OR %[1]s > %[2]s)", t.column, stamp(at.At), quote(at.Last))
	}
	if t.where != "" {
		where = t.where + " AND " + where
	}
	n, last := 0, at
	q := fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY %s, Id LIMIT %d", t.fields, t.from, where, t.column, maxRows)
	next, err := page(ctx, r, o.query(q), func(row json.RawMessage) error {
		n++
		if when, ok := event.ParseTime(saas.TextAt(row, t.column)); ok {
			last = moment{when, saas.TextAt(row, "Id")}
		}
		if t.each != nil {
			return t.each(r, row)
		}
		return r.Emit("", row)
	})
	return last, (next != "" || n == maxRows) && last != at, err
}
