// Package sigma asks records for what public Sigma rules describe (specification 2.1, one rule a text; no correlations).
//
// A rule names fields as the provider sends them, eventType or debugContext.debugData.requestUri, in any case: they are looked
// for in the body first, then under their exported names, so a rule works unmodified on a record, and on a document of ours
// without its original. Its logsource says which dataset it is for. Comparison is as Sigma has it: text without regard to
// case, * and ? as wildcards, any value of a list.
//
// It promises: everything wrong with a rule is an error of Parse that names the rule and the value, nothing is skipped; a rule
// is bounded in size, depth and the work of its regular expressions (RE2, linear in the text); a Rule is for any number of
// goroutines. Whoever shows a match shows the rule's ID, Title and Author with it, as the licence of public rules asks.
package sigma
