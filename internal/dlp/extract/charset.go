package extract

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	chars "golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// charset is an encoding by the name that mail and HTML give it; nil = UTF-8, ASCII or one that is not known, which are told
// apart as plain text is.
func charset(name string) chars.Encoding {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "unicode-1-1-utf-7", "x-unknown":
		return nil
	}
	if enc, err := htmlindex.Get(name); err == nil {
		return enc
	}
	if enc, err := ianaindex.MIME.Encoding(name); err == nil {
		return enc
	}
	return nil
}

// recoded reads a text in UTF-8 that is written in another encoding.
func recoded(r io.Reader, enc chars.Encoding) io.Reader {
	if enc == nil {
		return r
	}
	return transform.NewReader(r, enc.NewDecoder())
}

// codePage is an encoding by its number in Windows; nil as for charset.
func codePage(n int) chars.Encoding {
	switch n {
	case 437:
		return charmap.CodePage437
	case 850, 708, 709, 710, 711, 720:
		return charmap.CodePage850
	case 852:
		return charmap.CodePage852
	case 855:
		return charmap.CodePage855
	case 866:
		return charmap.CodePage866
	case 874:
		return charmap.Windows874
	case 932:
		return japanese.ShiftJIS
	case 936:
		return simplifiedchinese.GBK
	case 949, 1361:
		return korean.EUCKR
	case 950:
		return traditionalchinese.Big5
	case 1200:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258:
		return []chars.Encoding{charmap.Windows1250, charmap.Windows1251, charmap.Windows1252, charmap.Windows1253, charmap.Windows1254,
			charmap.Windows1255, charmap.Windows1256, charmap.Windows1257, charmap.Windows1258}[n-1250]
	case 10000:
		return charmap.Macintosh
	case 10007:
		return charmap.MacintoshCyrillic
	case 20866:
		return charmap.KOI8R
	case 21866:
		return charmap.KOI8U
	case 28591, 28592, 28593, 28594, 28595, 28596, 28597, 28598, 28599, 28603, 28605:
		return charset("iso-8859-" + strconv.Itoa(n-28590))
	case 50220, 50221, 50222:
		return japanese.ISO2022JP
	case 51932:
		return japanese.EUCJP
	case 51949:
		return korean.EUCKR
	case 54936:
		return simplifiedchinese.GB18030
	}
	return nil
}

// fontCharset is the code page of a font's characters (LOGFONT, as RTF has it in \fcharset).
func fontCharset(n int) int {
	switch n {
	case 77:
		return 10000
	case 128:
		return 932
	case 129, 130:
		return 949
	case 134:
		return 936
	case 136:
		return 950
	case 161:
		return 1253
	case 162:
		return 1254
	case 163:
		return 1258
	case 177:
		return 1255
	case 178, 179, 180:
		return 1256
	case 181:
		return 1255
	case 186:
		return 1257
	case 204:
		return 1251
	case 222:
		return 874
	case 238:
		return 1250
	case 254:
		return 437
	case 255:
		return 850
	}
	return 0
}

// recode appends the text of raw.
func recode(dst, raw []byte, enc chars.Encoding) []byte {
	if enc != nil {
		if out, err := enc.NewDecoder().Bytes(raw); err == nil {
			raw = out
		}
	}
	dst, _ = decode8(dst, raw, true)
	return dst
}

// buffered is a reader that can look ahead as far as a format is told by. To be given back.
func buffered(r io.Reader) *bufio.Reader {
	b := readers.Get().(*bufio.Reader)
	b.Reset(r)
	return b
}

// giveBack takes a reader that buffered gave.
func giveBack(b *bufio.Reader) {
	b.Reset(nil)
	readers.Put(b)
}
