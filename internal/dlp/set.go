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
	mac        func() hash.Hash    // holds the key, which nothing can print
	lengths    [maxNumber + 1]bool // of numbers that may begin a value
	mixed      uint32              // a bit for each length of letters and digits together that may
	begins     *pairs              // of bytes that may begin a value that is no number
	literals   *pairs              // those that few words begin with
	keywords   map[string]kinds
	openings   openings // of the keywords
	shapes     *shapes  // of the keywords
	shortest   int      // of all values
	version    string
}

// Version names what the set may find in the content of a file: it changes with the detectors, the confidence, the limits and
// a key that was given, and not from one process to the next.
func (s *Set) Version() string { return s.version }

// named works the version out. SkipFields are of records: they change nothing in files.
func (s *Set) named(o Options) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %+v", Version, o.Confidence, o.Limits)
	for d, on := range s.on {
		if on {
			fmt.Fprintf(h, " %s", types[d].ID)
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
	for d := range types {
		if wanted(types[d].Pack, o.Packs) {
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
		begins: &pairs{}, literals: &pairs{}, keywords: map[string]kinds{}, shapes: &shapes{}, shortest: 1 << 10}
	for _, d := range on {
		s.on[d] = true
		for word := range strings.FieldsSeq(types[d].keywords) {
			s.keyword(word, uint8(d))
		}
		s.begin(d)
	}
	s.named(o)
	return s
}

// begin notes how values of a detector begin.
func (s *Set) begin(d int) {
	shortest := 0
	numbers, mixed, literals := []int(nil), []int(nil), []string(nil)
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
	case nino:
		shortest, numbers, mixed = lenNINO, []int{2, 6}, []int{7, lenNINO}
		s.like(letter, letter)
		s.like(digit, digit)
	case steuerID:
		shortest, numbers = lenSteuerID, []int{2, lenSteuerID}
	case nir:
		shortest, numbers, mixed = lenNIR, []int{1, lenNIR - 2, lenNIR}, []int{lenNIR - 2, lenNIR}
		s.like(digit, digit)
	case dni:
		shortest, numbers, mixed = lenDNI, []int{2, lenDNI - 1}, []int{lenDNI}
		s.like(digit, digit)
	case fiscalCode:
		shortest, mixed = lenFiscalCode, []int{lenFiscalCode}
		s.like(letter, letter)
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
		s.lengths[n] = true
	}
	for _, n := range mixed {
		s.mixed |= 1 << n
	}
	for _, l := range literals {
		s.literals.add(l[0], l[1])
		s.begins.add(l[0], l[1])
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

// like lets tokens of letters and digits begin with two bytes of the classes.
func (s *Set) like(a, b uint8) {
	for x := range class {
		for y := range class {
			if class[x]&a != 0 && class[y]&b != 0 {
				s.begins.add(byte(x), byte(y))
			}
		}
	}
}

// Scanner makes a scanner.
func (s *Set) Scanner() *Scanner { return &Scanner{&scanner{set: s, tally: tally{set: s}}} }
