package elasticsearch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// textLimit bounds a text that is kept of an answer.
	textLimit = 1 << 10
	// depthLimit bounds how deep values in an answer may lie.
	depthLimit = 64
)

var errDeep = errors.New("values lie too deep")

// outcome is what the server says about one operation.
type outcome struct {
	status      int
	typ, reason string
}

// answer reads the answer to a bulk request as it arrives; it keeps one outcome at a time.
type answer struct {
	in   *bufio.Reader
	text []byte
	deep int
	each func(outcome)
	seen int
	most int
}

var answers = sync.Pool{New: func() any { return &answer{in: bufio.NewReaderSize(nil, 16<<10)} }}

// readAnswer calls each for the outcomes of want operations, in their order, and says how many there were. What comes before
// an error counts: each outcome is final.
func readAnswer(r io.Reader, want int, each func(outcome)) (seen int, err error) {
	a, _ := answers.Get().(*answer)
	defer answers.Put(a)
	a.in.Reset(r)
	a.deep, a.seen, a.most, a.each = 0, 0, want, each
	err = a.members('{', func(key string) error {
		if key == "items" {
			return a.list(a.item)
		}
		return a.skip()
	})
	a.each = nil
	a.in.Reset(nil)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && a.seen != want {
		err = fmt.Errorf("%d outcomes for %d operations", a.seen, want)
	}
	return a.seen, err
}

// item reads {"create":{"status":201}}.
func (a *answer) item() error {
	if a.seen == a.most {
		return fmt.Errorf("more outcomes than %d operations", a.most)
	}
	var o outcome
	err := a.members('{', func(string) error {
		return a.members('{', func(key string) (err error) {
			switch key {
			case "status":
				o.status, err = a.number()
			case "error":
				o.typ, o.reason, err = a.cause()
			default:
				err = a.skip()
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	a.seen++
	a.each(o)
	return nil
}

// cause reads why an operation failed: an object or, from old servers, a text.
func (a *answer) cause() (typ, reason string, err error) {
	c, err := a.peek()
	if err != nil {
		return "", "", err
	}
	if c != '{' {
		reason, err = a.scalar()
		return "", reason, err
	}
	var below string
	err = a.members('{', func(key string) (err error) {
		switch key {
		case "type":
			typ, err = a.scalar()
		case "reason":
			reason, err = a.scalar()
		case "caused_by":
			_, below, err = a.cause()
		default:
			err = a.skip()
		}
		return err
	})
	if below != "" {
		reason += ": " + below
	}
	if len(reason) > 4*textLimit {
		reason = reason[:4*textLimit]
	}
	return typ, reason, err
}

// members reads an object, and calls each where a member's value begins.
func (a *answer) members(open byte, each func(key string) error) error {
	return a.inside(open, '}', func() error {
		if err := a.expect('"'); err != nil {
			return err
		}
		if err := a.str(); err != nil {
			return err
		}
		key := string(a.text)
		if err := a.expect(':'); err != nil {
			return err
		}
		return each(key)
	})
}

func (a *answer) list(each func() error) error { return a.inside('[', ']', each) }

// inside reads what stands between brackets, parted by commas.
func (a *answer) inside(open, shut byte, each func() error) error {
	if a.deep++; a.deep > depthLimit {
		return errDeep
	}
	defer func() { a.deep-- }()
	if err := a.expect(open); err != nil {
		return err
	}
	c, err := a.peek()
	if err != nil {
		return err
	}
	for c != shut {
		if err := each(); err != nil {
			return err
		}
		if c, err = a.peek(); err != nil {
			return err
		}
		if c == shut {
			break
		}
		if err := a.expect(','); err != nil {
			return err
		}
	}
	_, err = a.in.ReadByte()
	return err
}

// skip passes over a value.
func (a *answer) skip() error {
	c, err := a.peek()
	switch {
	case err != nil:
		return err
	case c == '{':
		return a.members('{', func(string) error { return a.skip() })
	case c == '[':
		return a.list(a.skip)
	}
	_, err = a.scalar()
	return err
}

// scalar reads a text, or another value's own spelling; an object or a list is passed over.
func (a *answer) scalar() (string, error) {
	c, err := a.peek()
	switch {
	case err != nil:
		return "", err
	case c == '{' || c == '[':
		return "", a.skip()
	case c == '"':
		_, _ = a.in.ReadByte()
		err = a.str()
		return string(a.text), err
	}
	return a.word()
}

// word reads a number, true, false or null.
func (a *answer) word() (string, error) {
	a.text = a.text[:0]
	for {
		c, err := a.in.ReadByte()
		if err != nil {
			return "", err
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'E' {
			if len(a.text) == 64 {
				return "", errors.New("a number has no end")
			}
			a.text = append(a.text, c)
			continue
		}
		if len(a.text) == 0 {
			return "", fmt.Errorf("unexpected %q", c)
		}
		return string(a.text), a.in.UnreadByte()
	}
}

// number reads a status.
func (a *answer) number() (int, error) {
	word, err := a.scalar()
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 100 || n > 599 {
		return 0, fmt.Errorf("status %.20q", word)
	}
	return n, nil
}

// str reads a text whose quote was read; what is longer than textLimit is cut.
func (a *answer) str() error {
	a.text = a.text[:0]
	for {
		c, err := a.in.ReadByte()
		if err != nil {
			return err
		}
		switch c {
		case '"':
			return nil
		case '\\':
			r, err := a.escape()
			if err != nil {
				return err
			}
			if len(a.text) < textLimit {
				a.text = utf8.AppendRune(a.text, r)
			}
		default:
			if len(a.text) < textLimit {
				a.text = append(a.text, c)
			}
		}
	}
}

func (a *answer) escape() (rune, error) {
	c, err := a.in.ReadByte()
	if err != nil {
		return 0, err
	}
	switch c {
	case 'n', 'r', 't', 'b', 'f':
		return ' ', nil
	case 'u':
		r, err := a.hex()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if next, _ := a.in.Peek(2); string(next) != `\u` {
			return utf8.RuneError, nil
		}
		_, _ = a.in.Discard(2)
		low, err := a.hex()
		return utf16.DecodeRune(r, low), err
	}
	return rune(c), nil
}

func (a *answer) hex() (rune, error) {
	var digits [4]byte
	if _, err := io.ReadFull(a.in, digits[:]); err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(digits[:]), 16, 16)
	return rune(n), err
}

// peek is the next byte that is no blank.
func (a *answer) peek() (byte, error) {
	for {
		c, err := a.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c, a.in.UnreadByte()
		}
	}
}

func (a *answer) expect(want byte) error {
	c, err := a.peek()
	if err != nil {
		return err
	}
	if c != want {
		return fmt.Errorf("%q where %q belongs", c, want)
	}
	_, err = a.in.ReadByte()
	return err
}
