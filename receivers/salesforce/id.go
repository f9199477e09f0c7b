package salesforce

import "strings"

const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

// longID is an id in its form of 18 characters, which tells ids apart whatever the case: log files have the form of 15. What
// is no id stays as it is.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
func longID(id string) string {
	if len(id) != 15 || !isID(id) {
		return id
	}
	out := []byte(id)
	for i := 0; i < 15; i += 5 {
		bits := 0
		for j, c := range []byte(id[i : i+5]) {
			if c >= 'A' && c <= 'Z' {
				bits |= 1 << j
			}
		}
		out = append(out, idAlphabet[bits])
	}
	return string(out)
}

// isID says whether s has the form of an id: 15 or 18 letters and digits.
func isID(s string) bool {
	return (len(s) == 15 || len(s) == 18) && word(s) && !strings.Contains(s, "_")
}
