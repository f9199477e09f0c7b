// Package simtest checks in tests that a fake, and the receiver that polls it, keep to the vendor's own description.
//
// Spec loads an OpenAPI document once per process and gives a Checker; its Handler stands before a fake and validates
// every request and answer. What the description has wrong is listed, with the reason, in a file of exceptions beside
// the tests; an exception that nothing needs any more fails the test like a violation.
package simtest
