// Package infile is apply_label where a vendor has no sensitivity labels for files: the label of Microsoft Purview is written into
// the Office file itself, which is then stored as a new version.
//
// It promises: nothing is written where it is not configured; where the label is there already; where the file is no Word, Excel or
// PowerPoint file, is encrypted, protected or signed, or has more than MaxSize bytes; or where it changed since it was planned. Each
// of these is said. Every part of the file but those with labels keeps its bytes. What is read is held in memory, of one file of a
// tenant at a time, and neither kept nor logged: a plan holds ids, sizes and sums. Done reads what the vendor has stored and looks
// for the label there.
//
// It leaves to the provider how a file is found and read, how a version is stored so that it is whole or not there, and how the
// version before becomes the current one again.
package infile
