package label

import (
	"bytes"
	"mime"
	"slices"
	"strings"
)

// Mail tells the labels in the header of a message, of which b is the beginning. Exchange writes them into msip_labels, as
// attributes with values, a semicolon between them.
func Mail(b []byte) Found {
	cut := len(b) >= maxHeader
	if bytes.HasPrefix(b, []byte("From ")) { // a box
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	var all bag
	known := map[string]bool{}
	whole := fields(b, cut, func(name, value string) {
		switch name = strings.ToLower(name); {
		case slices.Contains([]string{"from", "received", "date", "message-id", "subject", "to", "return-path"}, name):
			known[name] = true
		case name == "msip_labels":
			for part := range strings.SplitSeq(value, ";") {
				key, value, _ := strings.Cut(part, "=")
				if plain, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
					value = plain
				}
				all.add(strings.TrimSpace(key), strings.ToValidUTF8(value, "\ufffd"))
			}
		}
	})
	if len(known) < 2 {
		return Found{Reason: "of a kind whose labels are not read here"}
	}
	f := Found{Read: true}
	if cut && !whole {
		f.flawed("only the first %d KiB of the header were read", maxHeader>>10)
	}
	all.tell(&f, InHeader, "msip_labels")
	return f
}

// fields gives the fields of a header, each on one line, up to the empty line; false = there was none. Lines that are no fields
// are passed. cut: there may be more, so that the last field is not whole.
func fields(b []byte, cut bool, each func(name, value string)) (whole bool) {
	var name string
	var value []byte
	end := func() {
		if name != "" {
			each(name, string(value))
		}
	}
	for line := range bytes.Lines(b) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(line) == 0:
			end()
			return true
		case line[0] == ' ' || line[0] == '\t':
			value = append(value, line...)
		default:
			end()
			before, after, ok := bytes.Cut(line, []byte(":"))
			if name, value = "", append(value[:0], after...); ok {
				name = string(bytes.TrimRight(before, " \t"))
			}
		}
	}
	if !cut {
		end()
	}
	return false
}
