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
}

// Set is compiled detectors. It may be used by several goroutines.
type Set struct {
	on         [detectors]bool
	confidence int
	skip       []string
	mac        func() hash.Hash // holds the key, which nothing can print
	lengths    uint64           // a bit for each length of the numbers that may begin a value
	leads      *leads
	strict     bool   // bare digits are no value by their check digit alone
	literals   *pairs // of bytes that a value of another kind may begin with
	keywords   *keywords
	shortest   int // of all values
	version    string
}

// Version names what the set may find in the content of a file: it changes with the detectors, the readers, the confidence,
// the limits and a key that was given, and not from one process to the next.
func (s *Set) Version() string { return s.version }

// named works the version out. SkipFields are of records: they change nothing in files.
func (s *Set) named(o Options) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %d %+v", Version, extract.Version, o.Confidence, o.Limits)
	for d, on := range s.on {
		if on {
			fmt.Fprintf(h, " %s", table[d].ID)
		}
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
	return compile(o, on...), nil
}

func compile(o Options, on ...int) *Set {
	key := slices.Clone(o.Key)
	if len(key) == 0 {
		key = make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails
	}
	s := &Set{confidence: o.Confidence, skip: slices.Clone(o.SkipFields), mac: func() hash.Hash { return hmac.New(sha256.New, key) },
		leads: &leads{}, literals: &pairs{}, keywords: &keywords{words: map[string]uint16{}, within: map[rune][]inner{}}, shortest: 1 << 10}
	for _, d := range on {
		s.on[d] = true
		for word := range strings.FieldsSeq(table[d].keywords) {
			s.keywords.add(word, uint8(d))
		}
		s.begin(d)
	}
	s.named(o)
	return s
}

// begin notes how values of a detector begin.
func (s *Set) begin(d int) {
	shortest := maxForm
	for _, f := range readForms(uint8(d), &table[d]) {
		s.leads.add(&f)
		shortest = min(shortest, f.n)
		if may, _ := f.numeric(); may {
			s.lengths |= 1 << f.token
		}
	}
	numbers, literals := []int(nil), []string(nil)
	switch d {
	case card:
		shortest, numbers = minCard, []int{4}
		for n := minCard; n <= maxCard; n++ {
			numbers = append(numbers, n)
		}
	case ssn:
		shortest, numbers = lenSSN, []int{3, lenSSN}
	case iban:
		shortest = minIBAN
		for c := range ibans {
			literals = append(literals, c)
		}
	case email:
		shortest = minEmail
	case awsKey:
		shortest, literals = lenAWS, prefixesAWS[:]
	case jwt:
		shortest, literals = minJWT, []string{"eyJ"}
	case github:
		shortest, literals = lenGitHub, []string{"gh"}
	case slack:
		shortest, literals = minSlack, []string{"xo", "xa"}
	case google:
		shortest, literals = lenGoogle, []string{"AIza"}
	case privateKey:
		shortest, literals = minPEM, []string{"BEGIN"}
	}
	for _, n := range numbers {
		s.lengths |= 1 << n
	}
	for _, l := range literals {
		s.literals.add(l[0], l[1])
	}
	s.shortest = min(s.shortest, shortest)
}

// pairs are a bit for every two bytes.
type pairs [1 << 10]uint64

func (p *pairs) add(a, b byte) {
	at := uint(a)<<8 | uint(b)
	p[at>>6] |= 1 << (at & 63)
}

func (p *pairs) has(a, b byte) bool {
	at := uint(a)<<8 | uint(b)
	return p[at>>6]>>(at&63)&1 != 0
}

// Scanner makes a scanner.
func (s *Set) Scanner() *Scanner { return &Scanner{&scanner{set: s, tally: tally{set: s}}} }
