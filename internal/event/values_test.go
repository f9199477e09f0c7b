package event

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestValuesReadWhatTheTableNames(t *testing.T) {
	l := Compile(Table{{"s", ""}, {"n", ""}, {"b", ""}, {"t", ""}, {"o", ""}, {"o.in", ""}, {"z", ""}, {`a\.b`, ""}, {"l[2]", ""}, {"esc",
		""}})
	var v Values
	raw := ` {"s":"x","n":12345678901234567890.50,"b":true,"t":"2026-11-23T20:14:03Z","o":{"in":7},"z":null,"a.b":"dot","l":[0,1,2],` +
		`"esc":"a\n\u00e9\ud83d\ude00"} `
	if err := l.Fill([]byte(raw), &v); err != nil {
		t.Fatal(err)
	}
	f := func(i int, want string, has bool) {
		t.Helper()
		if got := v.Str(i); got != want || v.Has(i) != has {
			t.Errorf("%d: got %q, %v", i, got, v.Has(i))
		}
	}
	f(0, "x", true)
	f(1, "12345678901234567890.50", true)
	f(2, "true", true)
	f(4, "", true)
	f(5, "7", true)
	f(6, "", false)
	f(7, "dot", true)
	f(8, "2", true)
	f(9, "a\né😀", true)
	f(10, "", false)
	f(-1, "", false)
	if string(v.Bytes(4)) != `{"in":7}` || string(v.Bytes(6)) != "null" || string(v.Raw) != strings.TrimSpace(raw) {
		t.Errorf("%s %s %s", v.Bytes(4), v.Bytes(6), v.Raw)
	}
	if n, ok := v.Int(5); n != 7 || !ok {
		t.Error(n, ok)
	}
	if on, ok := v.Bool(2); !on || !ok {
		t.Error(on, ok)
	}
	if at, ok := v.Time(3); !ok || at.Unix() != 1795464843 {
		t.Error(at, ok)
	}
	if (&Values{}).Has(0) || (&Values{Raw: json.RawMessage(`{}`)}).Str(3) != "" {
		t.Error("values without a layout are absent")
	}
}

func TestKeysMatchExactlyElseInAnyCase(t *testing.T) {
	l := Compile(Table{{"eventType", ""}, {"id", ""}, {"ID", ""}, {"straße", ""}, {"a.b", ""}})
	f := func(raw string, want ...string) {
		t.Helper()
		var v Values
		for range 2 { // the second time the keys are guessed
			if err := l.Fill([]byte(raw), &v); err != nil {
				t.Fatal(err)
			}
			for i, w := range want {
				if v.Str(i) != w {
					t.Errorf("%s: value %d is %q, want %q", raw, i, v.Str(i), w)
				}
			}
		}
	}
	f(`{"eventType":"x"}`, "x")
	f(`{"eventtype":"x"}`, "x")
	f(`{"EVENTTYPE":"x"}`, "x")
	f(`{"event_type":"x"}`, "")
	f(`{"ID":"big","id":"small"}`, "", "small", "big")
	f(`{"Id":"first"}`, "", "first", "")
	f(`{"id":"1","id":"2"}`, "", "2")
	f(`{"id":"1","id":null}`, "", "")
	f(`{"STRAßE":"x"}`, "", "", "", "x")
	f(`{"\u0069d":"x"}`, "", "x")
	f(`{"a":{"b":"1"},"a":{"c":"2"}}`, "", "", "", "", "")
	f(`{"a":{"b":"1"},"A":{"B":"2"}}`, "", "", "", "", "2")
	f(`{"a":"text"}`, "", "", "", "", "")
}

func TestGuessesDoNotOutliveTheirObject(t *testing.T) {
	l := Compile(Table{{"a", ""}, {"b", ""}, {"c", ""}})
	var v Values
	for _, raw := range []string{`{"a":1,"b":2,"c":3}`, `{"c":3,"x":{"a":9},"a":1}`, `{"b":2}`, `{"c":3,"b":2,"a":1}`, `{}`,
		`{"x":1,"c":3}`} {
		if err := l.Fill([]byte(raw), &v); err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"a", "b", "c"} {
			if _, has := want[name]; has != v.Has(i) {
				t.Errorf("%s: %s is there: %v", raw, name, v.Has(i))
			}
		}
	}
}

func TestMalformedTablesPanic(t *testing.T) {
	for _, path := range []string{"", "a..b", ".a", "a.", "a[x].b", "a[-1]", "a[1000]", "[0]"} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), "compile table") {
					t.Errorf("%q: panic %v", path, p)
				}
			}()
			Compile(Table{{path, ""}})
		}()
	}
}

func TestFillRefusesWhatIsNoObject(t *testing.T) {
	l := Compile(Table{{"a", ""}})
	v := Values{Raw: json.RawMessage(`{"a":1}`)}
	for _, raw := range []string{``, `null`, `1`, `[{"a":1}]`, `{"a":1} x`, `{"a":1`, `{"a":`, `{"a"`, "{\"a\":\"\xff\"}", `{"a":1}}`} {
		if err := l.Fill([]byte(raw), &v); err == nil || v.Has(0) {
			t.Errorf("%q: error %v, value %q", raw, err, v.Str(0))
		}
	}
}

func TestElemsAndMembers(t *testing.T) {
	f := func(raw, want string) {
		t.Helper()
		var got []string
		for e := range Elems(json.RawMessage(raw)) {
			got = append(got, string(e))
		}
		for name, e := range Members(json.RawMessage(raw)) {
			got = append(got, name+"="+string(e))
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%s: got %s, want %s", raw, s, want)
		}
	}
	f(` [ 1 , "a" , {"b":[2]} , null ] `, `1|"a"|{"b":[2]}|null`)
	f(`[]`, "")
	f(`[1,2`, "1|2")
	f(`[1,,2]`, "1")
	f(`{"a":1, "b\u0021" : [2] , "a":3}`, `a=1|b!=[2]|a=3`)
	f(`{}`, "")
	f(`{"a":1,`, "a=1")
	f(`5`, "")
	f(``, "")
	for range Elems(json.RawMessage(`[1,2]`)) {
		break
	}
	for range Members(json.RawMessage(`{"a":1,"b":2}`)) {
		break
	}
}

func TestIntegersStayExact(t *testing.T) {
	f := func(s string, want int64, ok bool) {
		t.Helper()
		if n, good := parseInt(s); n != want && ok || good != ok {
			t.Errorf("%s: %d, %v", s, n, good)
		}
	}
	f("9007199254740993", 9007199254740993, true)
	f("9223372036854775807", math.MaxInt64, true)
	f("9223372036854775808", 0, false)
	f("-5", -5, true)
	f("1.0", 1, true)
	f("1e3", 1000, true)
	f("1.5", 0, false)
	f("1e300", 0, false)
	f("x", 0, false)
	f("-", 0, false)
	f("", 0, false)
}

func TestTimesInEveryForm(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		at, ok := ParseTime(s)
		got := ""
		if ok {
			got = string(appendTime(nil, at))
			if at.Location() != time.UTC {
				t.Errorf("%s: not UTC", s)
			}
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
	f("2026-11-23T20:14:03Z", "2026-11-23T20:14:03.000Z")
	f("2026-11-23T20:14:03.4170000Z", "2026-11-23T20:14:03.417Z")
	f("2026-11-23T20:14:03.123456789Z", "2026-11-23T20:14:03.123456789Z")
	f("2026-11-23T20:14:03.1234567891Z", "2026-11-23T20:14:03.123456789Z")
	f("2026-11-23t20:14:03.123456z", "2026-11-23T20:14:03.123456Z")
	f("2026-11-23T22:14:03+02:00", "2026-11-23T20:14:03.000Z")
	f("2026-11-23T15:44:03.5-0430", "2026-11-23T20:14:03.500Z")
	f("2026-11-23T21:14:03+01", "2026-11-23T20:14:03.000Z")
	f("2026-11-23 20:14:03", "2026-11-23T20:14:03.000Z")
	f("2026-11-23 20:14:03.5 UTC", "2026-11-23T20:14:03.500Z")
	f("2026-11-23 20:14:03 +0100", "2026-11-23T19:14:03.000Z")
	f("2026-11-23T20:14", "2026-11-23T20:14:00.000Z")
	f("2026-11-23T20:14Z", "2026-11-23T20:14:00.000Z")
	f("2026-11-23T20:14:03,5Z", "2026-11-23T20:14:03.500Z")
	f("2026-11-23", "2026-11-23T00:00:00.000Z")
	f("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z")
	f("1795464843", "2026-11-23T20:14:03.000Z")
	f("1795464843.417", "2026-11-23T20:14:03.417Z")
	f("1795464843417", "2026-11-23T20:14:03.417Z")
	f("1795464843417123", "2026-11-23T20:14:03.417123Z")
	f("1795464843417123456", "2026-11-23T20:14:03.417123456Z")
	f("20261123201403", "2026-11-23T20:14:03.000Z")
	f("20261123201403.417", "2026-11-23T20:14:03.417Z")
	f("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z")
	for _, s := range []string{"", "0", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-04-31", "2026-11-23T24:00:00Z",
		"2026-11-23T20:60:00Z", "2026-11-23T20:14:03+25:00", "2026-11-23T20:14:03X", "2026-11-23T20:14:03Zx", "2026-11-23X20:14:03Z",
		"2026-1-23", "yesterday", "12x",
		"-5", "20261323201403", "99999999999999999999", "2026-11-23T2", "2026-11-23T20:1"} {
		f(s, "")
	}
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2026-11-23T20:14:03.417Z", "1795464843417", "2026-11-23 20:14:03 +0100", "20261123201403.4",
		"2026-11-23T20:14", "0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := ParseTime(s)
		want, err := time.Parse(time.RFC3339Nano, s)
		if err == nil && want.Year() > 1 && !(want.Unix() == 0 && want.Nanosecond() == 0) && (!ok || !at.Equal(want)) {
			t.Fatalf("%q: %v, %v; want %v", s, at, ok, want)
		}
		if ok {
			if again, good := ParseTime(string(appendTime(nil, at))); at.Year() < 10000 && at.Year() > 1 && (!good || !again.Equal(at)) {
				t.Fatalf("%q: written and read again it is %v", s, again)
			}
		}
	})
}
