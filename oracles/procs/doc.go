// Package procs runs programs for tests and measures them: the collector, the fake of an application and a sink of
// OTLP/HTTP, each in a process of its own, and the certificates they speak TLS with.
//
// A test binary that uses it has Main as its TestMain: it is the sink's program too, and the collector is built once for it.
// Every process ends with its test, and dies with the test binary.
package procs
