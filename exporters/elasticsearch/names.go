package elasticsearch

import "strings"

// forbidden are the characters that no name of an index may have.
const forbidden = "\\/*?\"<>| ,#:\x00\n\r\t"

// unfit says why a part of a data stream's name cannot be one, or "".
func unfit(part string) string {
	switch {
	case part == "":
		return "it is empty"
	case len(part) > 100:
		return "it is longer than 100 bytes"
	case part != strings.ToLower(part):
		return "it has capital letters"
	case strings.ContainsAny(part, forbidden+"-"):
		return "it has a hyphen or another character that names of data streams cannot have"
	}
	return ""
}

// fit makes a dataset a part of a data stream's name.
func fit(dataset string) string {
	if dataset == "" {
		return "generic"
	}
	dataset = strings.Map(func(r rune) rune {
		if strings.ContainsRune(forbidden+"-", r) {
			return '_'
		}
		return r
	}, strings.ToLower(dataset))
	if len(dataset) > 100 {
		dataset = strings.ToValidUTF8(dataset[:100], "")
	}
	return dataset
}
