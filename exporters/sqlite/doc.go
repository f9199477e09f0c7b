// Package sqlite is the exporter that keeps records in the embedded store, one SQLite file, for an agent without servers.
//
// It promises: a batch is acknowledged when it is on disk, a repeat is a no-op and counted as one; the current state of
// entities is kept beside the events; what can never be stored is set aside in the table letters with the reason. Anything
// else that fails, a full disk for instance, gives the whole batch back to be tried again. Old records are removed in small
// steps between batches, when the configuration says how long they stay.
package sqlite
