// Package aws reads CloudTrail, IAM, IAM Identity Center, Organizations and S3 of an AWS organization or account and governs
// its users, keys, buckets and objects.
//
// It promises: a trail's files are read as a queue names them and a message is deleted only when what it led to was accepted;
// where no trail is given, CloudTrail's own look-up is read per account and Region; each member account is read by a role of its
// own. It leaves out what AWS does not have: links (a presigned URL is listed nowhere) and sensitivity labels (tags stand for them).
// Requests are signed here (Signature Version 4); marks, quotas and retries are the SDK's.
package aws
