package label

import (
	"bufio"
	"bytes"
	"mime"
	"net/textproto"
	"strings"
)

// Mail tells the labels in the header of a message, of which b is the beginning. Exchange writes them into msip_labels, as
// attributes with values, a semicolon between them.
func Mail(b []byte) Found {
	whole := len(b) < maxHeader
	if bytes.HasPrefix(b, []byte("From ")) { // a box
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	if i := endOfHeader(b); i >= 0 {
		b, whole = b[:i], true
	}
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(bytes.Clone(b), "\r\n\r\n"...)))).ReadMIMEHeader()
	known := 0
	for _, name := range []string{"From", "Received", "Date", "Message-Id", "Subject", "To", "Return-Path"} {
		if len(h[name]) > 0 {
			known++
		}
	}
	if known < 2 {
		return Found{Reason: "of a kind whose labels are not read here"}
	}
	f := Found{Read: true}
	if err != nil {
		f.flawed("the header is malformed: what stands below was not read")
	}
	if !whole {
		f.flawed("only the first %d KiB of the header were read", maxHeader>>10)
	}
	var all bag
	for _, value := range h.Values("msip_labels") {
		for field := range strings.SplitSeq(value, ";") {
			name, value, _ := strings.Cut(field, "=")
			if plain, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
				value = plain
			}
			all.add(strings.TrimSpace(name), value)
		}
	}
	all.tell(&f, InHeader, "msip_labels")
	return f
}

// endOfHeader is where the empty line begins, or -1.
func endOfHeader(b []byte) int {
	for at := 0; at < len(b); {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			return -1
		}
		if n == 0 || n == 1 && b[at] == '\r' {
			return at
		}
		at += n + 1
	}
	return -1
}
