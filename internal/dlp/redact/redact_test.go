package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// with are the values of texts, each of which is one whole.
func with(texts ...string) *Values {
	v := &Values{Method: Replace}
	for _, text := range texts {
		v.Add([]byte(text), 0, len(text), "x", func() string { return "print" })
	}
	return v
}

func TestAValueIsFoundHoweverItIsWritten(t *testing.T) {
	f := func(value, text, want string) {
		t.Helper()
		if got := string(with(value).Any([]byte(text))); got != want {
			t.Errorf("%q in %q: %q, want %q", value, text, got, want)
		}
	}
	f("536-90-4399", "a 536904399 b 536.90.4399", "a <x> b <x>")
	f("536-90-4399", "a 53690439 b", "a 53690439 b")
	f("AKIA234567ABCDEFGHIJ", "xakia234567abcdefghijy", "x<x>y")
	f("Nächster Schritt", "der NACHSTER\nSCHRITT!", "der <x>!")
	f("p@ss!wörd9#", "use p@ss!wörd9# now", "use <x> now")
	f("𝟓𝟑𝟔-90-4399", `{"a":"536904399 \ud835\udfd3\ud835\udfd1\ud835\udfd4904399"}`, `{"a":"536904399 <x>"}`)
	f("a+b/c=d12", "q=a%2Bb%2Fc%3Dd12", "q=<x>")
	f("a%2Bb%2Fcd12", "q a+b/cd12", "q <x>")
	f("-----BEGIN K-----\nMIIB12345\n", `{"k":"-----BEGIN K-----\nMIIB12345\nx"}`, `{"k":"<x>x"}`)
	f("§§", "a §§ b", "a <x> b")
	f("Falcon", "Falcon falcons", "<x> falcons")
	f("1234567", "1234567 12345678 a1234567b 1,234,567 12 34567", "<x> 12345678 a<x>b <x> <x>")
	f("123456789", "51234567890", "5<x>0")
	f("12-34567", "1 2 3 4 5 6 7", "<x>")
	f("123456789", "1 2 3.........4 5 6 7 8 9", "1 2 3.........4 5 6 7 8 9")
	f("abc", "", "")
	f("x", `\`, `\`)
	f("x y z 1", `%`, `%`)
}

func TestValuesThatOverlapAreMaskedTogether(t *testing.T) {
	v := with("123456789", "6789012345")
	if got := string(v.Text([]byte("a123456789012345b"))); got != "a<x>b" {
		t.Error(got)
	}
	if v.Masked["x"] != 1 {
		t.Error(v.Masked)
	}
	if v.Reset(); !v.Empty() || len(v.Masked) != 0 || string(v.Text([]byte("123456789"))) != "123456789" {
		t.Error("values are left after Reset")
	}
}

func TestWhatIsFoundInAWordIsMaskedInWords(t *testing.T) {
	v := &Values{Method: Mask}
	v.Add([]byte("xfalconx"), 1, 7, "x", nil)
	if got := string(v.Text([]byte("falcons"))); got != "******s" {
		t.Error(got)
	}
}

// TestTimeGrowsWithTheTextAlone: as many values as fit, all of which begin alike.
func TestTimeGrowsWithTheTextAlone(t *testing.T) {
	v := &Values{Method: Replace}
	var body bytes.Buffer
	for i := range 50_000 {
		value := fmt.Sprintf("4539148800%06d", i)
		v.Add([]byte(value), 0, len(value), "x", nil)
		body.WriteString(value + " ")
	}
	began := time.Now()
	if got := v.Text(body.Bytes()); bytes.Contains(got, []byte("4539")) || v.Masked["x"] != 50_000 {
		t.Error("values are left")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func FuzzRedaction(f *testing.F) {
	f.Add("4539 1488 0343 6467", `{"a":"4539148803436467","b":[4539148803436467,"{\"c\":4539148803436467}"],"4539148803436467":1}`)
	f.Add(`a\"b1234567`, `{"k":"a\\\"b1234567","l":"%5C%22","m":"\ud800\\u0041\\"}`)
	f.Add("\\", `["\\","\\\\\\"]`)
	f.Add("%41", "%2541 %41")
	f.Fuzz(func(t *testing.T, value, text string) {
		if len(value) == 0 || len(value) > 64 || len(text) > 4096 {
			return
		}
		v := with(value)
		out := v.Any([]byte(text))
		if json.Valid([]byte(text)) != json.Valid(out) && isJSON([]byte(text)) {
			t.Fatalf("%q with %q becomes %q", text, value, out)
		}
		if len(v.Masked) == 0 && string(out) != text {
			t.Fatalf("%q becomes %q, with nothing masked", text, out)
		}
		if digits := strings.Trim(value, "0123456789") == ""; digits && len(value) >= minFree && bytes.Contains(out, []byte(value)) {
			t.Fatalf("%q is left in %q", value, out)
		}
	})
}
