package extract

import (
	"bytes"
	"errors"
	"sort"
	"strconv"
	"strings"
)

// The properties of a message that are not texts of its own ([MS-OXPROPS]).
const (
	msgHTML    = "1013"
	msgRTF     = "1009"
	msgBody    = "1000"
	msgHeaders = "007D"
	msgData    = "3701"

	msgStream = "__substg1.0_"
)

// msgNames are the names of properties.
var msgNames = map[string]string{
	"0037": "Subject", "0C1A": "From", "0C1F": "From", "5D01": "From", "0042": "From", "0065": "From", "5D02": "From", "0E04": "To",
	"0E03": "Cc", "0E02": "Bcc", "3001": "name", "3003": "address", "39FE": "address", "3707": "filename", "3704": "filename",
	"3A1C": "phone", "3A08": "phone", "3A09": "phone", "3A1A": "phone", "3A17": "title", "3A16": "company",
}

// message is one of Outlook, as a storage ([MS-OXMSG]).
type outlook struct {
	x    *run
	c    *compound
	in   []int
	f    file
	t    *tally
	page int // of its texts that are not Unicode
}

// readMsg reads a message of Outlook: what it says of itself, each property in a field of its name; its body as text, HTML and RTF;
// who it went to; and attachments as the files that they are.
func (x *run) readMsg(c *compound, in []int, f file) (status, error) {
	var t tally
	m := outlook{x: x, c: c, in: in, f: f, t: &t, page: 1252}
	was := x.text
	err := m.read()
	if errors.As(err, new(flaw)) {
		st, _ := settle("", true, err)
		t.add(st)
		err = nil
	}
	if c.shared {
		t.add(status{outcome: NotScanned, reason: "refused: its streams share bytes"})
	}
	st := t.status(kindMsg)
	if st.outcome == NotScanned && x.text > was {
		st.outcome = Partial
	}
	return st, err
}

func (m *outlook) read() error {
	m.codePage()
	if err := m.texts(m.in, "its properties"); err != nil {
		return err
	}
	if err := m.bodies(); err != nil {
		return err
	}
	n := 0
	for _, i := range m.in {
		name := m.c.dirs[i].name
		switch {
		case m.c.dirs[i].kind != oleStorage:
		case strings.HasPrefix(name, "__recip_"):
			if err := m.texts(m.c.storage(i), "a recipient"); err != nil {
				return err
			}
		case strings.HasPrefix(name, "__attach_"):
			n++
			if err := m.attachment(i, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// codePage reads which one the message's texts have: PidTagInternetCodepage, PidTagMessageCodepage.
func (m *outlook) codePage() {
	b := m.c.named(m.in, "__properties_version1.0")
	for at := 24; at+16 <= len(b); at += 8 { // the header has 24 bytes in a message in another one, else 32
		switch le.Uint32(b[at:]) {
		case 0x3ffd0003, 0x3fde0003:
			if page := int(le.Uint32(b[at+8:])); codePage(page) != nil || page == 65001 {
				m.page = page
			}
		}
	}
}

// property is the number and type of the property that a stream holds.
func property(name string) (id, kind string, ok bool) {
	if len(name) != len(msgStream)+8 || !strings.HasPrefix(name, msgStream) {
		return "", "", false
	}
	return strings.ToUpper(name[len(msgStream) : len(msgStream)+4]), strings.ToUpper(name[len(msgStream)+4:]), true
}

// textOf is the text of a stream: Unicode, or in the message's code page.
func (m *outlook) textOf(i int, kind string) []byte {
	b := m.c.stream(i)
	if kind == "001F" {
		out, _ := utf16LE.decode(nil, b, true)
		return bytes.TrimRight(out, "\x00")
	}
	return recode(nil, bytes.TrimRight(b, "\x00"), codePage(m.page))
}

// texts writes all properties of a storage that are texts, those first that have a name.
func (m *outlook) texts(in []int, place string) error {
	w := m.x.flow(file{where: m.f.where}, "")
	w.at = func(p int) string {
		if name := w.span(p).Name; name != "" {
			return place + ", " + name
		}
		return place
	}
	in = append([]int(nil), in...)
	rank := func(i int) int {
		if id, _, ok := property(m.c.dirs[i].name); ok && msgNames[id] != "" {
			return 0
		}
		return 1
	}
	sort.SliceStable(in, func(a, b int) bool { return rank(in[a]) < rank(in[b]) })
	for _, i := range in {
		id, kind, ok := property(m.c.dirs[i].name)
		if !ok || kind != "001F" && kind != "001E" || id == msgBody || id == msgHeaders {
			continue
		}
		w.mark(msgNames[id], false, 0)
		if err := w.writeLine(m.textOf(i, kind)); err != nil {
			return errors.Join(err, w.close())
		}
	}
	return w.close()
}

// bodies reads the body in all forms that the message has, and the headers that it came with.
func (m *outlook) bodies() error {
	for _, i := range m.in {
		id, kind, ok := property(m.c.dirs[i].name)
		if !ok {
			continue
		}
		var st status
		var err error
		switch {
		case id == msgHeaders && (kind == "001F" || kind == "001E"), id == msgBody && (kind == "001F" || kind == "001E"):
			place := "body"
			if id == msgHeaders {
				place = "headers"
			}
			r := buffered(bytes.NewReader(m.textOf(i, kind)))
			st, err = m.x.readText(r, file{where: inside(m.f.where, place)}, form{kind: kindText})
			giveBack(r)
		case id == msgHTML:
			text := m.c.stream(i)
			if kind == "001F" {
				text = m.textOf(i, kind)
			} else if m.page != 65001 {
				text = recode(nil, text, codePage(m.page))
			}
			r := buffered(bytes.NewReader(text))
			st, err = m.x.readHTML(r, file{where: inside(m.f.where, "body as HTML")}, form{kind: kindHTML})
			giveBack(r)
		case id == msgRTF:
			st, err = m.rtf(m.c.stream(i))
		default:
			continue
		}
		m.t.add(st)
		if err != nil {
			return err
		}
	}
	return nil
}

// rtf reads a body in RTF.
func (m *outlook) rtf(b []byte) (status, error) {
	text, err := m.x.rtfUnpack(b)
	if err != nil {
		return settle(kindRTF, false, err)
	}
	r := buffered(bytes.NewReader(text))
	defer giveBack(r)
	return m.x.readRTF(r, file{where: inside(m.f.where, "body as RTF")}, form{kind: kindRTF})
}

// attachment reads one: a file, or a message or another document in a storage.
func (m *outlook) attachment(at, n int) error {
	in := m.c.storage(at)
	if err := m.texts(in, "attachment "+strconv.Itoa(n)); err != nil {
		return err
	}
	name := ""
	for _, id := range []string{"3707", "3704", "3001"} {
		for _, kind := range []string{"001F", "001E"} {
			if i := m.c.find(in, msgStream+id+kind); i >= 0 && name == "" {
				name = string(m.textOf(i, kind))
			}
		}
	}
	place := base(name)
	if place == "" {
		place = "attachment " + strconv.Itoa(n)
	}
	f := file{name: base(name), size: -1, where: inside(m.f.where, place), depth: m.f.depth + 1}
	if i := m.c.find(in, msgStream+msgData+"0102"); i >= 0 {
		return m.entry(func() (status, error) { return m.x.file(bytes.NewReader(m.c.stream(i)), f) })
	}
	if i := m.c.find(in, msgStream+msgData+"000D"); i >= 0 && m.c.dirs[i].kind == oleStorage {
		return m.entry(func() (status, error) { return m.x.storage(m.c, i, f, kindOLE) })
	}
	return nil
}

func (m *outlook) entry(read func() (status, error)) error {
	if err := m.x.enter(); err != nil {
		return err
	}
	st, err := read()
	m.t.add(st)
	return err
}
