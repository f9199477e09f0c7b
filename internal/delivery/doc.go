// Package delivery holds what the exporters share: which kind of record a record is, the part of a batch that was not
// accepted, the letter in which a record is set aside that no server will ever take, and what is counted.
//
// It promises: Part keeps order, resource and scope of the records; a letter is one line of JSON, no part of it longer than
// the bound that it is given; counting never blocks. It leaves to the exporter which answers mean "never".
package delivery
