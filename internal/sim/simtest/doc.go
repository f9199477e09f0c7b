// Package simtest checks in tests that a fake, and the receiver that polls it, keep to the vendor's own description, and
// lets both run in virtual time.
//
// Spec loads an OpenAPI document once per process and gives a Checker; its Handler stands before a fake and validates
// every request and answer. What the description has wrong is listed, with the reason, in a file of exceptions beside
// the tests; an exception that nothing needs any more fails the test like a violation.
//
// Client asks a fake without a network, and JWT signs what the product did not. Net is a network in memory for synctest
// bubbles, which real sockets do not work in. A receiver gets it as a middleware of confighttp's, so that the product needs
// no hook for it.
package simtest
