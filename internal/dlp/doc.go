// Package dlp finds sensitive data in text: payment cards, national numbers, account numbers, secrets.
//
// A Set is the detectors of the wanted packs, compiled. A Scanner walks the tokens of a text once (runs of letters, digits
// and underscores), a block of 64 bytes after the other (marks.go, walk.go), and lets anchored verifiers look at those that
// have digits or begin as a value may; around what passes, keywords within 300 code points, or the name of the field, raise
// the confidence: 65 pattern, 75 with a check, 85 with a keyword.
// Overlapping claims are settled: the checked one, then the longest, owns its bytes. Findings collect claims by type.
//
// It promises: a finding holds masked samples and keyed fingerprints and never a matched value, nor does anything print
// one; every claim lies inside its text; no input makes it fail; nothing is allocated while nothing is found; memory is
// bounded, whatever the text. Files are read by extract. It leaves to the caller what a finding means.
package dlp
