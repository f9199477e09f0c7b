// Package action changes things at a provider: the verbs that policies and people use, the engine that plans, does,
// verifies and undoes them, and the ledger that survives a crash.
//
// It promises: nothing is sent before it is saved; what is to be done begins at once, whatever waits to be planned; the same
// trigger asked twice is one action, but a state that somebody put back is acted on again, after a person's word where a
// person took the action back; what a crash cut off goes on where it was, and what may have been sent is looked at before it
// is sent again; never the agent's own account, a protected one, the files of a protected owner, or more than the hourly cap
// without a person's word; a receipt when an action is requested and one when it has ended, each handed on until it is
// accepted; undo as long as the ledger keeps the action (90 days by default).
// The ledger is bounded: when it is full, what changed nothing is dropped first, then the oldest, and in the end what
// waits longest for a person is refused. Replies of the vendor are not kept: a plan's After holds only what its Do and its Undo put there.
//
// It leaves to the caller which record leads to which action, and to the provider what a verb sends. An action without
// Done is sent again when a crash hides whether it was sent: a provider whose vendor minds gives it Done, or uses Plan.ID.
package action
