// Package extract reads the text out of files: plain text, CSV, JSON, XML, HTML, Office Open XML and zip archives.
//
// It promises: the type is told by the content; every file has an outcome, and a reason where it was not read whole; no
// input makes it fail, loop or take more than its limits allow; nothing is written anywhere.
package extract
