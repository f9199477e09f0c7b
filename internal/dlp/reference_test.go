package dlp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/longshore-dev/longshore/internal/sim"
)

// The reference: for each detector plain regular expressions and a validator, written for the eye and not for speed. It
// shares the issuers, the countries, the keywords and the names of the levels with the scanner, and no code.

// pattern is a way in which values of a detector are written.
type pattern struct {
	kind    uint8
	re      *regexp.Regexp // anchored by the reference at a place where no word goes on
	valid   func(v string) bool
	checked func(v string) bool
	grouped string         // the separator, or ""
	bare    bool           // it needs a keyword
	after   *regexp.Regexp // what must not follow
}

// rx compiles an expression once.
func rx(expr string) *regexp.Regexp {
	re, ok := compiled.Load(expr)
	if !ok {
		re, _ = compiled.LoadOrStore(expr, regexp.MustCompile(expr))
	}
	return re.(*regexp.Regexp)
}

var compiled sync.Map // expressions by their text

var onlyDigits = strings.NewReplacer(" ", "", "-", "", ".", "")

// isNumber says whether a detector is of numbers that are told as data.
func isNumber(kind uint8) bool { return kind > privateKey && table[kind].forms != "" }

// refOpened are the patterns of the detectors whose values begin with given characters.
func refOpened() (out []pattern) {
	classes := map[byte]string{'d': "0-9", 'x': "0-9a-f", 'X': "0-9a-fA-F", 'a': "0-9a-z", 'A': "0-9A-Z", 'w': "0-9A-Za-z", 'u': `\w-`,
		'b': "0-9A-Za-z+/", 'e': `\w=-`, 'c': "1-9A-HJ-NP-Za-km-z", 'l': "ac-hj-np-z02-9"}
	for kind := range uint8(detectors) {
		if table[kind].openings == "" || table[kind].own != nil || kind == awsKey || kind == github || kind == google {
			continue
		}
		for o := range strings.SplitSeq(table[kind].openings, " | ") {
			o, needs := strings.CutPrefix(o, "!")
			re, after := "^", ""
			lead, _, _ := strings.Cut(o, "<")
			for _, m := range rx(`<(.)([0-9,]+)>|[^<>]+`).FindAllStringSubmatch(o, -1) {
				if after = "^$.^"; m[1] == "" {
					re += regexp.QuoteMeta(m[0])
					continue
				}
				re += "[" + classes[m[1][0]] + "]{" + m[2] + "}"
				after = "^[" + classes[m[1][0]] + "]"
			}
			is := func(v string) verdict {
				if table[kind].check != nil {
					return table[kind].check([]byte(v))
				}
				return strong(refVaried(len(lead), 8)(strings.Map(func(r rune) rune {
					if r == '+' || r == '/' || r == '=' || r == '.' {
						return '-'
					}
					return r
				}, v)))
			}
			out = append(out, pattern{kind, rx(re), func(v string) bool { return is(v) != refused },
				func(v string) bool { return is(v) == holds }, "", needs, rx(after)})
		}
	}
	return out
}

// refTold are the patterns of the detectors that are told as data and have none above: their forms as expressions.
func refTold() (out []pattern) {
	classes := map[rune]string{'9': "[0-9]", 'A': "[A-Za-z]", 'U': "[A-Z]", 'X': "[0-9A-Za-z]", 'Z': "[0-9A-Z]"}
	for kind := range uint8(detectors) {
		if !isNumber(kind) {
			continue
		}
		for f := range strings.SplitSeq(table[kind].forms, " | ") {
			f, needs := strings.CutPrefix(f, "!")
			for _, sep := range []string{" ", "-", "."} {
				re, first, inside := "^", "", false
				for _, c := range strings.ReplaceAll(f, "~", sep) {
					inside = inside && c != '}' || c == '{'
					switch {
					case inside || c == '}':
						re += string(c)
					case classes[c] != "":
						re += classes[c]
					default:
						if re += regexp.QuoteMeta(string(c)); first == "" && !refWordByte(byte(c)) {
							first = "around" + string(c)
						}
					}
				}
				is := func(v string) verdict {
					plain := rx(`[^0-9A-Za-z]`).ReplaceAllString(v, "")
					if !table[kind].words && plain != strings.ToUpper(plain) && plain != strings.ToLower(plain) {
						return refused
					}
					if table[kind].check == nil {
						return plausible
					}
					return table[kind].check([]byte(strings.ToUpper(plain)))
				}
				out = append(out, pattern{kind, rx(re), func(v string) bool { return is(v) != refused },
					func(v string) bool {
						return is(v) == holds || is(v) == passes && first != "" && !refAmount.MatchString(v)
					}, first, needs, nil})
				if !strings.Contains(f, "~") {
					break
				}
			}
		}
	}
	return out
}

var refAmount = rx(`^[0-9]{1,3}(?:(?: [0-9]{3})+|(?:\.[0-9]{3})+)$`)

func yes(string) bool { return true }
func no(string) bool  { return false }

var reference = func() (out []pattern) {
	for _, sep := range []string{"", " ", "-"} {
		for _, shape := range [][]int{{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}} {
			var groups []string
			for _, n := range shape {
				groups = append(groups, fmt.Sprintf(`[0-9]{%d}`, n))
			}
			if sep != "" {
				out = append(out, pattern{card, rx(`^` + strings.Join(groups, sep)), refCard, yes, sep, false, nil})
			}
		}
	}
	out = append(out, pattern{card, rx(`^[0-9]{13,19}`), refCard, yes, "", false, nil})
	for _, sep := range []string{" ", "-", "."} {
		re := rx(`^[0-9]{3}` + regexp.QuoteMeta(sep) + `[0-9]{2}` + regexp.QuoteMeta(sep) + `[0-9]{4}`)
		out = append(out, pattern{ssn, re, refSSN, no, sep, false, nil})
	}
	out = append(out, pattern{ssn, rx(`^[0-9]{9}`), refSSN, no, "", true, nil})
	for name, c := range ibans {
		rest := c.length - 4
		out = append(out, pattern{iban, rx(fmt.Sprintf(`^%s[0-9]{2}[A-Z0-9]{%d}`, name, rest)), refIBAN, yes, "", false, nil})
		for _, sep := range []string{" ", "-"} {
			re := fmt.Sprintf(`^%s[0-9]{2}(?:%s[A-Z0-9]{4}){%d}`, name, sep, rest/4)
			if rest%4 > 0 {
				re += fmt.Sprintf(`%s[A-Z0-9]{%d}`, sep, rest%4)
			}
			out = append(out, pattern{iban, rx(re), refIBAN, yes, "", false, nil})
		}
	}
	for _, re := range []string{`[A-Za-z]{2}[0-9]{6}[A-Da-d]`, `[A-Za-z]{2} [0-9]{6} ?[A-Da-d]`,
		`[A-Za-z]{2} [0-9]{2} [0-9]{2} [0-9]{2} [A-Da-d]`, `[A-Za-z]{2}-[0-9]{2}-[0-9]{2}-[0-9]{2}-[A-Da-d]`} {
		out = append(out, pattern{nino, rx("^" + re), refNINO, no, refAround(re), false, nil})
	}
	out = append(out, pattern{steuerID, rx(`^[0-9]{11}`), refSteuerID, yes, "", false, nil},
		pattern{steuerID, rx(`^[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{3}`), refSteuerID, yes, "around ", false, nil})
	for _, sep := range []string{"", " ", ".", "-"} {
		re := strings.ReplaceAll(`^[123478]S[0-9]{2}S[0-9]{2}S(?:[0-9]{2}|2[ABab])S[0-9]{3}S[0-9]{3}S[0-9]{2}`, "S", regexp.QuoteMeta(sep))
		around := "around" + sep
		if sep == "" {
			around = ""
		}
		out = append(out, pattern{nir, rx(re), refNIR, yes, around, false, nil})
	}
	out = append(out,
		pattern{nir, rx(`^[123478][0-9]{4}(?:[0-9]{2}|2[ABab])[0-9]{6} [0-9]{2}`), refNIR, yes, "around ", false, nil},
		pattern{dni, rx(`^[0-9]{8}[A-Za-z]`), refDNI, yes, "", false, nil},
		pattern{dni, rx(`^[0-9]{8}-[A-Za-z]`), refDNI, yes, "around-", false, nil},
		pattern{dni, rx(`^[0-9]{2}\.[0-9]{3}\.[0-9]{3}-[A-Za-z]`), refDNI, yes, "around.", false, nil},
		pattern{fiscalCode, rx(`^[A-Za-z0-9]{16}`), refFiscalCode, yes, "", false, nil},
		pattern{github, rx(`^gh[pousr]_[A-Za-z0-9]{36}`), refVaried(4, 8), refGitHub, "", false, nil},
		pattern{slack, rx(`^(?:xox[abeoprs]|xapp)-[0-9]+(?:-[A-Za-z0-9]+){0,4}-[A-Za-z0-9]{16,}`), func(v string) bool {
			return refVaried(strings.LastIndex(v, "-"), 8)(v)
		}, yes, "", false, nil},
		pattern{google, rx(`^AIza[\w-]{35}`), refVaried(4, 12), yes, "", false, nil},
		pattern{privateKey, rx(`^-----BEGIN (?:[^-]{0,45} )?PRIVATE KEY-----(?:[^-]|-{1,4}[^-])*?` +
			`-----END (?:[^-]* )?PRIVATE KEY-----`), refPEM, yes, "", false, nil})
	address := `^[A-Za-z0-9_+][A-Za-z0-9_.+'%&-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\b`
	out = append(append(out, refTold()...), refOpened()...)
	return append(out,
		pattern{awsKey, rx(`^(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}`), refAWS, refAccount, "", false, nil},
		pattern{jwt, rx(`^eyJ[\w-]{11,}\.eyJ[\w-]*\.[\w-]{16,}`), refJWT, yes, "", false, nil},
		pattern{email, rx(address), func(v string) bool {
			local, _, _ := strings.Cut(v, "@")
			return !strings.Contains(local, "..") && !strings.HasSuffix(local, ".")
		}, yes, "", false, nil})
}()

// refAround asks for no digits beside, behind the first separator of a pattern.
func refAround(re string) string {
	for _, sep := range []string{" ", "-"} {
		if strings.Contains(re, "}"+sep) {
			return "around" + sep
		}
	}
	return ""
}

func refCard(v string) bool {
	v = onlyDigits.Replace(v)
	sum := 0
	for i := range len(v) {
		d, _ := strconv.Atoi(v[len(v)-1-i : len(v)-i])
		if i%2 == 1 {
			d = []int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}[d]
		}
		sum += d
	}
	if sum%10 != 0 || strings.Count(v, v[:1]) == len(v) {
		return false
	}
	first, _ := strconv.Atoi(v[:4])
	for _, r := range issuers {
		if r.from <= first && first <= r.to && r.short <= len(v) && len(v) <= r.long {
			return v[0] != '4' || slices.Contains([]int{13, 16, 19}, len(v))
		}
	}
	return false
}

func refSSN(v string) bool {
	v = onlyDigits.Replace(v)
	return !rx(`^(?:000|666|9)|^...00|0000$|^(?:078051120|219099999|457555462)$`).MatchString(v) &&
		strings.Count(v, v[:1]) < len(v)
}

func refIBAN(v string) bool {
	v = onlyDigits.Replace(v)
	re := "^"
	for p := ibans[v[:2]].parts; p != ""; p = p[2:] {
		re += map[byte]string{'n': "[0-9]", 'a': "[A-Z]", 'c': "[A-Z0-9]"}[p[0]] + fmt.Sprintf("{%d}", p[1])
	}
	if !rx(re + "$").MatchString(v[4:]) {
		return false
	}
	numeric := rx(`[A-Z]`).ReplaceAllStringFunc(v[4:]+v[:4], func(l string) string {
		return strconv.Itoa(int(l[0]) - 'A' + 10)
	})
	n, ok := new(big.Int).SetString(numeric, 10)
	return ok && new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1
}

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

func refAWS(v string) bool {
	seen := map[rune]bool{}
	for _, c := range v[4:] {
		seen[c] = true
	}
	return len(seen) >= 5 && !strings.HasSuffix(v, "EXAMPLE")
}

// refAccount decodes the account as published: the first 48 bits, of which 40 after the first are its number.
func refAccount(v string) bool {
	n := new(big.Int)
	for _, c := range v[4:] {
		n.Add(n.Lsh(n, 5), big.NewInt(int64(strings.IndexRune(base32, c))))
	}
	n.Rsh(n, 32) // of 80 bits
	return (n.Int64()&0x7fffffffff80)>>7 <= 999_999_999_999
}

func refJWT(v string) bool {
	head, _, _ := strings.Cut(v, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	var m map[string]any
	return err == nil && json.Unmarshal(raw, &m) == nil && m["alg"] != nil
}

func refNINO(v string) bool {
	v = strings.ToUpper(onlyDigits.Replace(v))
	return !rx(`^[DFIQUV]|^.[DFIOQUV]|^(?:BG|GB|KN|NK|NT|TN|ZZ)`).MatchString(v)
}

// refMod1110 is the check digit of ISO 7064 mod 11,10.
func refMod1110(v string) int {
	p := 10
	for _, c := range v {
		s := (p + int(c-'0')) % 10
		if s == 0 {
			s = 10
		}
		p = 2 * s % 11
	}
	return (11 - p) % 10
}

func refSteuerID(v string) bool {
	v = onlyDigits.Replace(v)
	again := 0
	for d := range 10 {
		switch strings.Count(v[:10], strconv.Itoa(d)) {
		case 0, 1:
		case 2, 3:
			again++
		default:
			return false
		}
	}
	return again == 1 && v[0] != '0' && strconv.Itoa(refMod1110(v[:10])) == v[10:]
}

func refNIR(v string) bool {
	v = strings.ToUpper(onlyDigits.Replace(v))
	if !rx(`^.{3}(?:0[1-9]|1[0-2]|[23][0-9]|4[0-2]|[5-9][0-9])`).MatchString(v) || v[5:7] == "00" || v[10:13] == "000" {
		return false
	}
	n, _ := new(big.Int).SetString(strings.NewReplacer("2A", "19", "2B", "18").Replace(v[:13]), 10)
	key := 97 - new(big.Int).Mod(n, big.NewInt(97)).Int64()
	return fmt.Sprintf("%02d", key) == v[13:]
}

func refDNI(v string) bool {
	v = strings.ToUpper(onlyDigits.Replace(v))
	n, _ := strconv.Atoi(v[:8])
	return n > 0 && strings.Index("TRWAGMYFPDXBNJZSQVHLCKE", v[8:]) == n%23
}

// refFiscalSum adds what the first fifteen characters count.
func refFiscalSum(v string) (sum int) {
	odd := map[rune]int{'0': 1, '1': 0, '2': 5, '3': 7, '4': 9, '5': 13, '6': 15, '7': 17, '8': 19, '9': 21, 'A': 1, 'B': 0, 'C': 5, 'D': 7,
		'E': 9, 'F': 13, 'G': 15, 'H': 17, 'I': 19, 'J': 21, 'K': 2, 'L': 4, 'M': 18, 'N': 20, 'O': 11, 'P': 3, 'Q': 6, 'R': 8, 'S': 12,
		'T': 14, 'U': 16, 'V': 10, 'W': 22, 'X': 25, 'Y': 24, 'Z': 23}
	for i, c := range v[:15] {
		switch {
		case i%2 == 0:
			sum += odd[c]
		case c <= '9':
			sum += int(c - '0')
		default:
			sum += int(c - 'A')
		}
	}
	return sum
}

func refFiscalCode(v string) bool {
	if !strings.ContainsAny(v, "0123456789") {
		return false
	}
	v = strings.ToUpper(v)
	const d = `[0-9LMNPQRSTUV]`
	if !rx(`^[A-Z]{6}` + d + d + `[ABCDEHLMPRST]` + d + d + `[A-Z]` + d + d + d + `[A-Z]$`).MatchString(v) {
		return false
	}
	plain := strings.NewReplacer("L", "0", "M", "1", "N", "2", "P", "3", "Q", "4", "R", "5", "S", "6", "T", "7", "U", "8", "V", "9").
		Replace(v[9:11])
	day, _ := strconv.Atoi(plain)
	return (day >= 1 && day <= 31 || day >= 41 && day <= 71) && int(v[15]-'A') == refFiscalSum(v)%26
}

// refVaried says whether what stands behind a prefix has enough different letters and digits.
func refVaried(from, n int) func(string) bool {
	return func(v string) bool {
		seen := map[rune]bool{}
		for _, c := range v[from:] {
			if c != '-' && c != '_' {
				seen[c] = true
			}
		}
		return len(seen) >= n
	}
}

func refGitHub(v string) bool {
	n := new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(v[4:34]))))
	// big.Int counts with small letters before capitals.
	text := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 32
		case c >= 'A' && c <= 'Z':
			return c + 32
		}
		return c
	}, n.Text(62))
	return strings.Repeat("0", 6-len(text))+text == v[34:]
}

func refPEM(v string) bool {
	m := rx(`^-----BEGIN([^-]{0,45} PRIVATE KEY)-----((?s).*)-----END([^-]*)-----$`).FindStringSubmatch(v)
	if m == nil || m[1] != m[3] {
		return false
	}
	for _, run := range rx(`[A-Za-z0-9+/]{32,}`).FindAllString(m[2], -1) {
		if refVaried(0, 12)(strings.NewReplacer("+", "", "/", "").Replace(run)) {
			return true
		}
	}
	return false
}

func refWordByte(c byte) bool { return c == '_' || refAlnum(c) }
func refAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

var (
	gluedBefore  = rx(`(?:\w[.-]|[/+])$`)
	gluedAfter   = rx(`^[./-]\w`)
	beforeLocal  = rx(`(?:^|[^\w.+'%&-])[.'%&-]*$`)
	refRun       = rx(`[\p{L}\p{Nd}\p{M}]+`)
	refSpaceless = rx(`[\x{e00}-\x{eff}\x{3040}-\x{9fff}\x{ac00}-\x{d7af}\x{f900}-\x{faff}\x{20000}-\x{10ffff}]`)
	pieces       = rx(`[0-9]+|[A-Z]?[a-z]+|[A-Z]+`)
	shout        = rx(`([A-Z])([A-Z][a-z])`)
)

// refRuns are the words of a text that have spaces around them.
func refRuns(text string) (out [][2]int) {
	for _, m := range refRun.FindAllStringIndex(text, -1) {
		i := m[0]
		for _, x := range refSpaceless.FindAllStringIndex(text[m[0]:m[1]], -1) {
			if m[0]+x[0] > i {
				out = append(out, [2]int{i, m[0] + x[0]})
			}
			i = m[0] + x[1]
		}
		if i < m[1] {
			out = append(out, [2]int{i, m[1]})
		}
	}
	return out
}

var refPlainly = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i")

// refFold writes a word without accents, in lower case.
func refFold(w string) string {
	w = refPlainly.Replace(strings.ToLower(w))
	return strings.Map(func(r rune) rune {
		if unicode.IsMark(r) {
			return -1
		}
		return r
	}, norm.NFD.String(w))
}

// refKeywords are all keywords in a text with where they stand.
func refKeywords(text string, kind uint8) (out [][2]int) {
	words := map[string]bool{}
	for _, w := range strings.Fields(table[kind].keywords) {
		words[refFold(w)] = true
	}
	add := func(w string, i, end int) {
		if words[strings.ToLower(w)] {
			out = append(out, [2]int{i, end})
		}
	}
	type span struct {
		w      string
		i, end int
	}
	var all []span
	for _, run := range refRuns(text) {
		i, end := run[0], run[1]
		ascii := i
		for ascii < end && text[ascii] < 0x80 {
			ascii++
		}
		split := text[i:ascii]
		for shout.MatchString(split) {
			split = shout.ReplaceAllString(split, "$1|$2")
		}
		at := i
		for _, part := range strings.Split(split, "|") {
			for _, p := range pieces.FindAllStringIndex(part, -1) {
				all = append(all, span{part[p[0]:p[1]], at + p[0], at + p[1]})
			}
			at += len(part)
		}
		switch {
		case ascii == end:
			add(text[i:end], i, end)
		case ascii > i:
			last := &all[len(all)-1]
			last.w, last.end = refFold(text[last.i:end]), end
		default:
			all = append(all, span{refFold(text[i:end]), i, end})
		}
	}
	for _, w := range strings.Fields(table[kind].keywords) {
		if r := []rune(w)[0]; refSpaceless.MatchString(string(r)) {
			for i := 0; ; {
				at := strings.Index(text[i:], w)
				if at < 0 {
					break
				}
				out = append(out, [2]int{i + at, i + at + len(w)})
				i += at + 1
			}
		}
	}
	for i, s := range all {
		add(s.w, s.i, s.end)
		if i > 0 && s.i-all[i-1].end <= 2 && !refSpaceless.MatchString(text[all[i-1].end:s.i]) {
			add(all[i-1].w+s.w, all[i-1].i, s.end)
		}
	}
	return out
}

// refClaims are the claims of some detectors, before they are settled.
func refClaims(text string, kinds ...uint8) (out []Claim) {
	words := map[uint8][][2]int{}
	for _, k := range kinds {
		words[k] = refKeywords(text, k)
	}
	for _, p := range reference {
		if !slices.Contains(kinds, p.kind) {
			continue
		}
		for i := range len(text) {
			if p.kind == email && !beforeLocal.MatchString(text[:i]) ||
				p.kind != email && p.kind != privateKey && i > 0 && refWordByte(text[i-1]) {
				continue
			}
			if p.kind == jwt && i > 1 && text[i-1] == '-' && refWordByte(text[i-2]) {
				continue
			}
			loc := p.re.FindStringIndex(text[i:])
			if loc == nil || p.kind != privateKey && i+loc[1] < len(text) && refWordByte(text[i+loc[1]]) || !p.valid(text[i:i+loc[1]]) {
				continue
			}
			if v := text[i : i+loc[1]]; p.kind >= nino && p.kind <= fiscalCode && v != strings.ToUpper(v) && v != strings.ToLower(v) {
				continue
			}
			if (p.kind == slack || p.kind == google) && strings.HasPrefix(text[i+loc[1]:], "-") ||
				p.after != nil && p.after.MatchString(text[i+loc[1]:]) {
				continue
			}
			if c, ok := refJudge(text, p, i, i+loc[1], words[p.kind]); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// refJudge says how sure a claim is.
func refJudge(text string, p pattern, i, end int, words [][2]int) (Claim, bool) {
	keyword := slices.ContainsFunc(words, func(w [2]int) bool {
		return w[1] <= i && utf8.RuneCountInString(text[w[1]:i]) <= 300 || w[0] >= end && utf8.RuneCountInString(text[end:w[0]]) <= 300
	})
	told := p.kind >= nino && p.kind <= fiscalCode || isNumber(p.kind)
	number := p.kind <= ssn || told
	weak := number && (gluedBefore.MatchString(text[:i]) || gluedAfter.MatchString(text[end:]))
	if p.grouped == " " && !told || p.kind == card && p.grouped != "" {
		for _, m := range []string{rx(`\w*` + p.grouped + `$`).FindString(text[:i]),
			rx(`^` + p.grouped + `\w*`).FindString(text[end:])} {
			weak = weak || len(m) >= 5 && strings.ContainsAny(m, "0123456789")
		}
	}
	if sep, ok := strings.CutPrefix(p.grouped, "around"); ok {
		sep = regexp.QuoteMeta(sep)
		weak = weak || rx(`[0-9]`+sep+`$`).MatchString(text[:i]) && rx(`^[0-9]`).MatchString(text[i:]) ||
			rx(`^`+sep+`[0-9]`).MatchString(text[end:]) && rx(`[0-9]$`).MatchString(text[:end])
	}
	if told {
		time := rx(`^(?:1[0-9]{9}|1[0-9]{12}|1[0-9]{15}|1[0-9]{18})$`).MatchString(text[i:end]) ||
			rx(`^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{6}|[0-9]{9})?(?:[^0-9]|$)`).
				MatchString(text[i:end])
		if time && !keyword && rx(`^[0-9]+$`).MatchString(text[i:end]) {
			return Claim{}, false
		}
		weak = weak || time
	}
	if p.bare {
		if weak || !keyword {
			return Claim{}, false
		}
		weak = true
	}
	conf := Low
	switch {
	case keyword:
		conf = High
	case p.checked(text[i:end]):
		conf = Medium
	}
	if weak {
		conf -= 10
	}
	return Claim{Start: i, End: end, Confidence: conf, kind: p.kind, word: keyword}, conf >= Low
}

// refSettle takes the claims by rank, each that overlaps with none before or is of the same bytes as the one before.
func refSettle(all []Claim) (out []Claim) {
	var c []Claim
	slices.SortFunc(all, func(a, b Claim) int {
		return slices.Compare([]int{a.Start, a.End, int(a.kind), -a.Confidence}, []int{b.Start, b.End, int(b.kind), -b.Confidence})
	})
	all = slices.CompactFunc(all, func(a, b Claim) bool { return a.Start == b.Start && a.End == b.End && a.kind == b.kind })
	all = slices.DeleteFunc(all, func(a Claim) bool {
		return a.kind == euVAT && slices.ContainsFunc(all, func(b Claim) bool {
			return b.kind != euVAT && a.Start == b.Start && a.End == b.End && b.Confidence >= a.Confidence
		})
	})
	for _, a := range all {
		surer, alike := 0, 0
		for _, b := range all {
			if a.Start == b.Start && a.End == b.End {
				switch {
				case b.Confidence > a.Confidence:
					surer++
				case b.Confidence == a.Confidence:
					alike++
				}
			}
		}
		if surer > 0 {
			continue
		}
		if alike > 1 {
			a.Confidence = Low
			if a.word {
				a.Confidence = Medium
			}
		}
		c = append(c, a)
	}
	rank := func(a Claim) []int {
		checked := 1
		if a.Confidence >= Medium {
			checked = 0
		}
		return []int{checked, a.Start - a.End, -a.Confidence, a.Start, int(a.kind)}
	}
	slices.SortFunc(c, func(a, b Claim) int { return slices.Compare(rank(a), rank(b)) })
	for _, a := range c {
		if !slices.ContainsFunc(out, func(b Claim) bool {
			return a.Start < b.End && b.Start < a.End && (a.Start != b.Start || a.End != b.End)
		}) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b Claim) int { return a.Start - b.Start })
	return out
}

// noise makes texts in which values, near values and words stand in many neighbourhoods.
type noise struct{ *sim.Rand }

func (n noise) digits(k int) string {
	b := make([]byte, k)
	for i := range b {
		b[i] = byte('0' + n.N(10))
	}
	return string(b)
}

func (n noise) value() string {
	switch n.N(20) {
	case 14, 15, 16, 17, 18:
		kind := uint8(nino + n.N(detectors-nino))
		v := []byte(made(n, kind))
		switch n.N(4) {
		case 0: // a near value
			if k := n.N(len(v)); v[k] >= '0' && v[k] <= '9' {
				v[k] = byte('0' + n.N(10))
			}
		case 1:
			return sim.Pick(n.Rand, keywordsOf(kind)) + string(v)
		}
		return string(v)
	case 19:
		return sim.Pick(n.Rand, []string{"AB123456C", "AB 12 34 56 C", "GB123456C", "36574261809", "295107972611193", "54562415K",
			"20260116Z", "RCCMNL83S18D969H", "ghp_0123456789abcdefghijABCDEFGHIJ000000", "xoxb-1-2-3", "AIzaSy",
			"-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----BEGIN X", "2A", "1 84 12 2A", "12 345 678 901"})
	case 0, 1, 2, 3, 4:
		text := sim.Plant(n.Rand, []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}[n.N(5)])
		if n.N(2) == 0 {
			f := strings.Fields(text) // mostly without its keyword
			text = strings.Join(f[max(0, len(f)-4):], " ")
		}
		return text
	case 5:
		return sim.Decoy(n.Rand)
	case 6:
		return sim.Pick(n.Rand, []string{"123456789", "536904399", "536-90-4399", "536 90 4399", "536.90.4399", "666-12-3456", "078-05-1120"})
	case 7:
		return sim.Pick(n.Rand, []string{"4539148803436467", "4242 4242 4242 4242", "4242-4242-4242-4242", "3714 496353 98431", "371449635398431",
			"3056 930902 5904", "4539148803436467000", "6011000990139424", "4222222222222", "5018000000000009"})
	case 8:
		return sim.Pick(n.Rand, []string{"a.b+c@mail.example.com", "x@y", "x@@y.com", "o'hara@x.co", "a..b@x.com", "a.@x.com", "A_B@sub.x-y.org"})
	case 9:
		return sim.Pick(n.Rand, []string{"AKIAIOSFODNN7EXAMPLE", "AKIA0123456789ABCDEF", "AKIAAAAAAAAAAAAAAAAA",
			"ASIAQWERTYUIOPASDFGH", "eyJhbGciOiJIUzI1NiJ9"})
	case 10:
		return n.digits(1 + n.N(22))
	case 11:
		return n.digits(4) + " " + n.digits(4) + " " + n.digits(4) + " " + n.digits(4)
	case 12:
		return string(n.UUID(nil))
	}
	return "DE" + n.digits(20)
}

func (n noise) text() string {
	words := []string{"card", "SSN", "creditCard", "credit_card_number", "IBANs", "discard", "my", "ID", "bearer", "aws_key", "café",
		"卡号", "social security", "social  security", "E-mail", "the", "exp", "cvv2", "AWSKey", "taxID",
		strings.Repeat("lorem ipsum ", 15), strings.Repeat("é", 290)}
	seps := []string{" ", " ", " ", ", ", "-", ".", "/", ":", "\n", "_", "+", "=", "", ` "`}
	var b strings.Builder
	for range 1 + n.N(12) {
		if n.N(2) == 0 {
			b.WriteString(sim.Pick(n.Rand, words))
		} else {
			b.WriteString(n.value())
		}
		b.WriteString(sim.Pick(n.Rand, seps))
	}
	return b.String()
}

func TestEveryDetectorAgreesWithItsReference(t *testing.T) {
	const texts = 400
	for kind := range uint8(detectors) {
		if lettered[kind] != nil {
			continue // they have tests of their own
		}
		s := compile(Options{}, int(kind)).Scanner()
		n, found, texts := noise{sim.NewRand(11, uint64(kind))}, 0, texts
		if kind > privateKey {
			texts /= 4
		}
		for i := range texts {
			text := n.text()
			if i%2 == 0 && kind >= nino {
				text += ". " + sim.Pick(n.Rand, keywordsOf(kind)) + made(n, kind) + " . " + n.text()
			}
			got, want := s.Claims([]byte(text), ""), refSettle(refClaims(text, kind))
			if found += len(want); !slices.Equal(got, want) {
				t.Fatalf("%s in %q:\n%s\nwant\n%s", table[kind].ID, text, show(text, got), show(text, want))
			}
		}
		if t.Logf("%s: %d claims in %d texts", table[kind].ID, found, texts); found < texts/20 {
			t.Errorf("%s: only %d claims", table[kind].ID, found)
		}
	}
}

func TestAllDetectorsTogetherAgreeWithTheReference(t *testing.T) {
	n := noise{sim.NewRand(12, 1)}
	var kinds []uint8
	var on []int
	for kind := range uint8(detectors) {
		if lettered[kind] == nil {
			kinds, on = append(kinds, kind), append(on, int(kind))
		}
	}
	s := compile(Options{}, on...).Scanner()
	for range 100 {
		text := n.text()
		got, want := s.Claims([]byte(text), ""), refSettle(refClaims(text, kinds...))
		if !slices.Equal(got, want) {
			t.Fatalf("%q:\n%s\nwant\n%s", text, show(text, got), show(text, want))
		}
	}
}
