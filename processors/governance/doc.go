// Package governance is the processor that applies policies: for every record it asks which policies hold, hands findings on
// and has actions done by internal/action.
//
// It promises: records pass unchanged and in order; what a record leads to is saved before the record is acknowledged, and
// a batch that is refused and comes again leads to it once; planning and doing never hold up records; nothing is changed
// at a tenant unless a policy's mode says enforce, or a person approved it.
//
// It leaves to internal/policy what a condition means, and to internal/action how a change is guarded, done, verified and
// undone.
package governance
