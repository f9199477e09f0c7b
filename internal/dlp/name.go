package dlp

import (
	"bytes"
	"strings"
)

// Gives says whether a text that is no content, the name of a file that holds values of some types, may show one of them or
// anything like a value: of these types as if the keyword stood beside it, and an address only if its type is among them. It
// knows no values, so that it says the same of a file whose values are long forgotten.
func (s *Scanner) Gives(text string, among []string) bool {
	var bits uint32
	for _, id := range among {
		for kind := range types {
			if types[kind].ID == id {
				bits |= 1 << kind
			}
		}
	}
	if bits>>email&1 != 0 && strings.Contains(text, "@") {
		return true
	}
	own := s.tally.pattern()
	for _, form := range [...][]byte{[]byte(text), bytes.ToUpper([]byte(text)), apart(text)} {
		own.field.named("")
		own.field.known, own.field.words = true, bits
		if len(own.scan(form)) > 0 {
			return true
		}
	}
	return false
}

// apart puts spaces where letters or underscores meet digits, as names of files hide what they hold: scan_536904399, id42.
func apart(text string) []byte {
	out := make([]byte, 0, 2*len(text))
	for i := range len(text) {
		c := text[i]
		if c == '_' {
			c = ' '
		}
		if i > 0 && (class[c]|class[text[i-1]])&letter != 0 && (class[c] == digit || class[text[i-1]] == digit) {
			out = append(out, ' ')
		}
		out = append(out, c)
	}
	return out
}
