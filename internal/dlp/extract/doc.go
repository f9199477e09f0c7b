// Package extract reads the text out of files: plain text, CSV, JSON, XML, HTML, PDF, Office Open XML, OpenDocument, RTF, Office documents
// of before 2007, mail, and archives (zip, tar, gzip, bzip2, xz, zstd, 7-Zip, RAR) in each other.
//
// It promises: the type is told by the content; every file has an outcome, and a reason where it was not read whole; no
// input makes it fail, loop or take more than its limits allow; nothing is written anywhere.
//
// Text goes to a sink in pieces, decoded: typographic spaces, hyphens and wide letters as the plain ones, so that a value is
// the same however a word processor wrote it. Neighbouring pieces overlap, and each says which part is its own. Text that
// stands in columns, elements or attributes says so; a row of a table is a text by itself. A text kind is streamed; zip
// and 7-Zip archives, documents that are archives or compound files, and PDFs are held while they are read. What a library unpacks is
// counted, and a panic of it is damage of the file. The sensitivity labels of the file are told beside the text.
//
// PDFs are read by PDFium, compiled to WebAssembly, which has memory of its own and nothing else. It is made ready when the first
// PDF is seen, which takes seconds; each PDF has a new instance, and a few are read at the same time. Pictures have no reader here:
// WithOCR brings one.
package extract
