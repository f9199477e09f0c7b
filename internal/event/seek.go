package event

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Bounds of what is kept of the members beside the list.
const (
	maxMember  = 64 << 10
	maxMembers = 256
)

// member is a value that stands beside the list, copied out of the page.
type member struct {
	depth int    // of the enclosing object, 1 is the outermost
	name  string // with the names of the enclosing members
	key   string
	raw   json.RawMessage
}

type members []member

// seek goes to the first row, or after the last one to the end.
func (s *Splitter) seek() error {
	if !s.begun {
		s.begun = true
		if err := s.begin(); err != nil || s.rows {
			return err
		}
	}
	for s.open > 0 {
		c, err := s.peek()
		switch {
		case err != nil:
			return err
		case c == '}':
			s.pos++
			s.open--
			s.first = false
			continue
		case s.first:
			s.first = false
		case c != ',':
			return s.unexpected("a comma or }")
		default:
			s.pos++
			if _, err = s.peek(); err != nil {
				return err
			}
		}
		if err := s.member(); err != nil || s.rows {
			return err
		}
	}
	return s.end()
}

// begin looks at the outermost value.
func (s *Splitter) begin() error {
	if _, err := s.peek(); err != nil {
		return err
	}
	if s.b[s.pos] == 0xef && len(s.b)-s.pos >= 3 && string(s.b[s.pos:s.pos+3]) == "\ufeff" {
		s.pos += 3
	}
	return s.found()
}

// found looks at the value that the first s.open steps of the path lead to.
func (s *Splitter) found() error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	last := s.open == len(s.path)
	switch {
	case c == '[' && last:
		s.pos++
		s.rows, s.first = true, true
	case c == '{' && !last:
		s.pos++
		s.open, s.first = s.open+1, true
	case c == '{' && s.o.Single:
		s.rows, s.single = true, true
	case c == 'n':
		_, err = s.value()
	default:
		at, off := strings.Join(s.path[:s.open], "."), s.off+int64(s.pos)
		if _, err = s.value(); err != nil {
			return err
		}
		if at == "" {
			at = "the top"
		}
		want := "a list"
		if !last {
			want = "an object"
		}
		err = fmt.Errorf("found %s at offset %d where %s should be: %s", kindOf(c), off, want, at)
	}
	return err
}

func kindOf(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}

// member reads one member of the innermost enclosing object.
func (s *Splitter) member() error {
	if s.b[s.pos] != '"' {
		return s.unexpected("a name in quotes")
	}
	raw, err := s.value()
	if err != nil {
		return err
	}
	key, _ := text(raw)
	key = strings.Clone(strings.ToValidUTF8(key, "\ufffd"))
	if c, err := s.peek(); err != nil {
		return err
	} else if c != ':' {
		return s.unexpected("a colon")
	}
	s.pos++
	if _, err := s.peek(); err != nil {
		return err
	}
	if strings.EqualFold(key, s.path[s.open-1]) {
		return s.found()
	}
	if raw, err = s.value(); err != nil {
		return err
	}
	if len(raw) <= maxMember && len(s.others) < maxMembers && raw[0] != '[' {
		name := strings.Join(append(s.path[:s.open-1:s.open-1], key), ".")
		s.others = append(s.others, member{s.open, name, key, json.RawMessage(strings.Clone(string(raw)))})
	}
	return nil
}

// Field gives a scalar member beside the list: by its names from the top joined by dots ("paging.next"), or by its own
// name alone, the innermost first. It is complete when Next has returned io.EOF.
func (s *Splitter) Field(name string) (string, bool) {
	for i := len(s.others) - 1; i >= 0; i-- {
		if m := &s.others[i]; m.name == name {
			if val, ok := text(m.raw); ok {
				return val, true
			}
		}
	}
	best, found := "", 0
	for i := range s.others {
		m := &s.others[i]
		for _, known := range []string{m.name, m.key} {
			rest, ok := strings.CutPrefix(name, known)
			if !ok || m.depth < found {
				continue
			}
			if val, ok := inside(m.raw, rest); ok {
				best, found = val, m.depth
			}
		}
	}
	return best, found > 0
}

// inside finds a scalar in raw: rest is "" or a dot and the names below.
func inside(raw json.RawMessage, rest string) (val string, ok bool) {
	if rest == "" {
		return text(raw)
	}
	if rest[0] != '.' {
		return "", false
	}
	for key, raw := range Members(raw) {
		if below, isPrefix := strings.CutPrefix(rest[1:], key); isPrefix && (below == "" || below[0] == '.') {
			if v, found := inside(raw, below); found {
				val, ok = v, true
			}
		}
	}
	return val, ok
}

// end checks that nothing follows.
func (s *Splitter) end() error {
	for {
		if s.pos = space(s.b, s.pos); s.pos < len(s.b) {
			return s.unexpected("the end")
		}
		if s.in != nil {
			return s.in
		}
		s.size = 512
		if err := s.more(); err != nil {
			return err
		}
	}
}
