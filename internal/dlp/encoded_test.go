package dlp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
	"github.com/longshore-dev/longshore/internal/sim"
)

// toldOf are the findings of an object: types, counts and fingerprints.
func toldOf(s *Scanner) (out []string) {
	for _, f := range s.Findings() {
		out = append(out, fmt.Sprint(f.Type.ID, f.Confidence, f.Count, f.Fingerprints))
	}
	return out
}

// TestWhatAFieldHoldsInBase64IsFound compares what members and cells hold in base64 with what they hold as it is written.
func TestWhatAFieldHoldsInBase64IsFound(t *testing.T) {
	s, r := all(t, 0), noise{sim.NewRand(21, 1)}
	object := func(text string) []string {
		b, err := json.Marshal(map[string]any{"data": []string{text}})
		if err != nil {
			t.Fatal(err)
		}
		s.Reset()
		s.JSON(b)
		return toldOf(s)
	}
	cell := func(text string) []string {
		in := "id;data\n1;" + text + "\n2;x\n3;y\n"
		if _, err := s.File(context.Background(), strings.NewReader(in), "a.csv", int64(len(in)), extract.Limits{}); err != nil {
			t.Fatal(err)
		}
		return toldOf(s)
	}
	found := 0
	for kind := uint8(nino); kind < detectors; kind++ {
		text := keywordsOf(kind)[0] + ": " + made(r, kind) + " and what is around it"
		if len(text) > 1000 || strings.ContainsAny(text, "\r\n;") { // a cell has no lines here
			continue
		}
		want := object(text)
		found += len(want)
		for _, code := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			packed := code.EncodeToString([]byte(text))
			if got := object(packed); !slices.Equal(got, want) {
				t.Errorf("%s as %s: %v, want %v", table[kind].ID, packed, got, want)
			}
			if got := cell(packed); !slices.Equal(got, want) {
				t.Errorf("%s in a cell: %v, want %v", table[kind].ID, got, want)
			}
		}
		twice := base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(text))))
		if got := object(twice); len(got) > 0 && !slices.Contains(got, "secrets") && len(want) > 0 && slices.Equal(got, want) {
			t.Errorf("%s packed twice: %v", table[kind].ID, got)
		}
	}
	if found < detectors/2 {
		t.Errorf("%d findings of %d types", found, detectors)
	}
}

func TestWhatLooksLikeBase64AndIsNoTextIsLeft(t *testing.T) {
	s := &scanner{set: &Set{}}
	f := func(text string, want string) {
		t.Helper()
		if got := string(s.unpacked([]byte(text))); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	f("SGVsbG8gd29ybGQhIQ==", "Hello world!!")
	f("SGVsbG8gd29ybGQhIQ", "Hello world!!")
	f("SGVsbG8=", "")
	f("SGVsbG8gd29ybGQhIQ==x", "")
	f("SGVsbG8 gd29ybGQhIQ==", "")
	f("AAECAwQFBgcICQoLDA0ODw==", "")
	f("SGVsbG8AAAAAAAAAAAAAAA==", "")
	f("SGVsbG8g//////////////8=", "")
	f("Pz8_Pz8-Pz8_Pz8_", "?????>??????")
	f(strings.Repeat("QUFB", maxPacked/4+1), "")
	random, texts := sim.NewRand(5, 5), 0
	for range 20_000 {
		if s.unpacked(random.Name(nil, 20)) != nil {
			texts++
		}
	}
	if texts > 10 {
		t.Errorf("%d of 20000 random names are texts in base64", texts)
	}
}

func TestTypographicCharactersOfRecordsAreAsThePlainOnes(t *testing.T) {
	f := func(text string, want int) {
		t.Helper()
		s := all(t, Medium)
		b, _ := json.Marshal(map[string]string{"note": text})
		var seen []string
		s.Each(func(text []byte, c Claim) { seen = append(seen, string(text[c.Start:c.End])) })
		s.Reset()
		s.JSON(b)
		n := 0
		for _, x := range s.Findings() {
			if x.Type.ID == "pci.credit_card" {
				n += x.Count
			}
		}
		if n != want || want > 0 && !slices.Contains(seen, text) {
			t.Errorf("%q: %d, want %d; told %q", text, n, want, seen)
		}
		s.Reset()
		s.Text([]byte(text), "note")
		if got := len(s.Findings()) > 0; got != (want > 0) {
			t.Errorf("%q as a text: %t", text, got)
		}
	}
	f("card 4539\u00a01488\u00a00343\u00a06467", 1)
	f("card 4539\u20131488\u20130343\u20136467", 1)
	f("card \uff14\uff15\uff13\uff19\uff11\uff14\uff18\uff18\uff10\uff13\uff14\uff13\uff16\uff14\uff16\uff17", 1)
	f("card \u0664\u0665\u0663\u0669\u0661\u0664\u0668\u0668\u0660\u0663\u0664\u0663\u0666\u0664\u0666\u0667", 1)
	f("card 4539\u200b1488\u200b0343\u200b6467", 1)
	f("card \U0001d7d2\U0001d7d3\U0001d7d1\U0001d7d7\u00b71488 0343 6467", 0)
}
