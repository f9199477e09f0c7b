// Package googleworkspace reads the activity, alerts, accounts, groups, administrator roles, app grants, files and shares of a
// Google Workspace customer, hands content to dlp, and governs accounts, grants and files.
//
// It promises: the Reports API tells late and newest first, so each window is frozen, read again while events may still come,
// and once a day two days back. Files are read as their owners, by domain-wide delegation, one token per user and scope.
// It leaves out what Google gives no API for: blocking an app for everybody, and delegations of whole domains.
// Requests, marks, quotas and retries are the SDK's.
package googleworkspace
