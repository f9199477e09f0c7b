// Package saastest is the contract suite that every provider passes: the promises of internal/saas, each a case, and the
// bugs that other collectors shipped, each covered by one.
//
// Run is the whole test file of a provider but for its golden records. It runs the real receiver against the provider's
// own fake: real HTTP over a network in memory, the file_storage extension, a pipeline that can refuse or die, and virtual
// time, so that days pass in seconds. It kills the agent at the hand-overs and saves of every stream.
//
// It leaves to the provider what the records say.
package saastest
