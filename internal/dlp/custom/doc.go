// Package custom makes detectors of what a user describes: patterns in RE2 syntax, dictionaries, rows of a table (exact data
// match), documents (by fingerprints), file types, and rules that count what other detectors found.
//
// It promises: a description that cannot work is refused with the detector, the key and the value; no text makes a detector
// fail, or take time that does not grow as the text does; the memory is that of the compiled detectors and a small multiple of
// the longest text. Of the values of an exact data match table only keyed hashes are read and kept.
//
// It leaves to package dlp what is made of the matches: who owns the bytes, masks, fingerprints, places.
package custom
