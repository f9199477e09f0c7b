package dlp

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// What is taken for a text in base64 (RFC 4648): all of a field or cell.
const (
	minPacked = 16
	maxPacked = 64 << 10
)

// plainly is a text with plain digits, spaces, hyphens and letters in the place of typographic ones, and without what has no width.
func (s *scanner) plainly(text []byte) []byte {
	if ascii(text) {
		return text
	}
	s.wide = extract.PlainText(s.wide[:0], text)
	return s.wide
}

// unpacked is the text that a field holds in base64; nil = it holds none. It is not looked at for a further one.
func (s *scanner) unpacked(text []byte) []byte {
	if len(text) < minPacked || len(text) > maxPacked || class[text[0]]&(digit|letter) == 0 {
		return nil
	}
	head := [6]byte{}
	if n, err := alphabet(text[:8]).Decode(head[:], text[:8]); err != nil || !printable(head[:n]) {
		return nil // most are told by their beginning
	}
	text = bytes.TrimRight(text, "=")
	out, err := alphabet(text).AppendDecode(s.packed[:0], text)
	if s.packed = out[:0]; err != nil || !utf8.Valid(out) || !printable(out) {
		return nil
	}
	return out
}

// alphabet is that of a text in base64, which it is without the padding.
func alphabet(text []byte) *base64.Encoding {
	if bytes.ContainsAny(text, "-_") {
		return base64.RawURLEncoding
	}
	return base64.RawStdEncoding
}

// printable says whether there are no control characters but those of lines.
func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// see scans what a field holds, as it is written or else in base64, and gives the text that the claims are in.
func (s *scanner) see(text []byte) ([]Claim, []byte) {
	claims := s.scan(text)
	if len(claims) == 0 {
		if out := s.unpacked(text); out != nil {
			text = s.plainly(out)
			claims = s.scan(text)
		}
	}
	return claims, text
}

// whole tells whoever looks at values that all of a field has to count as one: its value stands in another text than its own.
func (s *scanner) whole(c Claim, raw, text []byte) {
	if s.each != nil && &raw[0] != &text[0] {
		c.Start, c.End = 0, len(raw)
		s.each(raw, c)
	}
}

// cells looks at what the cells of a piece hold in base64.
func (s *Scanner) cells(p *extract.Piece) {
	for k, span := range p.Spans {
		if span.At < p.From || span.At >= p.To {
			continue
		}
		end := len(p.Text)
		if k+1 < len(p.Spans) {
			end = p.Spans[k+1].At
		}
		out := s.unpacked(bytes.Trim(p.Text[span.At:end], " ,;|\t\r\n\"'"))
		if out == nil {
			continue
		}
		s.field.named(span.Name)
		text := s.plainly(out)
		if of := s.count(s.scan(text), text); of != (placed{}) && s.tally.wants(&of) {
			s.place(&of, s.masked(p.Where(span.At)))
		}
	}
}
