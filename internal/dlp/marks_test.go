package dlp

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/sim"
)

// TestBlocksAreReadAsTheirClassesSay compares both ways of reading blocks with the table of classes, for every byte in every place.
func TestBlocksAreReadAsTheirClassesSay(t *testing.T) {
	r := sim.NewRand(12, 12)
	for round := range 256 * perBlock {
		var b [perBlock]byte
		for i := range b {
			b[i] = byte(r.N(256))
		}
		b[round%perBlock] = byte(round / perBlock)
		var want block
		for i, c := range b {
			bit := uint64(1) << i
			for mask, is := range map[*uint64]bool{&want.word: class[c]&inWord != 0, &want.digit: class[c] == digit,
				&want.letter: class[c]&letter != 0, &want.small: c&0x20 != 0, &want.sign: class[c] == sign, &want.high: c >= 0x80} {
				if is {
					*mask |= bit
				}
			}
		}
		for name, read := range map[string]func(*block, *[perBlock]byte){"bytes in words": readWords, "as on this machine": readBlock} {
			got := block{^uint64(0), 1, 2, 3, 4, 5}
			if read(&got, &b); got != want {
				t.Fatalf("%s: %x is %x, want %x", name, b, got, want)
			}
		}
	}
	for n := range 2 * perBlock {
		text, got := bytes.Repeat([]byte{'a'}, n), block{}
		if blockAt(text, 5, &got); got.word != 1<<min(max(0, n-5), perBlock)-1 {
			t.Errorf("%d bytes: %x", n, got.word)
		}
	}
}

func BenchmarkBlocks(b *testing.B) {
	text := []byte(english(1 << 20))
	for name, read := range map[string]func(*block, *[perBlock]byte){"bytes in words": readWords, "as on this machine": readBlock} {
		b.Run(name, func(b *testing.B) {
			var m block
			rate(b, len(text), func() {
				for i := 0; i+perBlock <= len(text); i += perBlock {
					read(&m, (*[perBlock]byte)(text[i:]))
				}
			})
		})
	}
}

// walkBytes is walk with a byte at a time.
func (s *scanner) walkBytes(b []byte) {
	for i := 0; i < len(b); {
		c := class[b[i]]
		if c&inWord == 0 {
			if c == sign && s.set.signs[b[i]] {
				s.enter(i)
				s.sign(i)
			}
			i++
			continue
		}
		start, digits := i, 0
		for ; i < len(b) && class[b[i]]&inWord != 0; i++ {
			if class[b[i]] == digit {
				digits++
			}
		}
		shape := uint8(digit | letter)
		switch digits {
		case 0:
			shape = letter
		case i - start:
			shape = digit
		}
		s.ahead = ahead{}
		for k := range min(perBlock, len(b)-start) {
			if is := class[b[start+k]]; is&inWord != 0 {
				s.ahead.words |= 1 << k
				if is == digit {
					s.ahead.digits |= 1 << k
				}
			}
		}
		s.enter(start)
		s.token(start, i, shape)
		if list := s.set.openings.of(b, start); list != nil {
			s.open(list, start, i)
		}
	}
}

// TestTheWalkOverBlocksIsThatOverBytes compares what both claim, and the keywords that both read, in texts that are cut at any place.
func TestTheWalkOverBlocksIsThatOverBytes(t *testing.T) {
	s := all(t, 0)
	var text strings.Builder
	r := sim.NewRand(13, 13)
	for kind := uint8(nino); kind < detectors; kind++ {
		for _, word := range keywordsOf(kind)[:1] {
			text.WriteString(word + string(r.Name(nil, r.N(3))) + ": " + made(noise{r}, kind) + " ,;\n.é"[:r.N(7)])
		}
	}
	for _, kind := range []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT} {
		text.WriteString(sim.Plant(r, kind))
	}
	text.WriteString("de:ad:be:ef:ca:fe mac dead.beef.cafe 00:00:5e:00:53:af ABCDEFGH Zürich ÜBER card_Number SSNField x1y2Z3 号码")
	texts := []string{text.String()}
	for _, c := range corpora() {
		texts = append(texts, c.text[:8<<10])
	}
	claimed := 0
	for _, text := range texts {
		for range 300 {
			from := r.N(len(text))
			b := []byte(text[from:min(len(text), from+r.N(1<<r.N(14)))])
			claimed += sameWalk(t, s, b)
		}
	}
	for n := range perBlock { // a token with digits only behind the block after the one that it begins in
		value := strings.Repeat("qRsTuVwXyZqGhIjKlMn", 4) + "AZDO7x9y"
		if sameWalk(t, s, []byte(strings.Repeat(" ", n)+value)) != 1 {
			t.Errorf("%d bytes before: no claim of %s", n, value)
		}
	}
	if claimed < 5000 {
		t.Errorf("%d claims", claimed)
	}
}

// sameWalk compares both ways, and gives the number of claims.
func sameWalk(t *testing.T, s *Scanner, b []byte) int {
	t.Helper()
	claims := func(walk func([]byte)) []Claim {
		s.text, s.claims, s.compacted.end = b, s.claims[:0], -1
		s.field.named("")
		walk(b)
		s.near.reset()
		return slices.Clone(s.claims)
	}
	got, want := claims(s.walk), claims(s.walkBytes)
	if !slices.Equal(got, want) {
		t.Fatalf("%q: got %+v, want %+v", b, got, want)
	}
	blocks, single := reader{set: s.set.keywords}, reader{set: s.set.keywords}
	if a, z := blocks.read(b, 0, len(b)), single.step(b, 0, len(b)); a != len(b) || z != len(b) || !slices.Equal(blocks.hits, single.hits) {
		t.Fatalf("%q: got %v, want %v", b, blocks.hits, single.hits)
	}
	return len(got)
}
