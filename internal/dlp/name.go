package dlp

import (
	"bytes"
	"strings"
)

// Gives says whether a text that is no content, the name of a file that holds values of some types, may show one of them or
// anything like a value: of these types as if the keyword stood beside it, and an address only if its type is among them. It
// knows no values, so that it says the same of a file whose values are long forgotten. A pattern of the user's own that wants what
// a name leaves out, as a hyphen, does not know the value there.
func (s *Scanner) Gives(text string, among []string) bool {
	var of kinds
	for _, id := range among {
		for kind := range table {
			if table[kind].ID == id {
				of.add(uint8(kind))
			}
		}
	}
	if of.has(email) && strings.Contains(text, "@") {
		return true
	}
	own, open := s.tally.pattern(), loose(text, false)
	forms := [][]byte{[]byte(text), open, bytes.ToUpper(open), loose(text, true)}
	for _, list := range s.set.openings.lists { // behind another word and an underscore
		for _, o := range list {
			if i := strings.Index(text, o.text); i > 0 && len(o.text) > 2 {
				forms = append(forms, []byte(text[i:]))
			}
		}
	}
	for _, form := range forms {
		if s.custom != nil && s.custom.m.Shows(form, among) {
			return true
		}
		own.field.named("")
		own.field.known, own.field.words = true, of
		if len(own.scan(form)) > 0 {
			return true
		}
	}
	return false
}

// loose puts a space for what joins words in names and paths, but for what stands between digits, and between letters and
// digits too if apart: of_AKIA…, scan-536904399.pdf, id42.
func loose(text string, apart bool) []byte {
	out := make([]byte, 0, 2*len(text))
	for i := range len(text) {
		c := text[i]
		was, next := byte(0), byte(0)
		if i > 0 {
			was = class[text[i-1]]
		}
		if i+1 < len(text) {
			next = class[text[i+1]]
		}
		switch is := class[c]; {
		case c == '_', is == 0 && c < 0x80 && was&next&digit == 0:
			c = ' '
		case apart && (was|is)&letter != 0 && (was == digit || is == digit):
			out = append(out, ' ')
		}
		out = append(out, c)
	}
	return out
}
