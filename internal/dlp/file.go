package dlp

import (
	"context"
	"io"
	"math"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// File adds what the content of a file holds. It begins a new object; Findings are then those of the file.
func (s *Scanner) File(ctx context.Context, in io.Reader, name string, size int64, lim extract.Limits) (extract.Result, error) {
	s.Reset()
	res, err := extract.Read(ctx, in, name, size, lim, s.piece)
	s.hide()
	return res, err
}

// piece adds what is a piece's own. The text around it only tells what that is.
func (s *Scanner) piece(p *extract.Piece) {
	if len(p.Text) < s.set.shortest {
		return
	}
	if p.Kind == extract.JSON {
		s.prefix = p.Where
		s.JSON(p.Text)
		s.prefix = nil
		return
	}
	s.field.named("")
	s.spans.begin(p.Spans)
	claims := s.scan(p.Text)
	s.spans.begin(nil)
	last, shown := "", ""
	for i, c := range claims {
		if c.Start < p.From || c.Start >= p.To {
			continue
		}
		kinds := s.count(claims[i:i+1], p.Text)
		if kinds == 0 || !s.tally.wants(kinds) {
			continue
		}
		if where := p.Where(c.Start); where != last || shown == "" {
			last, shown = where, s.masked(where)
		}
		s.place(kinds, shown)
	}
}

// wants says whether it is still noted where values of one of the types stand.
func (t *tally) wants(kinds uint32) bool {
	for kind := range t.found {
		if kinds>>kind&1 != 0 && len(t.found[kind].Locations) < maxLocations {
			return true
		}
	}
	return false
}

// masked is a location of which every part may be shown.
func (s *Scanner) masked(where string) string {
	var b strings.Builder
	for i, part := range strings.Split(where, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		if b.Len() > maxPath {
			b.WriteString("…")
			break
		}
		b.WriteString(s.tally.step([]byte(part)))
	}
	return b.String()
}

// hide masks the locations that show what was found only after them.
func (s *Scanner) hide() {
	for i := range s.tally.found {
		for k, where := range s.tally.found[i].Locations {
			if s.tally.shows(where) {
				s.tally.found[i].Locations[k] = "*"
			}
		}
	}
}

// spans are the fields that stretches of a text stand in.
type spans struct {
	all   []extract.Span
	next  int
	until int // where the next one begins
}

func (p *spans) begin(all []extract.Span) {
	*p = spans{all: all, until: math.MaxInt}
	if len(all) > 0 {
		p.until = all[0].At
	}
}

// enter goes to the field that holds the byte at i.
func (s *scanner) enter(i int) {
	if p := &s.spans; p.all != nil && i >= p.until {
		for p.until = math.MaxInt; p.next < len(p.all); p.next++ {
			if p.all[p.next].At > i {
				p.until = p.all[p.next].At
				break
			}
		}
		now := &p.all[p.next-1]
		s.field.named(now.Name)
		s.field.number = now.Number
	}
}
