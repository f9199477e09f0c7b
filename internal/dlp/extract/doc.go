// Package extract reads the text out of files: plain text, CSV, JSON, XML, HTML, Office Open XML, OpenDocument, RTF, Office documents
// of before 2007, mail, and archives (zip, tar, gzip, bzip2, xz, zstd, 7-Zip, RAR) in each other.
//
// It promises: the type is told by the content; every file has an outcome, and a reason where it was not read whole; no
// input makes it fail, loop or take more than its limits allow; nothing is written anywhere.
//
// Text goes to a sink in pieces, decoded: typographic spaces, hyphens and wide letters as the plain ones, so that a value is
// the same however a word processor wrote it. Neighbouring pieces overlap, and each says which part is its own. Text that
// stands in columns, elements or attributes says so; a row of a table is a text by itself. A text kind is streamed; zip
// and 7-Zip archives, and documents that are archives or compound files, are held while they are read. What a library unpacks is
// counted, and a panic of it is damage of the file.
package extract
