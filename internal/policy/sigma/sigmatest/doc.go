// Package sigmatest makes events that a Sigma rule describes, and near misses that it does not, from the rule's own text. It
// reads the text by itself, so that it can judge package sigma; it knows what public rules use, and fails on the rest.
package sigmatest
