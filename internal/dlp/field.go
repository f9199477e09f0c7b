package dlp

// field is where a text stands. What its names say is worked out when a value needs it.
type field struct {
	name   []byte
	parent []byte // the name above it, which counts as well
	number bool
	known  bool
	id     bool
	words  kinds
	r      reader
	own    []byte // holds the name when it is nobody else's
}

func (f *field) named(name string) {
	own := append(f.own[:0], name...)
	f.stands(own, nil, false)
	f.own = own
}

func (f *field) stands(name, parent []byte, number bool) {
	f.name, f.parent, f.number, f.known, f.id = name, parent, number, false, false
}

// bits are the detectors whose keywords the names hold.
func (f *field) bits(set *Set) *kinds {
	if !f.known {
		f.known, f.words = true, kinds{}
		for _, name := range [...][]byte{f.parent, f.name} {
			f.r.set, f.r.hits, f.r.last = set.keywords, f.r.hits[:0], word{}
			f.r.read(name, 0, len(name))
			for _, h := range f.r.hits {
				f.words.join(&set.keywords.bits[h.of])
			}
		}
		f.id = isID(f.name)
	}
	return &f.words
}

// identifies says whether the text is the identifier of something: the field's name says so, or it is a bare number; and it
// does not say that it holds what the detector looks for.
func (f *field) identifies(set *Set, kind uint8) bool {
	return !f.bits(set).has(kind) && (f.number || f.id)
}

var idWords = map[string]bool{"id": true, "ids": true, "uid": true, "uuid": true, "guid": true, "sid": true, "hash": true, "etag": true,
	"md5": true, "sha": true, "checksum": true, "digest": true, "fingerprint": true, "trace": true, "span": true, "request": true,
	"correlation": true, "transaction": true, "nonce": true, "cursor": true, "offset": true, "position": true, "sequence": true,
	"timestamp": true, "time": true, "ts": true, "version": true, "revision": true, "url": true, "uri": true, "href": true,
	"link": true, "path": true, "arn": true, "key": true}

// isID says whether the last word of a name is one of those for identifiers, times and addresses.
func isID(name []byte) bool {
	end := len(name)
	for end > 0 && class[name[end-1]]&letter == 0 {
		end--
	}
	i := end
	for i > 0 && class[name[i-1]]&letter != 0 && (i == end || !breaks(name, i, end)) {
		i--
	}
	return end-i <= maxWord && idWords[string(appendLower(make([]byte, 0, maxWord), name[i:end]))]
}

// breaks says whether a new word begins at i inside a run of letters: cardNumber, SSNField.
func breaks(b []byte, i, end int) bool {
	was, is := class[b[i-1]], class[b[i]]
	return is == upper && (was == lower || was == upper && i+1 < end && class[b[i+1]] == lower)
}
