// Package pipeline runs the collector as a user would, in a process of its own, from the fake of an application through all
// processors into real servers, and compares what was published with what each of them holds.
package pipeline
