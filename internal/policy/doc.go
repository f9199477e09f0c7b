// Package policy decides which records a policy holds for.
//
// A policy's condition is CEL over the record: event, user, source, saas, … are ECS's roots, okta, o365, … the vendor's own
// fields, finding.types stands for saas.finding.data_type, now for the time of evaluation. has(a.b.c) asks for every step.
// Fields are read only when a condition names them, the vendor's body only when it names the vendor.
//
// It promises: everything wrong with a policy is an error of Compile that names the policy, the place and the text; a
// condition about a field the record lacks does not hold; one that fails or costs too much does not hold either and is
// counted; memory is bounded (Threshold says how). A Set is for any number of goroutines.
package policy
