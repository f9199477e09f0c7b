// Package event is the record that travels through Longshore and its encodings.
//
// A provider declares a Table of paths and ECS names; Compile turns it into a Layout that splits a page of JSON and
// picks the wanted values in one pass (Splitter, Values). A Batch collects Records, which are OpenTelemetry log records
// with flat ECS attributes and the provider's raw object as the body, byte for byte. A View reads a record back,
// whoever made it: attributes, resource, and the vendor's own fields on demand. AppendECS writes one ECS JSON document.
//
// It promises: unknown is absent, numbers over 2^53 stay exact, source.ip holds an address or is absent, related.* lists
// every user, address and host once, the same input gives the same bytes. It leaves to the caller what an event means.
package event
