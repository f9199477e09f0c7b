// Package okta reads the System Log, accounts, groups, administrator roles, apps and OAuth consents of an Okta org and
// governs its accounts and consents.
//
// It promises: the log is followed by the vendor's own endless cursor, so that what is published late is not skipped; a
// deactivated user stays listed; a token is asked for by signed assertion and bound to a key of this process (DPoP).
// It leaves out what Okta does not have: files, sharing and labels. Requests, marks, quotas and retries are the SDK's.
package okta
