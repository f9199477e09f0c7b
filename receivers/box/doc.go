// Package box reads the events, accounts, groups, files and shares of a Box enterprise, hands its content to dlp, and
// governs accounts and files.
//
// It promises: the enterprise's event stream is followed by positions that are kept as text; what it no longer holds is
// read from the older log, each event once. Files are found by one walk per managed user, as that user.
// It leaves out what Box does not tell: which apps were authorised, but for what events say of them. Requests, marks,
// quotas and retries are the SDK's.
package box
