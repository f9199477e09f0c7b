// Package campaign drives the built collector, fed over OTLP, into real servers that fail in the middle: what was
// published is afterwards stored or set aside, and what that cost is one line of a table each.
package campaign
