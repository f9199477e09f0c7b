// Package event is the record that travels through Longshore and its encodings.
//
// A provider declares a Table of paths and ECS names; Compile turns it into a Layout. A Splitter cuts a page of JSON into
// rows and picks the wanted Values in the same pass. A Batch collects Records, which are OpenTelemetry log records with
// flat ECS attributes and the provider's raw object as the body, byte for byte. A View reads a record back, whoever made
// it: attributes, resource, and the vendor's own fields on demand. AppendECS writes one ECS JSON document, AppendOCSF one
// of OCSF; fields.tsv says of every field where it goes.
//
// It promises: unknown is absent, numbers over 2^53 stay exact, source.ip holds an address or is absent, related.* lists
// every user, address and host once, a malformed row does not stop its page, memory is bounded by the page and the batch,
// the same input gives the same bytes. Rows and values point into the page's buffers, which are never written to again;
// who keeps one beyond its batch clones it. It leaves to the caller what an event means.
package event
