// Package redact puts something else in the place of values, wherever they stand in texts and JSON objects.
//
// Values is told of the values of one record, and then masks each of its texts. A value is found again with other separators, in the
// other case, with accents or without, and behind the escapes of JSON and of URLs, also of JSON in JSON.
//
// It promises: no value that it was told of is left in what it gives back, unless it is a part of a word or of a longer number that is
// not it; valid JSON stays valid, with as many members, and what holds no value stays byte for byte; no input makes it fail; the time
// grows with the text, not with the number of values. It leaves to the caller which texts may not change.
package redact
