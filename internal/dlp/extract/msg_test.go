package extract

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// packedRTF is the example of [MS-OXRTFCP] 4.1: a document that says hello world.
func packedRTF(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString("2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232" + "0af32068656c090020627705b06c647d0a800fa0")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// msgOf makes a message of Outlook of streams by path and content in turn.
func msgOf(t testing.TB, files ...string) []byte {
	return cfbOf(t, append([]string{"__properties_version1.0", strings.Repeat("\x00", 32) + packed32(0x3ffd0003) + packed32(6) +
		packed32(1251) +
		packed32(0)}, files...)...)
}

func TestBodiesOfOutlookAreUnpacked(t *testing.T) {
	x := newRun(t.Context(), Limits{}, func(*Piece) {})
	got, err := x.rtfUnpack(packedRTF(t))
	if want := "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	plain := packed32(99) + packed32(5) + "MELA" + packed32(0) + "{\\rtf}"
	if got, err := x.rtfUnpack([]byte(plain)); err != nil || string(got) != "{\\rtf" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := x.rtfUnpack([]byte("short")); err == nil {
		t.Error("no error")
	}
}

func TestMessagesOfOutlookAreRead(t *testing.T) {
	const s = msgStream
	in := msgOf(t, s+"0037001F", wide("Grüße"), s+"0C1A001E", "\xc0\xed\xed\xe0", s+"1000001F", wide("the body"),
		s+"10130102", "<p>\xef\xe0\xe3\xe5</p>", s+"10090102", string(packedRTF(t)),
		"__recip_version1.0_#00000000/"+s+"3003001F", wide("b@example.com"),
		"__attach_version1.0_#00000000/"+s+"3707001F", wide("a.csv"), "__attach_version1.0_#00000000/"+s+"37010102", "n,m,k\n1,2,3\n4,5,6\n",
		"__attach_version1.0_#00000001/"+s+"3701000D/__properties_version1.0", "",
		"__attach_version1.0_#00000001/"+s+"3701000D/"+s+"1000001F", wide("inner"))
	got, res := piecesOf(t, bytes.NewReader(in), "", Limits{})
	for _, want := range []string{"its properties, Subject| Grüße\nАнна\n", "body: line 1| the body\n", "body as HTML: line 1| паге\n",
		"body as RTF: paragraph 1| hello world\n", "a recipient, address| b@example.com\n", "attachment 1, filename| a.csv\n",
		"a.csv: row 2, n| 1\t2\t3\n", "attachment 2/body: line 1| inner\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if res.Outcome != Done || res.Type != kindMsg {
		t.Errorf("%+v", res)
	}
	_, res = piecesOf(t, bytes.NewReader(in), "", Limits{Entries: 1})
	if res.Outcome != Partial || !strings.Contains(res.Reason, "only 1 entries were read") {
		t.Errorf("%+v", res)
	}
}

func TestCompoundFilesThatLieEnd(t *testing.T) {
	whole := doc97Of(t, 0, strings.Repeat("text ", 3000))
	f := func(change func(b []byte)) {
		t.Helper()
		b := bytes.Clone(whole)
		change(b)
		check(t, b, "")
	}
	fat := 512 * (1 + int(le.Uint32(whole[76:])))
	dir := 512 * (1 + int(le.Uint32(whole[48:])))
	f(func(b []byte) { // every sector is followed by itself
		for i := range 128 {
			le.PutUint32(b[fat+4*i:], uint32(i))
		}
	})
	f(func(b []byte) { le.PutUint32(b[68:], le.Uint32(b[76:])) }) // the list of tables is a table
	f(func(b []byte) { le.PutUint32(b[dir+oleDirLen+72:], 1) })   // a stream is its own neighbour
	f(func(b []byte) { le.PutUint32(b[dir+oleDirLen+76:], 0) })   // the root is in a stream
	f(func(b []byte) { le.PutUint64(b[dir+oleDirLen+120:], 1<<40) })
	f(func(b []byte) { le.PutUint32(b[dir+2*oleDirLen+116:], le.Uint32(b[dir+oleDirLen+116:])) })
	var many []string
	for i := range 40 { // streams that share all of their bytes
		many = append(many, strings.Repeat("d/", 1+i%3)+string(rune('A'+i))+"/CONTENTS", strings.Repeat("x", 5000))
	}
	b := cfbOf(t, append(many, "WordDocument", strings.Repeat("\x00", 5000))...)
	dir = 512 * (1 + int(le.Uint32(b[48:])))
	for at := dir; at+oleDirLen <= len(b); at += oleDirLen {
		if b[at+66] == oleStream {
			le.PutUint32(b[at+116:], 0)
			le.PutUint64(b[at+120:], uint64(len(b)))
		}
	}
	_, res := piecesOf(t, bytes.NewReader(b), "", Limits{})
	if !strings.Contains(res.Reason, "its streams share bytes") {
		t.Errorf("%+v", res)
	}
	deep := cfbOf(t, strings.Repeat("d/", 200)+"WordDocument", "x")
	if _, res = piecesOf(t, bytes.NewReader(deep), "", Limits{}); res.Outcome != NotScanned {
		t.Errorf("%+v", res)
	}
}

func TestDamagedOldDocumentsAreNoTrouble(t *testing.T) {
	damaged(t, doc97Of(t, 0, "caf\xe9", "@日本\x13 A \x14b\x15", strings.Repeat("long ", 200)))
	damaged(t, xls8Of(t, []any{xlsTexts, packed32(1) + packed32(1) + xlText("name"), xlsContinue, "\x01ab"},
		records(xlsText, packed16(1, 1, 0)+packed32(0), xlsMulRK, packed16(3, 1, 0)+packed32(5)+packed16(1))))
	damaged(t, msgOf(t, msgStream+"0037001F", wide("x"), msgStream+"10090102", string(packedRTF(t)), "__attach_version1.0_#00000000/"+
		msgStream+"37010102", "x"))
}

func FuzzOld(f *testing.F) {
	f.Add(doc97Of(f, 0, "caf\xe9", "@日本"))
	f.Add(cfbOf(f, "PowerPoint Document", packed16(0xf, pptSlide)+packed32(9)+packed16(0, pptBytes)+packed32(1)+"x"))
	f.Add(xls8Of(f, []any{xlsTexts, packed32(1) + packed32(1) + xlText("name")}, records(xlsText, packed16(1, 1, 0)+packed32(0))))
	f.Add(msgOf(f, msgStream+"0037001F", wide("x"), msgStream+"10090102", string(packedRTF(f))))
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, in []byte) { check(t, in, "") })
}

func FuzzStreamsOfOld(f *testing.F) {
	f.Add([]byte(records(xlsBOF, packed16(0x600, 5), xlsTexts, packed32(1)+packed32(1)+xlText("name"), xlsContinue, "\x01ab")),
		[]byte(packedRTF(f)))
	f.Add([]byte(packed16(0xf, pptSlide)+packed32(9)+packed16(0, pptBytes)+packed32(1)+"x"), []byte{1, 2, 3})
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		check(t, cfbOf(t, "Workbook", string(a), "\x05SummaryInformation", string(b)), "")
		check(t, cfbOf(t, "PowerPoint Document", string(a), "\x01Ole10Native", string(b)), "")
		check(t, cfbOf(t, "WordDocument", string(a), "0Table", string(b)), "")
		check(t, msgOf(t, msgStream+"10090102", string(a), msgStream+"1000001E", string(b)), "")
	})
}
