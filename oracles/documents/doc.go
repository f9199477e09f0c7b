// Package documents reads files that nobody here made: the test documents of Apache Tika. Each has a result or a reason, within the
// limits, and the text of documents is that which other readers find in them. With a sensitivity label set, they keep every other
// part, and other readers open them as before.
package documents
