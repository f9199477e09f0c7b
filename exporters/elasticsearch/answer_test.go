package elasticsearch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func outcomes(text string, want int) ([]outcome, error) {
	var all []outcome
	n, err := readAnswer(strings.NewReader(text), want, func(o outcome) { all = append(all, o) })
	if n != len(all) {
		return all, fmt.Errorf("%d counted, %d seen", n, len(all))
	}
	return all, err
}

func TestOutcomesAreReadAsTheyArrive(t *testing.T) {
	f := func(text string, want ...outcome) {
		t.Helper()
		got, err := outcomes(text, len(want))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: got %v, %v", text, got, err)
		}
	}
	f(`{"items":[]}`)
	f(`{"took":3,"errors":false,"items":[{"create":{"status":201}},{"index":{"_id":"a","status":409}}],"x":[1,{"y":null}]}`,
		outcome{status: 201}, outcome{status: 409})
	f(` { "items" : [ { "create" : { "status" : 400 , "error" : { "type" : "t" , "reason" : "\u00e9\ud83d\ude00\"\\\/" } } } ] } `,
		outcome{400, "t", `é😀"\/`})
	f(`{"items":[{"create":{"error":{"reason":"a","caused_by":{"reason":"b","caused_by":{"reason":"c"}},"type":"t"},"status":400}}]}`,
		outcome{400, "t", "a: b: c"})
	f(`{"items":[{"create":{"status":500,"error":"as old servers say it"}}]}`, outcome{500, "", "as old servers say it"})
	f(`{"items":[{"create":{"status":400,"error":{"type":["x"],"reason":{"y":1}}}}]}`, outcome{400, "", ""})
	f(`{"items":[{"create":{}}]}`, outcome{})
	f(`{"items":[{"create":{"status":400,"error":{"reason":"`+strings.Repeat("x", 5000)+`"}}}]}`,
		outcome{400, "", strings.Repeat("x", textLimit)})
}

func TestWhatAnAnswerDoesNotSayIsNotDone(t *testing.T) {
	f := func(text string, ops, seen int, want string) {
		t.Helper()
		got, err := outcomes(text, ops)
		if err == nil || len(got) != seen || !strings.Contains(err.Error(), want) {
			t.Fatalf("%s: %d outcomes, %v; want %d, %q", text, len(got), err, seen, want)
		}
	}
	whole := `{"items":[{"create":{"status":201}},{"create":{"status":201}}]}`
	for cut := range len(whole) {
		got, err := outcomes(whole[:cut], 2)
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(got) > strings.Count(whole[:cut], "201}}") {
			t.Fatalf("%s: %v, %v", whole[:cut], got, err)
		}
	}
	f(whole, 3, 2, "2 outcomes for 3")
	f(whole, 1, 1, "more outcomes than 1")
	f(`{"errors":false}`, 2, 0, "0 outcomes")
	f(`[]`, 1, 0, "belongs")
	f(`<html>`, 1, 0, "belongs")
	f(`{"items":[{"create":{"status":201}} {"create":{"status":201}}]}`, 2, 1, "belongs")
	f(`{"items":[{"create":{"status":"created"}}]}`, 1, 0, "status")
	f(`{"items":[{"create":{"status":7}}]}`, 1, 0, "status")
	f(`{"items":[{"create":{"status":`+strings.Repeat("2", 100)+`}}]}`, 1, 0, "no end")
	f(`{"x":`+strings.Repeat("[", 5000), 1, 0, "too deep")
	if _, err := readAnswer(iotest.ErrReader(errors.New("cut")), 1, func(outcome) {}); err == nil || !strings.Contains(err.Error(), "cut") {
		t.Fatal(err)
	}
}

// endless is an answer that goes on for n bytes.
func endless(head, body string, n int64) io.Reader {
	return io.MultiReader(strings.NewReader(head), io.LimitReader(repeated(body), n))
}

type repeated string

func (r repeated) Read(b []byte) (n int, err error) {
	for n < len(b) {
		n += copy(b[n:], string(r))
	}
	return n, nil
}

func TestALyingAnswerCostsNoMemory(t *testing.T) {
	f := func(in io.Reader) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := readAnswer(in, 10, func(outcome) {}); err == nil {
			t.Fatal("no error")
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Fatalf("%d bytes for 32 MiB", n)
		}
	}
	f(endless(`{"items":[{"create":{"error":{"reason":"`, "xyz", 32<<20))
	f(endless(`{"`, "xyz", 32<<20))
	f(endless(`{"x":[0`, ",1", 32<<20))
	f(endless(`{"items":[{"create":{"status":201}}`, `,{"create":{"status":201}}`, 32<<20))
}

func FuzzBulkAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"items":[{"create":{"status":201}},{"index":{"_id":"a","status":409}}]}`,
		`{"took":1,"items":[{"create":{"status":400,"error":{"type":"t","reason":"r","caused_by":{"reason":"\ud83d\ude00"}}}}]}`,
		`{"items":[{"create":{"status":500,"error":"text"}}],"x":[1e9,null,true,{"a":[[]]}]}`,
		`{"error":{"type":"x"},"status":429}`, `{"items":[{"create":`, `{"items":[{"create":{"status":"201"}}]}`,
	} {
		f.Add([]byte(seed), 2)
	}
	f.Fuzz(func(t *testing.T, text []byte, ops int) {
		ops = ops & 7
		var got []outcome
		n, err := readAnswer(strings.NewReader(string(text)), ops, func(o outcome) {
			if len(o.typ) > textLimit+4 || len(o.reason) > 4*textLimit+4 {
				t.Fatalf("kept %d and %d bytes", len(o.typ), len(o.reason))
			}
			got = append(got, o)
		})
		if n != len(got) || n > ops || err == nil && n != ops {
			t.Fatalf("%d outcomes of %d, %d told, %v", len(got), ops, n, err)
		}
		var plain struct {
			Items []map[string]struct{ Status int }
		}
		if err != nil || json.Unmarshal(text, &plain) != nil || len(plain.Items) != ops {
			return // the library takes member names in any case and the last of twins
		}
		for i, item := range plain.Items {
			for _, o := range item {
				if len(item) == 1 && o.Status != got[i].status && strings.Count(strings.ToLower(string(text)), "status") <= ops &&
					!strings.Contains(string(text), `\u`) && strings.Contains(string(text), `"status"`) {
					t.Fatalf("%s: outcome %d is %d, want %d", text, i, got[i].status, o.Status)
				}
			}
		}
	})
}
