package dlp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// The levels of confidence.
const (
	Low    = 65 // the pattern alone
	Medium = 75 // a check digit or an inner structure holds
	High   = 85 // with a keyword nearby
)

// Options choose the detectors of a Set.
type Options struct {
	Packs      []string       // see Packs
	Confidence int            // claims below it are left out
	SkipFields []string       // paths in JSON, without list indices, whose values are not looked at, nor what is below them
	Key        []byte         // of fingerprints; none = random, so that they can be compared within this process only
	Limits     extract.Limits // of the files that are read; they count in Version
	Custom     Custom         // detectors of the user's own; nil = none
	Explain    bool           // findings say why
}

// Set is compiled detectors. It may be used by several goroutines.
type Set struct {
	on         [detectors]bool
	confidence int
	skip       []string
	mac        func() hash.Hash // holds the key, which nothing can print
	lengths    uint64           // a bit for each length of the numbers that may begin a value
	leads      *leads
	strict     bool // bare digits are no value by their check digit alone
	openings   *openings
	signs      [256]bool // that values stand around
	keywords   *keywords
	shortest   int // of all values
	version    string
	custom     Custom
	own        []own // those of custom
	explain    bool
}

// Version names what the set may find in the content of a file: it changes with the detectors, what is read of a file, the
// confidence, the limits and a key that was given, and not from one process to the next.
func (s *Set) Version() string { return s.version }

// named works the version out. SkipFields are of records: they change nothing in files.
func (s *Set) named(o Options) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %d %+v", Version, extract.Version, o.Confidence, o.Limits)
	for d, on := range s.on {
		if on {
			fmt.Fprintf(h, " %s", table[d].ID)
		}
	}
	if s.custom != nil {
		fmt.Fprintf(h, " %s", s.custom.Version())
	}
	if len(o.Key) > 0 {
		h.Write(s.mac().Sum([]byte("key")))
	}
	s.version = hex.EncodeToString(h.Sum(nil)[:6])
}

// New compiles the detectors of some packs.
func New(o Options) (*Set, error) {
	if err := CheckPacks(o.Packs); err != nil {
		return nil, err
	}
	var on []int
	for d := range table {
		if wanted(table[d].Pack, o.Packs) {
			on = append(on, d)
		}
	}
	if err := checkCustom(o.Custom, o.Packs); err != nil {
		return nil, err
	}
	return compile(o, on...), nil
}

func compile(o Options, on ...int) *Set {
	key := slices.Clone(o.Key)
	if len(key) == 0 {
		key = make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails
	}
	s := &Set{confidence: o.Confidence, skip: slices.Clone(o.SkipFields), mac: func() hash.Hash { return hmac.New(sha256.New, key) },
		leads: &leads{}, openings: &openings{lists: [][]opening{nil}}, shortest: 1 << 10,
		keywords: &keywords{words: map[string]uint16{}, within: map[rune][]inner{}}}
	for _, d := range on {
		s.on[d] = true
		for word := range strings.FieldsSeq(table[d].keywords) {
			s.keywords.add(word, uint8(d))
		}
		s.begin(d)
	}
	s.openings.others(s)
	s.take(o.Custom)
	s.explain = o.Explain
	s.named(o)
	return s
}

// signsOf are the characters around which values of a detector stand.
var signsOf = map[uint8]string{email: "@", connection: "@", azureClient: "~", generic: "=:", ipAddr: ":", phone: "+", track1: "%"}

// begin notes how values of a detector begin.
func (s *Set) begin(d int) {
	shortest := maxForm
	if least := table[d].least; least > 0 {
		shortest = least
	}
	for _, f := range readForms(uint8(d), &table[d]) {
		s.leads.add(&f)
		shortest = min(shortest, f.n)
		if may, _ := f.numeric(); may {
			s.lengths |= 1 << f.token
		}
	}
	numbers := []int(nil)
	for _, c := range []byte(signsOf[uint8(d)]) {
		s.signs[c] = true
	}
	switch d {
	case card, track2:
		shortest, numbers = minCard, []int{4}
		for n := minCard; n <= maxCard; n++ {
			numbers = append(numbers, n)
		}
	case ssn:
		shortest, numbers = lenSSN, []int{3, lenSSN}
	}
	for _, n := range numbers {
		s.lengths |= 1 << n
	}
	s.shortest = min(s.shortest, shortest)
	if least := s.openings.begin(uint8(d), &table[d]); table[d].own == nil {
		s.shortest = min(s.shortest, least)
	}
}

// plain is the set for texts of its own: with all that is found, however unsure, by its own detectors alone.
func (s *Set) plain() *Set {
	set := *s
	set.confidence, set.custom, set.own, set.explain = 0, nil, nil, false
	return &set
}

// Scanner makes a scanner.
func (s *Set) Scanner() *Scanner {
	sc := &scanner{set: s, tally: tally{set: s}}
	if s.custom != nil {
		sc.custom = &customs{set: s, m: s.custom.Matcher()}
		sc.tally.custom = sc.custom
		sc.tally.own = make([]Finding, len(s.own))
	}
	return &Scanner{sc}
}
