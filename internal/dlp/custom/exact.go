package custom

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
)

// exact is a detector of rows of a table.
type exact struct {
	*table
	of       int
	needs    int // secondary values
	distance int
}

// newExact opens the tables of some detectors.
func newExact(all []Detector) ([]exact, error) {
	var out []exact
	for i := range all {
		x := all[i].ExactMatch
		if x == nil {
			continue
		}
		key, err := keyOf(string(x.Key), x.KeyFile)
		var t *table
		if err == nil {
			t, err = openTable(x.File, key)
		}
		if err != nil {
			return nil, fmt.Errorf("detector %q: exact_match: %w", all[i].ID, err)
		}
		e := exact{t, i, min(1, len(t.Secondary)), defaultReach}
		if x.MinSecondary != nil {
			e.needs = *x.MinSecondary
		}
		if e.needs > len(t.Secondary) {
			return nil, fmt.Errorf("detector %q: exact_match: min_secondary: %d: %s has %d", all[i].ID, e.needs, x.File, len(t.Secondary))
		}
		if x.Distance > 0 {
			e.distance = x.Distance
		}
		out = append(out, e)
	}
	return out, nil
}

// token is a word of a text.
type token struct {
	start, end int // in the text
	at         int // of what is compared
	class      uint8
	glued      bool // it may go on the one before: a few characters stand between, and no end of a line
}

// tokens are the words of a text, one after the other as they are compared.
type tokens struct {
	all  []token
	text []byte
}

const maxGap = 3 // bytes between words of a value

// read reads those that begin in text[from:to].
func (t *tokens) read(text []byte, from, to int) {
	t.all, t.text = t.all[:0], t.text[:0]
	in, last := false, from
	for i := from; i < len(text) && (i < to || in); {
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRune(text[i:])
		}
		word, _ := dlp.WordRune(c)
		if word {
			if !in {
				gap := text[last:i]
				t.all = append(t.all, token{start: i, at: len(t.text), glued: len(t.all) > 0 && len(gap) <= maxGap && !hasLine(gap)})
			}
			n := len(t.text)
			t.text = dlp.FoldRune(t.text, c)
			now := &t.all[len(t.all)-1]
			now.class |= classOf(t.text[n:])
			now.end, last = i+size, i+size
		}
		in = word
		i += size
	}
}

func hasLine(b []byte) bool {
	for _, c := range b {
		if c == '\n' {
			return true
		}
	}
	return false
}

// run is n words from i: as they are compared, and their class. ok: they may be one value.
func (t *tokens) run(i, n int) (v []byte, class uint8, ok bool) {
	if i+n > len(t.all) {
		return nil, 0, false
	}
	for k := i; k < i+n; k++ {
		if k > i && !t.all[k].glued {
			return nil, 0, false
		}
		class |= t.all[k].class
	}
	end := len(t.text)
	if i+n < len(t.all) {
		end = t.all[i+n].at
	}
	v = t.text[t.all[i].at:end]
	return v, class, len(v) > 0 && len(v) <= maxValue
}

// search looks for the rows of a table in a text. maxWork bounds the hashes of secondary values in a stretch of text: a text
// that repeats primary values for no reason costs no more.
type search struct {
	exact
	hash *hasher
	text []byte
	tokens
	room []byte
	work int
}

const maxWork = 1 << 18

// exacts adds what stands in a text. loose: the primary value alone is enough.
func (m *matcher) exacts(p *dlp.Passage, loose bool) {
	for k := range m.set.exact {
		for len(m.searches) <= k {
			m.searches = append(m.searches, search{exact: m.set.exact[len(m.searches)], hash: newHasher(m.set.exact[len(m.searches)].key)})
		}
		s := &m.searches[k]
		s.text = p.Text
		for from := 0; from < len(p.Text); {
			to := cut(p.Text, from)
			margin := utf8.UTFMax*s.distance + maxOver
			s.read(p.Text, max(0, from-margin), min(len(p.Text), to+margin))
			s.work = 0
			m.rows(s, from, to, loose)
			from = to
		}
		s.text = nil
	}
}

// rows adds the rows whose primary value begins in [from, to).
func (m *matcher) rows(s *search, from, to int, loose bool) {
	for i := range s.all {
		if s.all[i].start < from || s.all[i].start >= to {
			continue
		}
		for p := range s.Primary {
			for n := 1; n <= s.Primary[p].Tokens; n++ {
				v, class, ok := s.run(i, n)
				if !ok {
					break
				}
				if len(v) < minPrimary || !s.Primary[p].may(class, len(v)) {
					continue
				}
				hash, key := s.hash.primary(p, v)
				var rows []byte
				if rows, s.room = s.table.rows(p, hash, s.room); len(rows) == 0 {
					continue
				}
				found := s.near(rows, key, i, n)
				if found < s.needs && !loose {
					continue
				}
				m.out = append(m.out, dlp.Match{Of: s.of, Start: s.all[i].start, End: s.all[i+n-1].end, Confidence: m.set.confidence[s.of],
					Proof: dlp.Proof{Check: fmt.Sprintf("row of a table, %d of %d other columns", found, len(s.Secondary))}})
			}
		}
	}
}

// near is how many secondary values of a row stand within the distance of n words from i: the most, if there are several rows.
func (s *search) near(rows, key []byte, i, n int) (most int) {
	var own [32]byte
	key = own[:copy(own[:], key)] // the hasher's room is used again
	for ; len(rows) > 0; rows = rows[s.width:] {
		most = max(most, s.row(rows[keyBytes:s.width], key, i, n))
	}
	return most
}

// row looks for the values of one row, the nearest first.
func (s *search) row(cells, key []byte, i, n int) (found int) {
	var seen [maxColumns]bool
	start, end := s.all[i].start, s.all[i+n-1].end
	before, behind := i-1, i+n
	for (before >= 0 || behind < len(s.all)) && found < len(s.Secondary) && s.work < maxWork {
		if before >= 0 {
			if between(s.text, s.all[before].end, start, s.distance) > s.distance {
				before = -1
			} else {
				found += s.at(before, i, cells, key, &seen)
				before--
			}
		}
		if behind < len(s.all) {
			if between(s.text, end, s.all[behind].start, s.distance) > s.distance {
				behind = len(s.all)
			} else {
				found += s.at(behind, len(s.all), cells, key, &seen)
				behind++
			}
		}
	}
	return found
}

// at is how many secondary values that were not seen before begin with the word at k and end before that at limit.
func (s *search) at(k, limit int, cells, key []byte, seen *[maxColumns]bool) (found int) {
	for c := range s.Secondary {
		col := &s.Secondary[c]
		cell := binary.BigEndian.Uint32(cells[colBytes*c:])
		for n := 1; n <= col.Tokens && k+n <= limit && cell != 0 && !seen[c]; n++ {
			v, class, ok := s.run(k, n)
			if !ok {
				break
			}
			if !col.may(class, len(v)) {
				continue
			}
			if s.work++; s.hash.secondary(key, c, v) == cell {
				seen[c] = true
				found++
			}
		}
	}
	return found
}
