package extract

import (
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

func TestMailIsRead(t *testing.T) {
	f := func(in, kind, outcome, reason, want string) {
		t.Helper()
		got, res := piecesOf(t, strings.NewReader(in), "", Limits{})
		if got != want || res.Outcome != outcome || res.Reason != reason || res.Type != kind {
			t.Errorf("%+v\n%s\nwant %s %s %q\n%s", res, got, kind, outcome, reason, want)
		}
	}
	ok := func(want string, lines ...string) {
		t.Helper()
		f(made.Mail(lines...), kindMail, Done, "", "line 1, From| Ann <ann@example.com>\n"+want)
	}
	encode := func(s string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ok("Grüße, Ann\nbody: line 1| hello\n", "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "\t=?iso-8859-1?q?, Ann?=", "", "hello")
	jp := encode(japanese.ISO2022JP.NewEncoder().String("日本語のカード"))
	ok("日本語のカード\ntext/plain; charset=iso-2022-jp\nbody: line 1| 日本語のカード\n", "Subject: =?ISO-2022-JP?B?"+
		base64.StdEncoding.EncodeToString([]byte(jp))+"?=", "Content-Type: text/plain; charset=iso-2022-jp", "", jp)
	ok("text/plain; charset=\"GB18030\"\nbase64\nbody: line 1| 卡号 4111\n", "Content-Type: text/plain; charset=\"GB18030\"",
		"Content-Transfer-Encoding: base64", "",
		base64.StdEncoding.EncodeToString([]byte(encode(simplifiedchinese.GB18030.NewEncoder().String("卡号 4111")))))
	ok("text/plain; charset=koi8-r\nbody: line 1| паспорт\n", "Content-Type: text/plain; charset=koi8-r", "",
		encode(charmap.KOI8R.NewEncoder().String("паспорт")))
	ok("text/plain; charset=windows-1250\nquoted-printable\nbody: line 1| žluť 4111 1111=3\n",
		"Content-Type: text/plain; charset=windows-1250",
		"Content-Transfer-Encoding: quoted-printable", "", "=9Elu=9D 4111=", " 1111=3")
	ok("text/html\nbody: line 1| hi there\n", "Content-Type: text/html", "", "hi <b>there</b>")
	table := base64.StdEncoding.EncodeToString([]byte("n,m,k\n1,2,3\n4,5,6\n"))
	parts := []string{"Content-Type: multipart/mixed; boundary=\"o\"", "", "before", "--o", "Content-Type: multipart/alternative; boundary=i",
		"",
		"--i", "", "plain", "--i", "Content-Type: text/html", "", "<p>page</p>", "--i--", "", "--o",
		"Content-Disposition: attachment; filename*0*=utf-8''%E2%82%AC; filename*1=.csv", "Content-Transfer-Encoding: base64", "", table, "--o",
		"Content-Type: message/rfc822; name=m.eml", "", "Subject: inner", "From: b@example.com", "", "deep", "--o--", "after"}
	ok("multipart/mixed; boundary=\"o\"\nbeside the parts| before\npart 1.1: line 1| plain\npart 1.2: line 1| page\n"+
		"€.csv: row 1, column 1| n\tm\tk\n€.csv: row 2, n| 1\t2\t3\n€.csv: row 3, n| 4\t5\t6\n"+
		"m.eml: line 1, Subject| inner\nb@example.com\nm.eml/body: line 1| deep\nbeside the parts| after\nthe names in it| €.csv\nm.eml\n",
		parts...)
	ok("multipart/mixed; boundary=o\npart 1: line 1| --ox\r\n--\n", "Content-Type: multipart/mixed; boundary=o", "", "--o", "", "--ox", "--",
		"--o--")
	ok("no header here\nbody: line 1| text\n", "no header here", "", "text")
	box := "From a@b.co Sat Jan  3 01:05:34 1996\nFrom: a@b.co\n\none\nFrom here\n\n" +
		"From b@b.co Sat Jan  3 01:05:34 1996\nFrom: c@d.co\n\ntwo\n"
	f(box, kindBox, Done, "", "message 1: line 2, From| a@b.co\nmessage 1/body: line 1| one\nFrom here\nmessage 2: line 8, From| c@d.co\n"+
		"message 2/body: line 1| two\n")
	f(made.Mail("Content-Type: multipart/mixed; boundary=o", "", "--o", "", "cut"), kindMail, Partial,
		"of 2 files in it: 1 damaged: it ends before its last part does",
		"line 1, From| Ann <ann@example.com>\nmultipart/mixed; boundary=o\npart 1: line 1| cut\n")
	f(made.Mail("Content-Type: multipart/encrypted; boundary=o", "", "--o", "", "x", "--o--"), kindMail, Encrypted,
		"what is in it needs a password",
		"line 1, From| Ann <ann@example.com>\nmultipart/encrypted; boundary=o\n")
	f(made.Mail("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "", "x"), kindMail, Encrypted,
		"what is in it needs a password",
		"line 1, From| Ann <ann@example.com>\napplication/pkcs7-mime; smime-type=enveloped-data\n")
}

func TestLimitsHoldForMail(t *testing.T) {
	f := func(in string, lim Limits, outcome, reason string) {
		t.Helper()
		_, res := piecesOf(t, strings.NewReader(in), "", lim)
		if res.Outcome != outcome || !strings.Contains(res.Reason, reason) {
			t.Errorf("%+v, want %s: %s", res, outcome, reason)
		}
	}
	deep := made.Mail("", "x")
	for range 6 {
		deep = made.Mail("Content-Type: message/rfc822", "", deep)
	}
	f(deep, Limits{Depth: 6}, Done, "")
	f(deep, Limits{}, Partial, "1 archive that was not read whole")
	f(made.Mail("Content-Type: multipart/mixed; boundary=o", "", strings.Repeat("--o\n\nx\n", 20)), Limits{Entries: 9}, Partial,
		"only 9 entries were read")
	f(made.Mail("X: "+strings.Repeat("x", 2<<20), "", "x"), Limits{}, Partial, "headers of more than 1 MiB")
	nested := ""
	for i := range maxMarks + 2 {
		mark := "m" + strings.Repeat("x", i)
		nested += "Content-Type: multipart/mixed; boundary=" + mark + "\n\n--" + mark + "\n"
	}
	f("From: a@b.co\n"+nested, Limits{}, Partial, "parts below 50 others")
	bomb := base64.StdEncoding.EncodeToString(made.Gzip(t, strings.Repeat("0 ", 2<<20)))
	f(made.Mail("Content-Transfer-Encoding: base64", "", bomb), Limits{}, Partial, "the limit of the ratio")
}

func TestDamagedMailIsNoTrouble(t *testing.T) {
	in := made.Mail("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Content-Type: multipart/mixed; boundary=o", "", "before", "--o",
		"Content-Disposition: attachment; filename*0*=utf-8''%E2%82%AC; filename*1=.csv", "Content-Transfer-Encoding: base64", "", "QUFB", "--o",
		"Content-Type: text/plain; charset=iso-2022-jp", "Content-Transfer-Encoding: quoted-printable", "", "=1B$B=", "AA", "--o--")
	damaged(t, []byte(in))
	damaged(t, []byte("From x\n"+in+"\n\nFrom y\n"+in))
}

func FuzzMail(f *testing.F) {
	f.Add([]byte("Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Transfer-Encoding: base64\n\nQUE=\n--o--\n"))
	f.Add([]byte("Subject: =?iso-2022-jp?B?GyRC?=\nContent-Transfer-Encoding: quoted-printable\n\n=41=\n=4\n\nFrom x\n\n"))
	withoutPDFs(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, append([]byte("From: a@b.co\n"), in...), "")
		check(t, append([]byte("From a\nFrom: a@b.co\n"), in...), "")
	})
}
