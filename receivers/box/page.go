package box

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// place is where a listing by markers goes on. A marker that comes again is found with one marker of before, which is
// replaced after 1, 2, 4, 8 … pages.
type place struct {
	Marker string `json:"marker,omitempty"`
	Past   string `json:"past,omitempty"`
	Pages  int    `json:"pages,omitempty"`
}

// move goes to the page that follows.
func (p *place) move(next string) error {
	if next == p.Marker || next == p.Past {
		return &saas.Error{Outcome: saas.Invalid, Msg: fmt.Sprintf("the marker %.200q came before: the listing would never end", next)}
	}
	if p.Pages++; p.Pages&(p.Pages-1) == 0 {
		p.Past = next
	}
	p.Marker = next
	return nil
}

// on is the request of the page.
func (p *place) on(q saas.Req) saas.Req {
	if p.Marker != "" {
		sep := "?"
		if strings.Contains(q.URL, "?") {
			sep = "&"
		}
		q.URL += sep + "marker=" + url.QueryEscape(p.Marker)
	}
	return q
}

// page reads the rows of one page, which live until they are dropped, and the marker of the next.
func page(ctx context.Context, d saas.Doer, q saas.Req) (rows []json.RawMessage, next string, err error) {
	p, err := d.Do(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for row, err := range p.JSON("entries") {
		if err != nil {
			return nil, "", err
		}
		rows = append(rows, row)
	}
	return rows, p.Field("next_marker"), nil
}

// marked calls each for the rows of a short list.
func marked(ctx context.Context, d saas.Doer, q saas.Req, each func(json.RawMessage)) error {
	for at := (place{}); ; {
		rows, next, err := page(ctx, d, at.on(q))
		if err != nil {
			return err
		}
		for _, row := range rows {
			each(row)
		}
		if next == "" {
			return nil
		}
		if err := at.move(next); err != nil {
			return err
		}
	}
}

// list reads a whole collection by markers and resumes at the page it was cut at. each may emit a row, or not.
func list(first func(*saas.Run) saas.Req, each func(*saas.Run, json.RawMessage) error) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		var at place
		r.Mark(&at)
		for {
			rows, next, err := page(ctx, r, at.on(first(r)))
			if err != nil {
				return err
			}
			for _, row := range rows {
				if err := each(r, row); err != nil {
					return err
				}
			}
			if next == "" {
				r.Done()
				return r.Commit(nil)
			}
			if err := at.move(next); err != nil {
				return err
			}
			if err := r.Commit(at); err != nil {
				return err
			}
		}
	}
}
