// Package made makes files for tests: documents, mail and archives, of the text that they are to hold. Nothing in them is taken from
// files of others, and the same call gives the same bytes.
package made
