package dlp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"hash"
	"slices"
	"strings"
)

// The levels of confidence.
const (
	Low    = 65 // the pattern alone
	Medium = 75 // a check digit or an inner structure holds
	High   = 85 // with a keyword nearby
)

// Options choose the detectors of a Set.
type Options struct {
	Packs      []string // see Packs
	Confidence int      // claims below it are left out
	SkipFields []string // paths in JSON, without list indices, whose values are not looked at, nor what is below them
	Key        []byte   // of fingerprints; none = random, so that they can be compared within this process only
}

// Set is compiled detectors. It may be used by several goroutines.
type Set struct {
	on         [detectors]bool
	confidence int
	skip       []string
	mac        func() hash.Hash    // holds the key, which nothing can print
	lengths    [maxNumber + 1]bool // of numbers that may begin a value
	probe      *[1 << 10]uint64    // a bit for every two bytes that may begin a value that is no number
	keywords   map[string]uint32   // a bit for each detector
	openings   openings            // of the keywords
	shortest   int                 // of all values
}

// New compiles the detectors of some packs.
func New(o Options) (*Set, error) {
	if err := CheckPacks(o.Packs); err != nil {
		return nil, err
	}
	var kinds []int
	for d := range types {
		if wanted(types[d].Pack, o.Packs) {
			kinds = append(kinds, d)
		}
	}
	return compile(o, kinds...), nil
}

func compile(o Options, kinds ...int) *Set {
	key := slices.Clone(o.Key)
	if len(key) == 0 {
		key = make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails
	}
	s := &Set{confidence: o.Confidence, skip: slices.Clone(o.SkipFields), mac: func() hash.Hash { return hmac.New(sha256.New, key) },
		probe: &[1 << 10]uint64{}, keywords: map[string]uint32{}, shortest: 1 << 10}
	for _, d := range kinds {
		s.on[d] = true
		for word := range strings.FieldsSeq(types[d].keywords) {
			s.keywords[word] |= 1 << d
			s.openings.add(word)
		}
		s.begin(d)
	}
	return s
}

// begin notes how values of a detector begin.
func (s *Set) begin(d int) {
	shortest := 0
	switch d {
	case card:
		s.lengths[4], shortest = true, minCard
		for n := minCard; n <= maxCard; n++ {
			s.lengths[n] = true
		}
	case ssn:
		s.lengths[3], s.lengths[9], shortest = true, true, 9
	case iban:
		shortest = minIBAN
		for c := range ibans {
			s.literal(c)
		}
	case email:
		shortest = minEmail
	case awsKey:
		shortest = lenAWS
		for _, p := range prefixesAWS {
			s.literal(p)
		}
	case jwt:
		shortest = minJWT
		s.literal("eyJ")
	}
	s.shortest = min(s.shortest, shortest)
}

func (s *Set) literal(p string) {
	at := uint(p[0])<<8 | uint(p[1])
	s.probe[at>>6] |= 1 << (at & 63)
}

func (s *Set) begins(a, b byte) bool {
	at := uint(a)<<8 | uint(b)
	return s.probe[at>>6]>>(at&63)&1 != 0
}

// Scanner makes a scanner.
func (s *Set) Scanner() *Scanner { return &Scanner{&scanner{set: s, tally: tally{set: s}}} }
