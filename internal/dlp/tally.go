package dlp

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of what is kept of one object.
const (
	maxSamples   = 5
	maxPrints    = 16
	maxLocations = 8
	maxUnique    = 1 << 12
	maxHeld      = 256
	maxHeldBytes = 256 << 10
	maxPath      = 256
	maxStep      = 64
)

// Finding is what an object holds of one type. It does not hold a value.
type Finding struct {
	Type         *Type
	Confidence   int      // the highest
	Count        int      // of values
	Unique       int      // of different values, up to 4096 over all types
	Samples      []string // masked, the first 5
	Fingerprints []string // keyed, of the first 16 different values
	Locations    []string // the first 8 fields
	Reasons      []Reason // with Options.Explain: the first 8 that differ
}

// tally collects the claims in the texts of one object.
type tally struct {
	set    *Set
	found  [detectors]Finding
	n      int
	unique map[[16]byte]struct{}
	held   [][]byte // the values themselves, in lower case, all but addresses without separators; never shown
	bytes  int
	full   bool // held is not complete
	alike  *scanner
	alone  *scanner // of one value, without what stands around it
	plain  []byte
	custom *customs
	own    []Finding // of the detectors of the user's own
	ours   [][]byte  // their values, folded
}

func (t *tally) reset() {
	if t.n > 0 {
		clear(t.found[:])
		clear(t.unique)
		clear(t.held)
		t.n, t.held, t.bytes, t.full = 0, t.held[:0], 0, false
	}
	if t.custom != nil {
		t.custom.reset(t)
	}
}

// add counts a value.
func (t *tally) add(kind uint8, confidence int, value []byte) {
	f := &t.found[kind]
	f.Type = &table[kind].Type
	value = normal(kind, value)
	if !t.count(f, confidence, value, func() string { return mask(kind, value) }) {
		return
	}
	if t.full = t.full || len(t.held) >= maxHeld || t.bytes+len(value) > maxHeldBytes; !t.full {
		v := bytes.ToLower(value)
		if !isAddress(kind) {
			v = compact(v[:0], v)
		}
		t.held = append(t.held, v)
		t.bytes += len(value)
	}
}

// count adds a value to a finding, and says whether it is another one than those before. show masks it.
func (t *tally) count(f *Finding, confidence int, value []byte, show func() string) bool {
	f.Confidence = max(f.Confidence, confidence)
	f.Count++
	t.n++
	sum := t.print(f.Type.ID, value)
	if t.unique == nil {
		t.unique = map[[16]byte]struct{}{}
	}
	if _, seen := t.unique[sum]; seen || len(t.unique) >= maxUnique {
		return false
	}
	t.unique[sum] = struct{}{}
	f.Unique++
	if len(f.Fingerprints) < maxPrints {
		f.Fingerprints = append(f.Fingerprints, hex.EncodeToString(sum[:]))
	}
	if len(f.Samples) < maxSamples {
		if sample := show(); !slices.Contains(f.Samples, sample) {
			f.Samples = append(f.Samples, sample)
		}
	}
	return true
}

// print is the keyed fingerprint of a value of a type.
func (t *tally) print(id string, value []byte) (sum [16]byte) {
	mac := t.set.mac()
	mac.Write([]byte(id))
	mac.Write([]byte{0})
	mac.Write(value)
	copy(sum[:], mac.Sum(nil))
	return sum
}

// at notes where a value of a finding stands.
func (f *Finding) at(where string) {
	if len(f.Locations) < maxLocations && !slices.Contains(f.Locations, where) {
		f.Locations = append(f.Locations, where)
	}
}

// isAddress says whether separators matter in a value and capitals do not: ::e is no e::, and 1.11.1.1 no 11.1.1.1.
func isAddress(kind uint8) bool { return kind == email || kind == ipAddr }

// normal is a copy of a value without what does not matter: separators, the case of an address.
func normal(kind uint8, value []byte) []byte {
	switch {
	case isAddress(kind):
		return bytes.ToLower(value)
	case table[kind].exact:
		return bytes.Clone(value)
	}
	return bytes.ToUpper(compact(nil, value))
}

// compact appends the letters and digits of b.
func compact(dst, b []byte) []byte {
	for _, c := range b {
		if class[c]&(digit|letter) != 0 {
			dst = append(dst, c)
		}
	}
	return dst
}

// hidden are shown without any of their characters.
var hidden = map[uint8]string{generic: "secret ", connection: "password ", httpAuth: "credentials ", azureSAS: "sig=",
	pgpKey: "private key ", awsSecret: "key "}

// mask shows of a value what people need to recognise it, and never all of it.
func mask(kind uint8, value []byte) string {
	v := string(value)
	switch {
	case kind == iban:
		return v[:2] + strings.Repeat("*", len(v)-6) + v[len(v)-4:]
	case kind == email:
		_, domain, _ := strings.Cut(v, "@")
		return "***@" + domain
	case kind == awsKey:
		return v[:4] + strings.Repeat("*", len(v)-4)
	case hidden[kind] != "":
		return hidden[kind] + "***"
	case table[kind].exact:
		return v[:4] + "***"
	case kind == privateKey:
		return "-----BEGIN PRIVATE KEY-----***"
	}
	shown := 4
	switch {
	case len(v) < 4:
		shown = 0
	case len(v) < 9:
		shown = 2
	}
	return strings.Repeat("*", len(v)-shown) + v[len(v)-shown:]
}

// findings are those of the object, in the order of the detectors.
func (t *tally) findings() []Finding {
	if t.n == 0 && t.custom == nil {
		return nil
	}
	var out []Finding
	for i := range t.found {
		if t.found[i].Count > 0 {
			out = append(out, t.found[i])
		}
	}
	if t.custom != nil {
		out = t.custom.findings(t, out)
	}
	return out
}

// pattern finds what is anything like a value but an address.
func (t *tally) pattern() *scanner {
	if t.alike == nil {
		set := t.set.plain()
		set.on[email], set.strict = false, true // records name their people by their addresses
		t.alike = &scanner{set: set}
	}
	return t.alike
}

// shows says whether a text holds one of the values, or anything like one; of addresses only those found.
func (t *tally) shows(text string) bool {
	t.pattern()
	t.alike.field.named("")
	if t.full || len(t.alike.scan([]byte(text))) > 0 || t.custom != nil && t.custom.shows(t, []byte(text)) {
		return true
	}
	low := bytes.ToLower([]byte(text))
	t.plain = compact(t.plain[:0], low)
	for _, v := range t.held {
		if bytes.Contains(t.plain, v) || bytes.Contains(low, v) {
			return true
		}
	}
	return false
}

// step is a name on the way to a value as it may be shown.
func (t *tally) step(name []byte) string {
	s := strings.ToValidUTF8(string(name), "\ufffd")
	if t.shows(s) {
		return "*"
	}
	if len(s) > maxStep {
		s = s[:maxStep]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
		s += "…"
	}
	return s
}
