package extract

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp/label"
)

const (
	kindBox  = "application/mbox"
	maxMarks = 50 // parts in parts
)

// mail is a message being read, or a box of them.
type mail struct {
	x     *run
	f     file
	l     *mailLines
	t     tally
	names *flow // of attachments
}

// readMail reads a message (RFC 5322 and MIME), or a box of them (RFC 4155): its headers, each in a field of its name, and every
// part as the file that it is.
func (x *run) readMail(r *bufio.Reader, f file, form form) (status, error) {
	if err := x.below(f); err != nil {
		return settle(form.kind, false, err)
	}
	if f.depth == 0 {
		head, _ := r.Peek(sample) // as much as there is
		x.labels = label.Mail(head)
	}
	was := x.text
	m := mail{x: x, f: f, l: &mailLines{r: r, stop: atNone}, names: x.names(f)}
	var err error
	if head, _ := r.Peek(5); string(head) == "From " {
		form.kind = kindBox
		err = m.box()
	} else {
		err = m.message(f.where)
	}
	if end := m.names.close(); err == nil || errors.As(end, new(halt)) {
		err = end
	}
	if errors.As(err, new(flaw)) {
		st, _ := settle("", true, err)
		m.t.add(st)
		err = nil
	}
	st := m.t.status(form.kind)
	if st.outcome == NotScanned && x.text > was {
		st.outcome = Partial // its headers were read
	}
	return st, err
}

// box reads messages that begin with a line with From.
func (m *mail) box() error {
	if _, err := m.l.next(); err != nil {
		return err
	}
	m.l.box = true
	for n := 1; ; n++ {
		if err := m.x.enter(); err != nil {
			return err
		}
		if err := m.message(inside(m.f.where, "message "+strconv.Itoa(n))); err != nil {
			return err
		}
		if m.l.stop != atBox {
			return nil
		}
		m.l.stop, m.l.marks = atNone, m.l.marks[:0]
	}
}

// message reads the headers and what follows, up to the end or the next message.
func (m *mail) message(where string) error {
	heads, err := m.l.headers()
	w := m.x.flow(file{where: where}, "")
	w.lined = true
	for _, h := range heads {
		w.mark(h.name, false, h.line)
		if err == nil {
			err = w.writeLine([]byte(decoded(h.value)))
		}
	}
	if end := w.close(); err == nil || errors.As(end, new(halt)) {
		err = end
	}
	if err != nil {
		return err
	}
	return m.part(heads, where, "")
}

// part reads a part. number: that of MIME, 1.2, or "".
func (m *mail) part(heads []header, where, number string) error {
	content := mediaOf(headerOf(heads, "Content-Type"))
	mark := content.param("boundary")
	switch {
	case content.kind == "multipart/encrypted":
		m.t.add(status{outcome: Encrypted})
		return m.pass()
	case !strings.HasPrefix(content.kind, "multipart/") || mark == "":
		return m.leaf(heads, content, where, number)
	case len(m.l.marks) >= maxMarks:
		return flawf("parts below %d others, the limit of mail", maxMarks)
	}
	l, mine := m.l, len(m.l.marks)
	l.marks = append(l.marks, []byte(mark))
	if err := m.beside(where); err != nil {
		return err
	}
	for n := 1; l.stop == mine && !l.close; n++ {
		l.stop = atNone
		heads, err := l.headers()
		if err == nil {
			err = m.part(heads, where, strings.TrimPrefix(number+"."+strconv.Itoa(n), "."))
		}
		if err != nil {
			return err
		}
	}
	l.marks = l.marks[:mine]
	switch l.stop {
	case atNone:
		m.t.add(status{outcome: Partial, reason: "damaged: it ends before its last part does"})
	case mine:
		l.stop = atNone
		return m.beside(where)
	}
	return nil
}

// pass leaves out what follows up to a mark.
func (m *mail) pass() error {
	for {
		if _, err := m.l.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// beside reads the text that stands beside the parts.
func (m *mail) beside(where string) error {
	w := m.x.flow(file{where: where}, "")
	w.at = func(int) string { return "beside the parts" }
	for {
		b, err := m.l.next()
		if err == nil && len(bytes.TrimSpace(b)) > 0 {
			err = w.write([]byte(text(b)))
		}
		if err != nil {
			end := w.close()
			if errors.Is(err, io.EOF) {
				return end
			}
			return err
		}
	}
}

// leaf reads a part that has no parts.
func (m *mail) leaf(heads []header, content media, where, number string) error {
	if err := m.x.enter(); err != nil {
		return err
	}
	put := mediaOf(headerOf(heads, "Content-Disposition"))
	name := put.param("filename")
	if name == "" {
		name = content.param("name")
	}
	place := "body"
	switch {
	case name != "":
		place = base(name)
		if err := m.names.writeLine([]byte(name)); err != nil {
			return err
		}
	case number != "":
		place = "part " + number
	}
	f := file{name: base(name), size: -1, where: inside(where, place), depth: m.f.depth + 1}
	st, err := m.content(&body{l: m.l}, headerOf(heads, "Content-Transfer-Encoding"), content, name != "" || put.kind == "attachment", f)
	m.t.add(st)
	if err != nil {
		return err
	}
	return m.pass()
}

// content reads what a part holds.
func (m *mail) content(in io.Reader, coding string, content media, attached bool, f file) (status, error) {
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "base64":
		r := buffered(in)
		defer giveBack(r)
		in = &base64Reader{r: r}
	case "quoted-printable":
		r := buffered(in)
		defer giveBack(r)
		in = &quotedReader{r}
	}
	switch kind := content.kind; {
	case kind == "message/rfc822", kind == "message/global", kind == "message/news":
		r := buffered(in)
		defer giveBack(r)
		return m.x.readMail(r, f, form{kind: kindMail})
	case strings.HasSuffix(kind, "pkcs7-mime") && content.params["smime-type"] != "signed-data" &&
		content.params["smime-type"] != "certs-only":
		return status{outcome: Encrypted}, nil
	case strings.HasPrefix(kind, "text/"):
		in = recoded(in, charset(content.param("charset")))
		if kind == "text/html" && !attached {
			r := buffered(in)
			defer giveBack(r)
			return m.x.readHTML(r, f, form{kind: kindHTML})
		}
	}
	return m.x.file(in, f)
}
