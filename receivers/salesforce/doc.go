// Package salesforce reads the log-ons, set-up changes, log files, real-time events, accounts, privileges, app grants, files
// and shares of a Salesforce org, hands its content to dlp, and governs accounts, grants and files.
//
// It promises: what may come late or share a moment is read by (time, Id), so that no page, second or file of an hour is
// skipped; lists are walked by Id and hold no server-side cursor. Hourly and daily log files are never read together.
// It leaves out the streams that Salesforce only pushes. Requests, marks, quotas and retries are the SDK's.
package salesforce
