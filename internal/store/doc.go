// Package store keeps records in one SQLite file, so that the agent is useful without a server, and searches them.
//
// It promises: a batch is stored whole or not at all, and what Write acknowledged survives a power cut; a record that is
// there already changes nothing; an old state of an entity never replaces a newer one; what can never be stored is set
// aside with the reason, in the same transaction; a full disk, or another process that writes, is an error after which the
// same batch can be written again. The file may be read while it is written, by other processes too; one of a newer
// version, of another program, or damaged is refused by name.
//
// Compile makes a Filter of an expression. Values reach SQL as bound parameters only. Tidy removes old records, a step at a
// time, when the caller says how long they are kept.
package store
