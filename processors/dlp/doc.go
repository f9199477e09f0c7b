// Package dlp is the processor "dlp": it looks for sensitive data in the records that pass and puts a finding beside each
// record that holds some, one for each type of data.
//
// It promises: records pass unchanged, or with redaction without the values that were found in them; a finding says what was found,
// how often, how surely and in which field, with masked samples and keyed fingerprints, and never holds the value itself, nor does a
// log line, an error or a metric; it has the same id whenever the same record passes; what the next component says of a batch goes
// back as it is.
//
// It also judges the content of files, where a receiver asks for it: each content once for its detectors, within limits, a
// deadline and a bound over the process. Every file that is offered has an outcome, and a reason where it was not read whole;
// content is in memory only, and goes nowhere but pictures to a server for OCR that is configured.
//
// The e-mail detector is on only when its pack, pii/contact, is listed, and even then it passes over the people of the
// event itself, whose addresses every audit record holds. What Longshore writes itself (findings, receipts, its own health)
// is not scanned.
package dlp
