// Package saas is the polling SDK: what every provider has in common.
//
// A provider declares an Instance: its streams, budgets, credentials and actions. A stream is a function
// Poll(ctx, *Run) error, and a Run can only do safe things: what it emits is handed on in bounded batches, and its mark
// moves only after the next component accepted them and mark, keys, snapshot rows and items were saved in one batch.
//
// The package promises what DESIGN lists as the thirteen promises, each a case of saastest: first contact in order,
// nothing lost at any kill, repeats dropped by a bounded set of keys, budgets used and kept, one bad tenant never
// stopping another, requests that stay on the configured hosts, bounded memory, deletes found by comparing walks.
// It leaves to the caller what a vendor's objects mean, and to storage what durable means.
package saas
