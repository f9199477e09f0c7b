package extract

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// entryName is the name of an archive's entry as UTF-8. Archives that are older than it do not say how their names are written: it is
// told by what the bytes may be. Shift JIS has kana; GBK, pairs of the common signs; code page 866, mostly letters of Russian; code
// page 437, its letters in the lower places. What is none of them is Windows-1252.
func entryName(name []byte) string {
	if utf8.Valid(name) {
		return string(name)
	}
	high, letters, lower := 0, 0, 0
	for _, c := range name {
		switch {
		case c < utf8.RuneSelf:
			if c|0x20 >= 'a' && c|0x20 <= 'z' {
				letters++
			}
			continue
		case c < 0xb0, c == 0xe1:
			lower++
		}
		high++
	}
	switch {
	case paired(name, func(a, b byte) bool {
		return a == 0x82 && b >= 0x9f && b <= 0xf1 || a == 0x83 && b >= 0x40 && b <= 0x96
	}, true):
		return string(recode(nil, name, japanese.ShiftJIS))
	case high >= 4 && paired(name, func(a, b byte) bool { return a >= 0xb0 && a <= 0xf7 && b >= 0xa1 && b <= 0xfe }, false):
		return string(recode(nil, name, simplifiedchinese.GBK))
	case high >= 3 && high > letters && russian(name):
		return string(recode(nil, name, charmap.CodePage866))
	case lower == high:
		return string(recode(nil, name, charmap.CodePage437))
	}
	return text(name)
}

// paired says whether the bytes that are no ASCII come in pairs of a kind; some: one of them is enough, and kanji make the others.
func paired(name []byte, kind func(a, b byte) bool, some bool) bool {
	found := false
	for i := 0; i < len(name); i++ {
		a := name[i]
		if a < utf8.RuneSelf {
			continue
		}
		if i+1 == len(name) {
			return false
		}
		i++
		switch b := name[i]; {
		case kind(a, b):
			found = true
		case !some, a < 0x81 || a > 0x9f && a < 0xe0 || a > 0xea || b < 0x40 || b == 0x7f || b > 0xfc:
			return false
		}
	}
	return found
}

// russian says whether the bytes that are no ASCII are letters of code page 866.
func russian(name []byte) bool {
	for _, c := range name {
		if c >= 0xb0 && c < 0xe0 || c >= 0xf2 {
			return false
		}
	}
	return true
}
