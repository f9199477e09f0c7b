package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/sim"
)

// leakPacks are the packs of what is planted.
var leakPacks = []string{"pci", "pii", "finance", "secrets", "health"}

// leakForms are sentences with values: <d9> are nine digits, w letters and digits, x hexadecimal ones, A capitals. Which of the
// numbers pass a check is left to the scanner.
var leakForms = []string{"ssn <d3>-<d2>-<d4>", "mail <a9>@private.example", "NINO AB<d6>C", "Steuer-ID <d11>", "DNI <d8><A1>",
	"codice fiscale RSSMRA<d2>T<d2>H<d3><A1>", "NHS number <d3> <d3> <d4>", "BSN <d9>", "PESEL <d11>", "CPF <d3>.<d3>.<d3>-<d2>",
	"Aadhaar <d4> <d4> <d4>", "TFN <d3> <d3> <d3>", "SIN <d3>-<d3>-<d3>", "rijksregisternummer <d11>", "AHV 756.<d4>.<d4>.<d2>",
	"passport number <d9>", "driver's licence <A1><d7>", "routing number <d9>", "bank account number <d10>", "NPI <d10>",
	"cuenta CLABE <d18>", "IMEI card <d15>", "glpat-<w20>", "xoxb-<d11>-<d11>-<w24>", "AIza<w35>", "sk_live_<w24>",
	"SG.<w22>.<w43>", "password = \"<w6>!<w6>9a\"", "postgres://app:<w12>@db.acme.example:5432/x", "Authorization: Bearer <w40>",
	"aws_secret_access_key = <w40>", "-----BEGIN PRIVATE KEY-----\n<w64>\n<w64>\n-----END PRIVATE KEY-----", "tel +49 30 <d7>",
	"AccountKey=<w86>==", "hf_<w34>", "github_pat_<w22>_<w59>", "shpat_<x32>", "SK<x32> twilio"}

var leakHole = regexp.MustCompile(`<([a-zA-Z])(\d+)>`)

// plantings are n different values with the sentences in which a scanner finds them.
func plantings(t *testing.T, n int) (sentences, values []string) {
	t.Helper()
	set, err := dlp.New(dlp.Options{Packs: leakPacks, Confidence: dlp.Low})
	if err != nil {
		t.Fatal(err)
	}
	s, r, types, seen := set.Scanner(), sim.NewRand(71, 1), map[string]bool{}, map[string]bool{}
	of := map[string]string{"d": "0123456789", "x": "0123456789abcdef", "a": "abcdefghijklmnopqrstuvwxyz", "A": "ABCDEFGHJKLMNPRSTVWXYZ",
		"w": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}
	for i := 0; len(values) < n; i++ {
		var text string
		if k := i % (len(leakForms) + 5); k < len(leakForms) {
			text = leakHole.ReplaceAllStringFunc(leakForms[k], func(hole string) string {
				size, _ := strconv.Atoi(hole[2 : len(hole)-1])
				b := make([]byte, size)
				for at := range b {
					b[at] = of[hole[1:2]][r.N(len(of[hole[1:2]]))]
				}
				return string(b)
			})
		} else {
			text = sim.Plant(r, []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}[k-len(leakForms)])
		}
		for _, c := range s.Claims([]byte(text), "note") {
			value := text[c.Start:c.End]
			if len(compacted(value)) < 8 || seen[value] {
				continue
			}
			types[c.Type().ID], seen[value] = true, true
			sentences, values = append(sentences, text), append(values, value)
			break
		}
	}
	if len(types) < 30 {
		t.Errorf("only %d types are planted", len(types))
	}
	return sentences, values
}

func compacted(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, s)
}

// leakShapes are the ways in which a value might be written: as it is, by its letters and digits, as JSON and URLs have it, in
// base64 and in hexadecimal.
func leakShapes(value string) (out []string) {
	quoted, _ := json.Marshal(value)
	bare := compacted(value)
	out = []string{value, bare, string(quoted[1 : len(quoted)-1]), url.QueryEscape(value), url.PathEscape(value),
		strings.NewReplacer(" ", "-", "-", " ").Replace(value)}
	for _, v := range []string{value, bare} {
		out = append(out, hex.EncodeToString([]byte(v)))
		for shift := range 3 { // inside of another text
			b := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + v))
			if b = b[min(len(b), (shift*8+5)/6):]; len(b) > 13 {
				out = append(out, b[:len(b)-2], strings.NewReplacer("+", "-", "/", "_").Replace(b[:len(b)-2]))
			}
		}
	}
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return len(s) < 8 })
}

// leaks looks for values in what was written, in any of their shapes.
type leaks struct {
	heads map[string][]leakForm // by their first eight bytes
	bytes int
}

type leakForm struct {
	text string
	of   int // which value
}

func newLeaks(values []string) *leaks {
	l := &leaks{heads: map[string][]leakForm{}}
	for i, v := range values {
		for _, s := range leakShapes(v) {
			l.heads[s[:8]] = append(l.heads[s[:8]], leakForm{s, i})
		}
	}
	return l
}

var zipped = []byte("\x1f\x8b\x08")

// in gives what is found, as people may see it: where, and which value by its number. What is packed by gzip is looked at unpacked too.
func (l *leaks) in(where string, b []byte) (found []string) {
	l.bytes += len(b)
	low := bytes.ToLower(b)
	for at := 0; at+8 <= len(low) && len(found) < 5; at++ {
		for _, f := range l.heads[string(low[at:at+8])] {
			if bytes.HasPrefix(low[at:], []byte(f.text)) {
				found = append(found, fmt.Sprintf("value %d is in %s at %d, in a shape of %d bytes, after %q", f.of, where, at, len(f.text),
					low[max(0, at-60):at]))
			}
		}
	}
	for at := 0; ; at++ {
		next := bytes.Index(b[at:], zipped)
		if next < 0 {
			return found
		}
		at += next
		if z, err := gzip.NewReader(bytes.NewReader(b[at:])); err == nil {
			plain, _ := io.ReadAll(io.LimitReader(z, 64<<20))
			found = append(found, l.in(where+" unpacked", plain)...)
		}
	}
}

func TestLeaksAreSeenInEveryShape(t *testing.T) {
	sentences, values := plantings(t, 100)
	l := newLeaks(values)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = io.WriteString(w, "x"+sentences[7])
	_ = w.Close()
	f := func(text string, want bool) {
		t.Helper()
		if got := len(l.in("it", []byte(text))) > 0; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	for _, v := range values {
		quoted, _ := json.Marshal(v)
		for _, text := range []string{v, strings.ToUpper(v), "x" + compacted(v) + "y", string(quoted), url.QueryEscape(v),
			hex.EncodeToString([]byte(v))} {
			f(text, true)
		}
		if len(v) > 14 {
			for shift := range 3 {
				f(base64.StdEncoding.EncodeToString([]byte("abc"[:shift]+v+"tail")), true)
			}
		}
	}
	f("junk"+z.String(), true)
	f("nothing of all that 1234567890", false)
}
