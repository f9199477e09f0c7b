package extract

import "testing"

func TestOldNamesAreReadable(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := entryName([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	f("plain.txt", "plain.txt")
	f("Gr\xc3\xbc\xc3\x9fe.txt", "Grüße.txt")
	f("Gr\x81\xe1e.txt", "Grüße.txt")                              // code page 437
	f("Gr\xfc\xdfe.txt", "Grüße.txt")                              // Windows-1252
	f("\x8e\xe2\xe7\xa5\xe2.doc", "Отчет.doc")                     // code page 866
	f("\x83\x65\x83\x58\x83\x67\x93\xfa\x96\x7b.txt", "テスト日本.txt") // Shift JIS
	f("\xd6\xd0\xb9\xfa/\xb1\xed.xls", "中国/表.xls")                 // GBK
}
