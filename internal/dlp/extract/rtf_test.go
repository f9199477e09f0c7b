package extract

import (
	"strings"
	"testing"
)

func TestTextOfRTFIsRead(t *testing.T) {
	f := func(in, outcome, reason, want string) {
		t.Helper()
		got, res := piecesOf(t, strings.NewReader(`{\rtf1`+in), "", Limits{})
		if got != want || res.Outcome != outcome || res.Reason != reason || res.Type != kindRTF {
			t.Errorf("%+v\n%q\nwant %s %q\n%q", res, got, outcome, reason, want)
		}
	}
	ok := func(in, want string) {
		t.Helper()
		f(in+"}", Done, "", "paragraph 1| "+want+"\n")
	}
	ok(`\ansi hello\par world`, "hello\nworld")
	ok("\\ansi one\r\n two\\\nthree", "one two\nthree")
	ok(`\ansi caf\'e9 \'80 \{a\\b\}\~1\_2\-3`, `café € {a\b} 1-23`)
	ok(`\ansi 41{\b 11}\i  22\i0{\f1\fs20  33}`, "4111 22 33")
	ok(`\ansi\uc1 \u8364?x\u-10179?\u-8704?y{\uc2\u233\'c3\'a9z}\uc0\u233 q`, "€x😀yézéq")
	ok(`\ansi\u8364\'80{\par}\u233 }x`, "€\néx")
	ok(`\ansicpg1251\deff0{\fonttbl{\f0\fswiss\fcharset204{\*\panose 0201}Arial{\*\falt Other};}{\f1\fcharset128 Mincho;}{\f2\fnil X;}}`+
		`\f0\'cf\'f0\'e8 {\f1\'93\'fa\'96{}} {\f1\'93\'fa\'96\'7b}{\f2 \'ff}`, "При 日\ufffd 日本я")
	ok(`{\colortbl;\red0;}{\stylesheet{\s1 heading 1;}}{\*\generator W;}{\*\unknown gone}{\pict\pngblip 89504e}text{\*\bkmkstart a}`, "text")
	ok(`{\b0\*\cs7 style}{\*\cs8 s}`, "styles")
	ok(`{\pict\bin4 {}{}}after`, "after")
	ok(`\trowd\cellx1 a\cell b\cell\row c\cell d\cell\row`, "a\tb\t\nc\td")
	ok(`x{\footnote note}{\header head\par}{\*\shpinst{\sp{\sn n}{\sv v}}{\shptxt shape}}`, "xhead\nshape\nbeside the text| note\nv")
	ok(`{\info{\title T}{\author Ann}}{\field{\*\fldinst HYPERLINK "http://x.example"}{\fldrslt link}}`,
		"link\nbeside the text| T\nAnn\nHYPERLINK \"http://x.example\"")
	ok(`\fromhtml1{\*\htmltag64 <a href="http://x.example">}here{\*\htmltag72 </a>}`,
		"here\nbeside the text| <a href=\"http://x.example\">\n</a>")
	f(`x{\object\objemb{\*\objdata 0105}{\result y}}}`, Partial, "1 embedded object: there is no reader for it", "paragraph 1| xy\n")
	f(`\ansi hel`, Partial, "damaged: it ends inside of a group", "paragraph 1| hel\n")
	f(`\ansi hello} more`, Done, "", "paragraph 1| hello more\n")
	f(strings.Repeat("{", 2000), NotScanned, "groups below 1000 others, the limit of RTF", "")
	f(`\bin999999999 x`, NotScanned, "damaged: it ends inside of a group", "")
}

func TestLimitsHoldForRTF(t *testing.T) {
	got, res := piecesOf(t, strings.NewReader(`{\rtf1 `+strings.Repeat(`\'41`, 1<<20)+"}"), "", Limits{Text: 1 << 10})
	if res.Outcome != Partial || !strings.Contains(res.Reason, "only the first 1 KiB of its text") || len(got) > 2<<10 {
		t.Errorf("%+v", res)
	}
	damaged(t, []byte(`{\rtf1\ansicpg932{\fonttbl{\f0\fcharset128 A;}}`+
		`\f0\'93\'fa\uc1\u8364?\bin2 ab{\info{\title T}}\trowd a\cell\row{\*\x y}}`))
}

func FuzzRTF(f *testing.F) {
	f.Add(`\ansicpg1252{\fonttbl{\f0\fcharset128 A;}}\f0\'93\'fa\uc1\u8364?{\info{\title T}}\bin3 abc{\*\x y}}`)
	f.Add(`\u-10179?\u-8704?{\field{\*\fldinst A}{\fldrslt b}}\par`)
	f.Fuzz(func(t *testing.T, in string) { check(t, []byte(`{\rtf1`+in), "") })
}
