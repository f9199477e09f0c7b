// Package extract reads the text out of files: plain text, CSV, JSON, XML, HTML, Office Open XML and zip archives.
//
// It promises: the type is told by the content; every file has an outcome, and a reason where it was not read whole; no
// input makes it fail, loop or take more than its limits allow; nothing is written anywhere.
//
// Text goes to a sink in pieces, decoded: typographic spaces, hyphens and wide letters as the plain ones, so that a value is
// the same however a word processor wrote it. Neighbouring pieces overlap, and each says which part is its own. Text that
// stands in columns, elements or attributes says so; a row of a table is a text by itself. A text kind is streamed; an
// archive, and a document that is one, is held while it is read. The sensitivity labels of the file itself are told beside the text.
package extract
