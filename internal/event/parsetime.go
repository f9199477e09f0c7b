package event

import "time"

// ParseTime reads the time forms that providers send: RFC 3339 with any fraction, a space for the T, any offset or none
// (UTC); a date; seconds, milliseconds, microseconds or nanoseconds since 1970; yyyymmddhhmmss. The result is UTC. The
// years up to 1 and the start of 1970 stand for "no time".
func ParseTime(s string) (time.Time, bool) {
	t, ok := parseDate(s)
	if !ok {
		t, ok = parseEpoch(s)
	}
	if !ok || t.Year() <= 1 || t.Unix() == 0 && t.Nanosecond() == 0 {
		return time.Time{}, false
	}
	return t, true
}

// num reads n digits at s[i:]; -1 when they are not there.
func num(s string, i, n int) int {
	if i+n > len(s) {
		return -1
	}
	v := 0
	for ; n > 0; n-- {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		v = v*10 + int(s[i]-'0')
		i++
	}
	return v
}

func inMonth(y, m, d int) bool {
	switch m {
	case 4, 6, 9, 11:
		return d >= 1 && d <= 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return d >= 1 && d <= 29
		}
		return d >= 1 && d <= 28
	}
	return m >= 1 && m <= 12 && d >= 1 && d <= 31
}

func parseDate(s string) (time.Time, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	y, mo, d := num(s, 0, 4), num(s, 5, 2), num(s, 8, 2)
	if y < 0 || !inMonth(y, mo, d) {
		return time.Time{}, false
	}
	if len(s) == 10 {
		return time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC), true
	}
	if s[10] != 'T' && s[10] != 't' && s[10] != ' ' || len(s) < 16 || s[13] != ':' {
		return time.Time{}, false
	}
	h, mi, sec, i := num(s, 11, 2), num(s, 14, 2), 0, 16
	if i < len(s) && s[i] == ':' {
		sec, i = num(s, 17, 2), 19
	}
	if h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 60 {
		return time.Time{}, false
	}
	ns, i := fraction(s, i)
	off, ok := zone(s[i:])
	if !ok {
		return time.Time{}, false
	}
	return time.Date(y, time.Month(mo), d, h, mi, sec-off, ns, time.UTC), true
}

// fraction reads ".123456789" or ",123" at s[i:].
func fraction(s string, i int) (ns, end int) {
	if i+1 >= len(s) || s[i] != '.' && s[i] != ',' || num(s, i+1, 1) < 0 {
		return 0, i
	}
	scale := 100_000_000
	for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		ns += int(s[i]-'0') * scale
		scale /= 10
	}
	return ns, i
}

// zone reads "", "Z", "UTC", "+01:00", "+0100", "+01", also after a space; in seconds east.
func zone(s string) (sec int, ok bool) {
	if len(s) > 1 && s[0] == ' ' {
		s = s[1:]
	}
	switch s {
	case "", "Z", "z", "UTC", "GMT":
		return 0, true
	}
	sign := 1
	switch s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	h, m := num(s, 1, 2), 0
	switch {
	case len(s) == 6 && s[3] == ':':
		m = num(s, 4, 2)
	case len(s) == 5:
		m = num(s, 3, 2)
	case len(s) != 3:
		return 0, false
	}
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, false
	}
	return sign * (h*3600 + m*60), true
}

func parseEpoch(s string) (time.Time, bool) {
	whole := 0
	var n int64
	for whole < len(s) && s[whole] >= '0' && s[whole] <= '9' && whole < 19 {
		n = n*10 + int64(s[whole]-'0')
		whole++
	}
	ns, end := fraction(s, whole)
	if end != len(s) || whole == 0 || n < 0 {
		return time.Time{}, false
	}
	if whole == 14 {
		y, mo, d, h, mi, sec := num(s, 0, 4), num(s, 4, 2), num(s, 6, 2), num(s, 8, 2), num(s, 10, 2), num(s, 12, 2)
		if y < 1900 || !inMonth(y, mo, d) || h > 23 || mi > 59 || sec > 60 {
			return time.Time{}, false
		}
		return time.Date(y, time.Month(mo), d, h, mi, sec, ns, time.UTC), true
	}
	switch {
	case whole < 12:
		return time.Unix(n, int64(ns)).UTC(), true
	case whole < 14:
		return time.Unix(n/1000, n%1000*1e6+int64(ns)/1000).UTC(), true
	case whole < 17:
		return time.UnixMicro(n).UTC(), true
	}
	return time.Unix(n/1e9, n%1e9).UTC(), true
}

// appendTime writes UTC in RFC 3339 with milliseconds, or finer when t is.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	ns, digits := t.Nanosecond(), 9
	switch {
	case ns%1e6 == 0:
		ns, digits = ns/1e6, 3
	case ns%1e3 == 0:
		ns, digits = ns/1e3, 6
	}
	y, mo, d := t.Date()
	if y < 0 || y > 9999 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000000000"[:20+digits]+"Z")
	}
	h, mi, sec := t.Clock()
	dst = append(appendDigits(dst, y, 4), '-')
	dst = append(appendDigits(dst, int(mo), 2), '-')
	dst = append(appendDigits(dst, d, 2), 'T')
	dst = append(appendDigits(dst, h, 2), ':')
	dst = append(appendDigits(dst, mi, 2), ':')
	dst = append(appendDigits(dst, sec, 2), '.')
	return append(appendDigits(dst, ns, digits), 'Z')
}

// appendDigits appends the last n digits of v.
func appendDigits(dst []byte, v, n int) []byte {
	dst = append(dst, "000000000"[:n]...)
	for i := len(dst) - 1; n > 0; n-- {
		dst[i] = byte('0' + v%10)
		v /= 10
		i--
	}
	return dst
}
