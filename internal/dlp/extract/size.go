package extract

import (
	"strconv"
	"strings"
)

// ParseSize reads a number of bytes, at most most, as people write it: 500k, 64MiB, 1GB; all letters mean powers of 1024.
func ParseSize(text string, most int64) (n int64, ok bool) {
	digits := strings.TrimRight(strings.ToLower(text), "ib")
	shift := 0
	if n := len(digits); n > 0 {
		if at := strings.IndexByte("kmg", digits[n-1]); at >= 0 {
			digits, shift = digits[:n-1], 10*(at+1)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || n < 0 || n > most>>shift {
		return 0, false
	}
	return n << shift, true
}
