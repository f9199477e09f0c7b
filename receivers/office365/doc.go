// Package office365 reads the activity, accounts, groups, privileges, app permissions, files and shares of a Microsoft 365 tenant,
// hands its content to dlp, and governs accounts, apps and files: by the Office 365 Management Activity API, Microsoft Graph
// and, for recycle bins, SharePoint's own API.
//
// It promises: every blob that the feed of activity lists is read, or reported as lost when it expires; a drive is listed whole and
// then followed by what changed, and listed anew every so often, since changes of shares are not always told.
// It leaves out mail and chats. Requests, marks, quotas and retries are the SDK's.
package office365
