package store

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/longshore-dev/longshore/internal/event"
)

// Words are cut here and not by SQLite: while it writes, and each once for a record, for its index keeps no places. They are runs of
// letters and digits, in lower case and without accents.

// wordBytes says which bytes of ASCII belong to a word, and gives them in lower case; others are 0.
var wordBytes = func() (t [utf8.RuneSelf]byte) {
	for c := range byte(utf8.RuneSelf) {
		if c >= '0' && c <= '9' || lowerByte(c) >= 'a' && lowerByte(c) <= 'z' {
			t[c] = lowerByte(c)
		}
	}
	return t
}()

// nextWord appends the next word of a text to dst and says where it goes on, -1 when there is none. The text is plain, as plain
// makes it.
func nextWord(dst []byte, text string, i int) ([]byte, int) {
	start := len(dst)
	for i < len(text) {
		if c := text[i]; c < utf8.RuneSelf {
			i++
			if w := wordBytes[c]; w != 0 {
				dst = append(dst, w)
			} else if len(dst) > start {
				return dst, i
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Co, r):
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		case unicode.Is(unicode.Mn, r): // an accent
		case len(dst) > start:
			return dst, i
		}
	}
	if len(dst) > start {
		return dst, i
	}
	return dst, -1
}

// plain takes accented letters apart.
func plain(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return norm.NFD.String(text)
		}
	}
	return text
}

// wordsOf are the words of a text in their order.
func wordsOf(text string) []string {
	var out []string
	text = plain(text)
	for i := 0; ; {
		var w []byte
		if w, i = nextWord(nil, text, i); i < 0 {
			return out
		}
		out = append(out, string(w))
	}
}

// wordSet knows the words that a record has already; beyond its size it forgets.
type wordSet struct {
	slots [512]struct{ record, start, end uint32 }
	now   uint32 // the record
}

// add appends the words of a text that the record has not yet, each with a blank behind it.
func (s *wordSet) add(dst []byte, text string) []byte {
	text = plain(text)
	for i := 0; ; {
		start := len(dst)
		if dst, i = nextWord(dst, text, i); i < 0 {
			return dst
		}
		if s.has(dst, start) {
			dst = dst[:start]
			continue
		}
		dst = append(dst, ' ')
	}
}

// has tells whether the word that begins at start is there already, and remembers it.
func (s *wordSet) has(dst []byte, start int) bool {
	h := uint32(2166136261)
	for _, c := range dst[start:] {
		h = (h ^ uint32(c)) * 16777619
	}
	for probe := range uint32(4) {
		slot := &s.slots[(h>>8+probe)%uint32(len(s.slots))]
		if slot.record != s.now {
			slot.record, slot.start, slot.end = s.now, uint32(start), uint32(len(dst))
			return false
		}
		if bytes.Equal(dst[slot.start:slot.end], dst[start:]) {
			return true
		}
	}
	return false
}

// hasPhrase tells whether a value of a document, other than the raw object, holds the words one after the other; the last may be the
// beginning of one.
func hasPhrase(raw json.RawMessage, phrase []string, prefix, top bool) bool {
	switch {
	case len(raw) == 0:
		return false
	case raw[0] == '[':
		for e := range event.Elems(raw) {
			if hasPhrase(bytes.TrimSpace(e), phrase, prefix, false) {
				return true
			}
		}
		return false
	case raw[0] == '{':
		for key, val := range event.Members(raw) {
			val = bytes.TrimSpace(val)
			if top && key == "event" {
				if eventHasPhrase(val, phrase, prefix) {
					return true
				}
				continue
			}
			if hasPhrase(val, phrase, prefix, false) {
				return true
			}
		}
		return false
	}
	return follows(wordsOf(scalar(raw)), phrase, prefix)
}

func eventHasPhrase(raw json.RawMessage, phrase []string, prefix bool) bool {
	for key, val := range event.Members(raw) {
		if key != "original" && hasPhrase(bytes.TrimSpace(val), phrase, prefix, false) {
			return true
		}
	}
	return false
}

// follows tells whether the words of a phrase stand somewhere in a text.
func follows(text, phrase []string, prefix bool) bool {
	for i := 0; i+len(phrase) <= len(text); i++ {
		for j, w := range phrase {
			if text[i+j] != w && !(prefix && j == len(phrase)-1 && strings.HasPrefix(text[i+j], w)) {
				break
			}
			if j == len(phrase)-1 {
				return true
			}
		}
	}
	return false
}
