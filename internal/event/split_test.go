package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// readAll gives the rows and the rows set aside, and the error that ended it (nil for io.EOF).
func readAll(s *Splitter) (rows []string, bad []*RowError, err error) {
	var v Values
	for {
		raw, err := s.Next(&v)
		var aside *RowError
		switch {
		case err == io.EOF:
			return rows, bad, nil
		case errors.As(err, &aside):
			bad = append(bad, aside)
		case err != nil:
			return rows, bad, err
		default:
			rows = append(rows, string(raw))
		}
	}
}

func TestRowsAreFoundAtThePath(t *testing.T) {
	f := func(page, path, want string) {
		t.Helper()
		for _, hint := range []int{0, 1, 7} {
			rows, bad, err := readAll(NewSplitter(strings.NewReader(page), path, nil, SplitOptions{Hint: hint}))
			if got := strings.Join(rows, "|"); err != nil || len(bad) > 0 || got != want {
				t.Errorf("%s at %q, hint %d: got %s, set aside %v, error %v; want %s", page, path, hint, got, bad, err, want)
			}
		}
	}
	f(`[{"a":1},{"a":2}]`, "", `{"a":1}|{"a":2}`)
	f("\ufeff [ {\"a\" : 1} ,\n\"x\",2.5e1, true ] ", "", `{"a" : 1}|"x"|2.5e1|true`)
	f(`[]`, "", "")
	f(`null`, "", "")
	f(`{"value":[1,2],"next":"x"}`, "value", "1|2")
	f(`{"next":{"q":[7]},"a":{"x":[9],"b":[1]},"z":[3]}`, "a.b", "1")
	f(`{"VALUE":[1]}`, "value", "1")
	f(`{"@odata.count":1,"@odata.x":[1]}`, `@odata\.x`, "1")
	f(`{"value":null}`, "value", "")
	f(`{"a":null}`, "a.b", "")
	f(`{"other":[1]}`, "value", "")
	f(`{}`, "value", "")
}

func TestOneObjectIsOneRowWhenAskedFor(t *testing.T) {
	rows, _, err := readAll(NewSplitter(strings.NewReader(` {"a":[1]} `), "", nil, SplitOptions{Single: true}))
	if err != nil || len(rows) != 1 || rows[0] != `{"a":[1]}` {
		t.Errorf("got %q, %v", rows, err)
	}
	rows, _, err = readAll(NewSplitter(strings.NewReader(`{"v":{"a":1},"n":2}`), "v", nil, SplitOptions{Single: true}))
	if err != nil || len(rows) != 1 || rows[0] != `{"a":1}` {
		t.Errorf("got %q, %v", rows, err)
	}
}

func TestBadPagesEndWithAnErrorThatSaysWhere(t *testing.T) {
	f := func(page, path, want string) {
		t.Helper()
		rows, _, err := readAll(NewSplitter(strings.NewReader(page), path, nil, SplitOptions{MaxRow: 100, MaxBytes: 1000}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: rows %q, error %v, want %q", page, rows, err, want)
		}
	}
	f(``, "", "unexpected EOF")
	f(`[{"a":1}`, "", "at offset 8: unexpected EOF")
	f(`[{"a":"x`, "", "unexpected EOF")
	f(`[1`, "", "unexpected EOF")
	f(`{"value":[1]`, "value", "unexpected EOF")
	f(`[1] x`, "", "found 'x' at offset 4 where JSON needs the end")
	f(`[1,]`, "", "found ']' at offset 3")
	f(`[1 2]`, "", "a comma or ]")
	f(`[{"a":1}}`, "", "a comma or ]")
	f(`{"value":[1] "b":2}`, "value", "a comma or }")
	f(`{"error":"no"}`, "", "found an object at offset 0 where a list should be: the top")
	f(`{"a":{"b":"x"}}`, "a.b", "found a string at offset 10 where a list should be: a.b")
	f(`{"a":[1]}`, "a.b", "found a list at offset 5 where an object should be: a")
	f(`5`, "", "found a number")
	f(`[`+strings.Repeat(" ", 50)+`"`+strings.Repeat("x", 200)+`"]`, "", "is longer than 100 bytes")
	f(`[`+strings.Repeat("1,", 600)+`1]`, "", "the input is longer than 1000 bytes")
	f(`[1}`, "", "a comma or ]")
	f(`{a:[]}`, "a", "a name in quotes")
}

func TestMalformedRowIsSetAsideAndTheRestGoesOn(t *testing.T) {
	l := Compile(Table{{"a", ""}})
	f := func(row, why string) {
		t.Helper()
		page := `{"value":[{"a":1},` + row + `,{"a":2}],"next":"n"}`
		for _, hint := range []int{0, 1} {
			s := NewSplitter(strings.NewReader(page), "value", l, SplitOptions{Hint: hint})
			rows, bad, err := readAll(s)
			if err != nil || strings.Join(rows, "|") != `{"a":1}|{"a":2}` || len(bad) != 1 {
				t.Errorf("%s: rows %q, set aside %v, error %v", row, rows, bad, err)
				return
			}
			if string(bad[0].Raw) != row || !strings.Contains(bad[0].Error(), why) {
				t.Errorf("%s: set aside %s: %v", row, bad[0].Raw, bad[0])
			}
			if next, _ := s.Field("next"); next != "n" {
				t.Errorf("%s: the member after the rows is %q", row, next)
			}
		}
	}
	f(`null`, "null where a row should be")
	f(`{"a":tru}`, "found '}' at offset 8")
	f(`{"a":1,}`, "a name in quotes")
	f(`{"a":01}`, "a comma or }")
	f(`{"a":"\x"}`, "an escape")
	f(`{"a":"\ud8"}`, "a hexadecimal digit")
	f("{\"a\":\"x\ny\"}", "an escaped control character")
	f(`{"a" 1}`, "a colon")
	f(`{a:1}`, "a name in quotes")
	f(`{"a":[1}}`, "a comma or ]")
	f("{\"a\":\"\xff\"}", "not UTF-8")
	f(strings.Repeat(`{"a":`, 600)+"1"+strings.Repeat("}", 600), "nested deeper than 512")
}

func TestFieldsBesideTheRows(t *testing.T) {
	page := `{"before":"b","n":17,"paging":{"next":"p\u0031","deep":{"x":true}},
		"data":{"next":"inner","items":[{"next":"row"}],"cursor":"c"},
		"@odata.nextLink":"https://x/?a=1&b=2","none":null,"list":["a"],"next":"outer"}`
	s := NewSplitter(strings.NewReader(page), "data.items", nil, SplitOptions{Hint: 1})
	if _, _, err := readAll(s); err != nil {
		t.Fatal(err)
	}
	f := func(name, want string) {
		t.Helper()
		if got, ok := s.Field(name); got != want || ok != (want != "") {
			t.Errorf("field %s: got %q, %v, want %q", name, got, ok, want)
		}
	}
	f("before", "b")
	f("n", "17")
	f("paging.next", "p1")
	f("paging.deep.x", "true")
	f("data.cursor", "c")
	f("cursor", "c")
	f("data.next", "inner")
	f("next", "outer")
	f("@odata.nextLink", "https://x/?a=1&b=2")
	f("none", "")
	f("list", "")
	f("paging", "")
	f("missing", "")
}

func TestReadErrorComesAfterTheRowsBeforeIt(t *testing.T) {
	broken := errors.New("broken")
	s := NewSplitter(io.MultiReader(strings.NewReader(`[{"a":1},{"a":2},{"a`), iotest.ErrReader(broken)), "", nil, SplitOptions{})
	rows, _, err := readAll(s)
	if !errors.Is(err, broken) || len(rows) != 2 {
		t.Errorf("rows %q, error %v", rows, err)
	}
	if _, again := s.Next(nil); again != err {
		t.Errorf("then error %v", again)
	}
	if _, _, err = readAll(NewSplitter(strings.NewReader(`[{"a`), "", nil, SplitOptions{})); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut page: error %v", err)
	}
}

func TestRowsThatAreNoObjectsHaveNoValues(t *testing.T) {
	s := NewSplitter(strings.NewReader(`["text",[1],{"a":1},7]`), "", Compile(Table{{"a", ""}}), SplitOptions{})
	var v Values
	for _, want := range []string{`"text" false`, `[1] false`, `{"a":1} true`, `7 false`} {
		raw, err := s.Next(&v)
		if got := fmt.Sprint(string(raw), " ", v.Has(0)); err != nil || got != want || string(v.Raw) != string(raw) {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
}

func TestRowsStayUnchangedWhileReadingGoesOn(t *testing.T) {
	l := Compile(Table{{"id", ""}, {"text", ""}})
	var page bytes.Buffer
	page.WriteString("[")
	for i := range 2000 {
		if i > 0 {
			page.WriteString(",")
		}
		fmt.Fprintf(&page, `{"id":"%d","text":"%s"}`, i, strings.Repeat("x", i%300))
	}
	page.WriteString("]")
	s := NewSplitter(iotest.HalfReader(bytes.NewReader(page.Bytes())), "", l, SplitOptions{Hint: 100})
	var rows []json.RawMessage
	var ids []string
	var v Values
	for raw, err := s.Next(&v); err != io.EOF; raw, err = s.Next(&v) {
		if err != nil {
			t.Fatal(err)
		}
		rows, ids = append(rows, raw), append(ids, v.Str(0))
		if cap(raw) != len(raw) {
			t.Fatal("an append to a row would write into the page")
		}
	}
	for i, raw := range rows {
		want := fmt.Sprintf(`{"id":"%d","text":"%s"}`, i, strings.Repeat("x", i%300))
		if string(raw) != want || ids[i] != fmt.Sprint(i) {
			t.Fatalf("row %d: %s, id %s", i, raw, ids[i])
		}
	}
	if len(rows) != 2000 {
		t.Errorf("%d rows", len(rows))
	}
}

// meter counts what is asked of a reader.
type meter struct {
	r io.Reader
	n int
}

func (m *meter) Read(p []byte) (int, error) { m.n++; return m.r.Read(p) }

func TestLongRowIsReadInLinearTime(t *testing.T) {
	page := `[{"a":"` + strings.Repeat("x", 8<<20) + `"}]`
	m := &meter{r: strings.NewReader(page)}
	rows, _, err := readAll(NewSplitter(m, "", nil, SplitOptions{Hint: 1}))
	if err != nil || len(rows) != 1 || len(rows[0]) != len(page)-2 {
		t.Fatal(len(rows), err)
	}
	if m.n > 40 {
		t.Errorf("%d reads, each of which scans the row again", m.n)
	}
}

// nesting is the deepest nesting of brackets outside strings.
func nesting(b []byte) (deepest int) {
	for i, depth := 0, 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

var seeds = []string{`[]`, `[{}]`, `[{"a":1}]`, `[{"a":"x","b":{"c":2,"C":3}},{"A":null,"a":"é\u00e9\ud83d\ude00\ud800"}]`,
	`[{"a":1,"a":{"b":2},"b":{"c":1},"b":{}}]`,
	`[{"t":[{"x":1},{"x":"2"}],"t":[]}]`, `[{"t":[0,{"x":[1,{"a":null}]}]}]`, `[1,-0,0.5,1e9,1E+9,-12.5e-3,true,false,"s"]`, `[01]`,
	`[1.]`, `[.5]`, `[+1]`, `[1e]`,
	`[{"a":tru}]`, `[{"a":"` + "\x01" + `"}]`, `[{"\u0061":1}]`, `[{"a":"\/\b\f\n\r\t\"\\"}]`,
	`[ {"b" : {"c" : "longer than eight bytes, \\ and more"} } ]`,
	`[{"a":1}`, `[{"a":1},]`, `[1]]`, `[{"K":1,"k":2}]`, `nul`, `null`, ` `, `{"a":1}`, `[{"b":{"c":1e400}}]`, `[{"b":[{"c":1}]}]`,
	"[\"\xff\"]", `[{"":1}]`}

func FuzzSplit(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), uint16(0))
		f.Add([]byte(s), uint16(3))
	}
	l := Compile(Table{{"a", ""}, {"b.c", ""}, {"t[1].x", ""}, {"b", ""}})
	f.Fuzz(func(t *testing.T, page []byte, hint uint16) {
		if nesting(page) > 400 || bytes.HasPrefix(bytes.TrimSpace(page), []byte("\ufeff")) {
			return
		}
		var want []json.RawMessage
		bad := json.Unmarshal(page, &want) != nil || !utf8.Valid(page)
		s := NewSplitter(bytes.NewReader(page), "", l, SplitOptions{Hint: int(hint)})
		var v Values
		at := 0
		for ; ; at++ {
			raw, err := s.Next(&v)
			if err == io.EOF {
				break
			}
			var aside *RowError
			if bad {
				if err != nil && !errors.As(err, &aside) {
					return
				}
				if aside != nil {
					return
				}
				continue
			}
			if errors.As(err, &aside) {
				if string(want[at]) != "null" {
					t.Fatalf("%q: good row set aside: %v", page, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%q: %v", page, err)
			}
			if string(raw) != string(want[at]) {
				t.Fatalf("%q: row %d is %q, want %q", page, at, raw, want[at])
			}
			if raw[0] == '{' {
				checkValues(t, raw, &v)
			}
		}
		if bad {
			t.Fatalf("%q: accepted", page)
		}
		if at != len(want) {
			t.Fatalf("%q: %d rows, want %d", page, at, len(want))
		}
	})
}

// checkValues compares the values of FuzzSplit's table with what encoding/json finds.
func checkValues(t *testing.T, raw json.RawMessage, v *Values) {
	t.Helper()
	b := member1(raw, "b")
	for i, want := range []json.RawMessage{member1(raw, "a"), member1(b, "c"), member1(element(member1(raw, "t"), 1), "x"), b} {
		if got := v.Bytes(i); string(got) != string(want) {
			t.Fatalf("%s: value %d is %q, want %q", raw, i, got, want)
		}
		var text string
		if json.Unmarshal(want, &text) == nil && v.Str(i) != text {
			t.Fatalf("%s: text %d is %q, want %q", raw, i, v.Str(i), text)
		}
	}
}

func member1(raw json.RawMessage, name string) (found json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, _ := d.Token()
		var val json.RawMessage
		if d.Decode(&val) != nil {
			return nil
		}
		if strings.EqualFold(key.(string), name) {
			found = val
		}
	}
	return found
}

func element(raw json.RawMessage, i int) json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || i >= len(list) {
		return nil
	}
	return list[i]
}
