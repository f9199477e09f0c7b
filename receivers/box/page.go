package box

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// place is where a listing by markers goes on.
type place struct {
	Marker string      `json:"marker,omitempty"`
	Way    saas.Circle `json:"way,omitzero"`
}

// move goes to the page that follows.
func (p *place) move(next string) error {
	if next == p.Marker || p.Way.Back(next) {
		return &saas.Error{Outcome: saas.Invalid, Msg: fmt.Sprintf("the marker %.200q came before in this listing", next)}
	}
	p.Marker = next
	return nil
}

// on is the request of the page; its URL has parameters.
func (p *place) on(q saas.Req) saas.Req {
	if p.Marker != "" {
		q.URL += "&marker=" + url.QueryEscape(p.Marker)
	}
	return q
}

const maxPage = 64 << 20 // bytes of a page whose rows are held together

// page reads the rows of one page and the marker of the next.
func page(ctx context.Context, d saas.Doer, q saas.Req) (rows []json.RawMessage, next string, err error) {
	p, err := d.Do(ctx, q)
	if err != nil {
		return nil, "", err
	}
	size := 0
	for row, err := range p.JSON("entries") {
		if size += len(row); err == nil && size > maxPage {
			err = &saas.Error{Outcome: saas.Invalid, Req: "GET " + pathOnly(q), Msg: "a page of more than 64 MiB"}
		}
		if err != nil {
			return nil, "", err
		}
		rows = append(rows, row)
	}
	return rows, p.Field("next_marker"), nil
}

func pathOnly(q saas.Req) string {
	path, _, _ := strings.Cut(q.URL, "?")
	return path
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
			return fmt.Errorf("GET %s: %w", pathOnly(q), err)
		}
	}
}
