package custom

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// Documents are told by winnowing (Schleimer, Wilkerson and Aiken, Winnowing: Local Algorithms for Document Fingerprinting, 2003):
// every row of wordsEach words has a hash, and of each rowsEach hashes in a row the least is kept. So two texts that share
// wordsEach+rowsEach-1 words in a row share a fingerprint.
const (
	wordsEach    = 5
	rowsEach     = 8
	documentForm = 1
	maxDocuments = 10_000
	maxPrints    = 1 << 24 // of all documents
	maxDocFile   = 1 << 30
	leastPrints  = 3 // a document with fewer is too short
)

// winnow makes the fingerprints of a text that comes in pieces.
type winnow struct {
	word  uint64 // hash of the word that is being read
	in    bool
	words [wordsEach]uint64
	n     int // words read
	rows  [rowsEach]uint64
	hash  int    // of rows made
	last  int    // the row that was kept last
	room  []byte // of a character
	keep  func(print uint64)
}

// Hashes are those of G. Fowler, L. C. Noll and K.-P. Vo, mixed so that the least is no matter of the first words.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// read goes on with a piece of text.
func (w *winnow) read(text []byte) {
	for i := 0; i < len(text); {
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRune(text[i:])
		}
		word, apart := dlp.WordRune(c)
		if w.in && (!word || !apart) {
			w.end()
		}
		if word {
			if !w.in {
				w.in, w.word = true, fnvBasis
			}
			w.room = dlp.FoldRune(w.room[:0], c)
			for _, b := range w.room {
				w.word = (w.word ^ uint64(b)) * fnvPrime
			}
			if !apart { // a letter of a script without spaces is a word
				w.end()
			}
		}
		i += size
	}
}

// end ends a word.
func (w *winnow) end() {
	if !w.in {
		return
	}
	w.in = false
	w.words[w.n%wordsEach] = w.word
	if w.n++; w.n < wordsEach {
		return
	}
	row := uint64(fnvBasis)
	for k := range wordsEach {
		row = mix((row ^ w.words[(w.n+k)%wordsEach]) * fnvPrime)
	}
	w.rows[w.hash%rowsEach] = row
	w.hash++
	if w.hash < rowsEach {
		return
	}
	least := w.hash - rowsEach
	for k := least; k < w.hash; k++ {
		if w.rows[k%rowsEach] <= w.rows[least%rowsEach] {
			least = k // the last one, if several are the least
		}
	}
	if least+1 > w.last {
		w.last = least + 1
		w.keep(w.rows[least%rowsEach])
	}
}

// document is a line of a file of fingerprints.
type document struct {
	Form   int    `json:"longshore_document"`
	Name   string `json:"name"`
	Words  int    `json:"words"`
	Prints []byte `json:"prints"` // each of 8 bytes, sorted
}

// Fingerprint reads a document and gives its line.
func Fingerprint(ctx context.Context, in io.Reader, name string, size int64, lim extract.Limits) ([]byte, error) {
	var prints []uint64
	w := winnow{keep: func(p uint64) { prints = append(prints, p) }}
	res, err := extract.Read(ctx, in, name, size, lim, func(p *extract.Piece) { w.read(p.Text[p.From:p.To]); w.end() })
	switch {
	case err != nil:
		return nil, err
	case res.Outcome != extract.Done:
		return nil, fmt.Errorf("not read whole: %s", cmp.Or(res.Reason, res.Outcome))
	}
	slices.Sort(prints)
	if prints = slices.Compact(prints); len(prints) < leastPrints {
		return nil, fmt.Errorf("has %d words: too few to tell it from others", w.n)
	}
	d := document{Form: documentForm, Name: name, Words: w.n}
	for _, p := range prints {
		d.Prints = binary.BigEndian.AppendUint64(d.Prints, p)
	}
	line, err := json.Marshal(d)
	return append(line, '\n'), err
}

// documents are those of a set.
type documents struct {
	of    []int // the detector of each
	name  []string
	total []int
	least []float64          // share of it that a text must hold
	by    map[uint64][]int32 // by fingerprint
	sums  [][]byte           // of their files
}

// newDocuments reads the files of some detectors.
func newDocuments(all []Detector) (*documents, error) {
	s := &documents{by: map[uint64][]int32{}}
	for i := range all {
		if all[i].Documents == nil {
			continue
		}
		if err := s.read(i, all[i].Documents); err != nil {
			return nil, fmt.Errorf("detector %q: documents: %w", all[i].ID, err)
		}
	}
	return s, nil
}

func (s *documents) read(of int, d *Documents) error {
	b, err := readFile(d.File, maxDocFile)
	if err != nil {
		return err
	}
	before := len(s.of)
	for i, line := range bytes.Split(b, newline) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var x document
		if err := json.Unmarshal(line, &x); err != nil || x.Form != documentForm || len(x.Prints)%8 != 0 || len(x.Prints) < 8*leastPrints {
			return fmt.Errorf("%s: line %d is none that `longshore fingerprint` wrote, or is cut", d.File, i+1)
		}
		if len(s.of) >= maxDocuments || len(s.by)+len(x.Prints)/8 > maxPrints {
			return fmt.Errorf("%s: line %d: there are more than %d documents, or %d fingerprints", d.File, i+1, maxDocuments, maxPrints)
		}
		at := int32(len(s.of))
		for p := x.Prints; len(p) > 0; p = p[8:] {
			hash := binary.BigEndian.Uint64(p)
			s.by[hash] = append(s.by[hash], at)
		}
		s.of, s.name, s.total = append(s.of, of), append(s.name, x.Name), append(s.total, len(x.Prints)/8)
		s.least = append(s.least, cmp.Or(d.Containment, defaultContain))
	}
	if len(s.of) == before {
		return fmt.Errorf("%s has no document", d.File)
	}
	s.sums = append(s.sums, b)
	return nil
}

// prints goes on with the text of the object.
func (m *matcher) prints(p *dlp.Passage) {
	if len(m.set.documents.of) == 0 {
		return
	}
	if m.seen == nil {
		m.seen, m.shared = map[uint64]bool{}, make([]int, len(m.set.documents.of))
		m.winnow.keep = m.print
	}
	m.winnow.read(p.Text[p.From:p.To])
	m.winnow.end()
}

// print counts a fingerprint of the object.
func (m *matcher) print(hash uint64) {
	of := m.set.documents.by[hash]
	if len(of) == 0 || m.seen[hash] {
		return
	}
	m.seen[hash] = true
	for _, at := range of {
		m.shared[at]++
	}
}

// copies are the documents of which the object holds enough, those of a detector in one.
func (m *matcher) copies(out []dlp.Found) []dlp.Found {
	s := m.set.documents
	for at, n := range m.shared {
		share := float64(n) / float64(s.total[at])
		if n == 0 || share < s.least[at] {
			continue
		}
		sample := fmt.Sprintf("%d %% of %s", int(100*share), s.name[at])
		i := slices.IndexFunc(out, func(f dlp.Found) bool { return f.Of == s.of[at] })
		if i >= 0 {
			out[i].Count++
			continue
		}
		out = append(out, dlp.Found{Of: s.of[at], Confidence: m.set.confidence[s.of[at]], Count: 1, Sample: sample,
			Proof: dlp.Proof{Check: fmt.Sprintf("%d of %d fingerprints of a document", n, s.total[at])}})
	}
	return out
}
