// Package elasticsearch writes records to Elasticsearch 8 or later: events to the data stream logs-<dataset>-<namespace>,
// the state of entities also to the plain index saas-entities-<namespace>.
//
// It promises: a document's id depends only on the record, so a repeat is a no-op (409 counts as done); only what was
// refused for now is given back to be tried again, with the server's Retry-After; what can never be written goes to the
// dead-letter index or file with the reason; a request that is too large is halved; templates are installed before the
// first document, all or none, and never over newer ones. An old state of an entity never replaces a newer one: the
// version of its document is the time at which it was read.
//
// It leaves to the caller the roll-over: an id is unique within one backing index only. New templates take effect with
// the next one.
//
// The vendor's own fields (okta.*) have types in the datasets whose vendor declares them, and are `flattened` elsewhere, where
// KQL and the query DSL read them and ES|QL does not. A document in which just they do not fit the index is written without
// them, tagged vendor_fields_unfit; event.original still has them.
package elasticsearch
