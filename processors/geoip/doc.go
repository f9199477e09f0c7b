// Package geoip is the processor that adds where an address is (source.geo) and whose network it belongs to (source.as), from
// files in MaxMind's format that the user has. It is not there unless a pipeline lists it, and nothing is asked over a network.
//
// It promises: what the provider said of a place or a network stays, all of it, and is not completed from a file; addresses
// that are private or reserved get nothing; a place is never invented: what a file does not say is no field, neither is 0,0 nor
// the entry of an anonymous proxy, and the fields of a place come from one entry of one file. A file that changes is read again; a
// damaged one is an error at the start, later the one before is kept and the log says so.
//
// A file is held in memory and checked when it is read; a look-up takes some microseconds, needs no lock and has no cache.
package geoip
