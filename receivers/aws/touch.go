package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// trailKey is what an event is known by: its id or, of one without, its content.
func trailKey(v *event.Values) string {
	if id := v.Str(eID); id != "" || !v.Has(eName) {
		return id
	}
	sum := sha256.Sum256(v.Raw)
	return "sha256:" + hex.EncodeToString(sum[:15])
}

// rescans are the events of objects after which their content or who sees it may be another.
var rescans = map[string]bool{"PutObject": true, "CopyObject": true, "CompleteMultipartUpload": true, "PutObjectAcl": true,
	"PutObjectTagging": true, "DeleteObjectTagging": true, "RestoreObject": true}

// touched says which parts an event makes due: what it changed of an account, of the directory, of a bucket, of an object.
func (c *client) touchedBy(v *event.Values) []saas.Item {
	name := v.Str(eName)
	readOnly, _ := v.Bool(eReadOnly)
	if readOnly || v.Str(eErrorCode) != "" || verbOf(name, false) == "read" {
		return nil
	}
	service, _, _ := strings.Cut(v.Str(eSource), ".")
	account := strings.Clone(firstOf(v, eRecipient, uAccount))
	switch service {
	case "iam":
		items := []saas.Item{{Stream: "iam", Key: account}}
		if user := v.Str(qUser); strings.Contains(name, "AccessKey") || strings.Contains(name, "ServiceSpecific") {
			if user == "" { // one's own key
				user = v.Str(uName)
			}
			return append(items, saas.Item{Stream: "credentials", Key: account + "/" + user})
		}
		if strings.Contains(name, "Role") || strings.Contains(name, "Provider") {
			items = append(items, saas.Item{Stream: "external_access", Key: account})
		}
		return items
	case "sso-directory", "identitystore":
		return []saas.Item{{Stream: "identity_users"}, {Stream: "identity_groups"}}
	case "sso":
		if strings.Contains(name, "Application") {
			return []saas.Item{{Stream: "identity_apps"}}
		}
		return []saas.Item{{Stream: "permission_sets"}}
	case "organizations":
		return []saas.Item{{Stream: "accounts"}}
	case "cloudtrail":
		return []saas.Item{{Stream: "trails", Key: account + "/" + v.Str(fRegion)}}
	case "s3":
		bucketName, key := v.Str(qBucket), v.Str(qObject)
		switch {
		case key != "" && rescans[name] && c.reads(bucketName):
			at := bucket{Name: bucketName, Account: bucketOwner(v), Region: v.Str(fRegion)}
			return []saas.Item{contentItem(at, key, "")}
		case key == "":
			return []saas.Item{{Stream: "buckets", Key: bucketOwner(v)}}
		}
	}
	return nil
}

// Slots of noticeFields.
const (
	nBucket = iota
	nKey
	nSequencer
	nVersion
	nName
	nTime
	nWho
	nIP
	nSize
	nETag
	nRegion
	nRequest
)

// noticeFields are of a record of a notification. https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
var noticeFields = event.Table{nBucket: {"s3.bucket.name", "saas.container.id saas.container.name"}, nKey: {"s3.object.key", ""},
	nSequencer: {"s3.object.sequencer", ""}, nVersion: {"s3.object.versionId", ""}, nName: {"eventName", "event.action"},
	nTime: {"eventTime", "@timestamp"}, nWho: {"userIdentity.principalId", ""}, nIP: {"requestParameters.sourceIPAddress", "source.ip"},
	nSize: {"s3.object.size", "file.size"}, nETag: {"s3.object.eTag", "saas.file.version"}, nRegion: {"awsRegion", "cloud.region"},
	nRequest: {"responseElements.x-amz-request-id", "http.request.id"}, {"eventSource", "event.provider"}}

// noticeKey: the sequencer tells apart what happens to one object; not every kind has one.
func noticeKey(v *event.Values) string {
	if v.Str(nBucket) == "" || v.Str(nKey) == "" {
		return ""
	}
	at := v.Str(nSequencer)
	if at == "" {
		at = strings.Join([]string{v.Str(nName), v.Str(nRequest), v.Str(nTime)}, "/")
	}
	return v.Str(nBucket) + "/" + noticedKey(v) + "/" + at
}

// notices are the first words of a notification's name, as classes has them.
var notices = map[string]string{"ObjectCreated": "PutObject", "ObjectRemoved": "DeleteObject", "ObjectRestore": "RestoreObject",
	"ObjectAcl": "PutObjectAcl", "ObjectTagging": "PutObjectTagging", "LifecycleExpiration": "DeleteObject"}

// mapNotice maps what a bucket notifies of.
func mapNotice(v *event.Values, add func() *event.Record) error {
	r := add()
	kind, _, _ := strings.Cut(strings.TrimPrefix(v.Str(nName), "s3:"), ":")
	c := classOf("s3", notices[kind])
	if notices[kind] == "" {
		c = event.Class{Category: []string{"file"}, Types: []string{"info"}, Activity: "-"}
	}
	c.Put(r, "update")
	r.Str("event.outcome", "success")
	r.Str("cloud.provider", "aws")
	r.Str("cloud.service.name", "s3")
	r.Str("saas.container.type", "bucket")
	mapKey(r, v.Str(nBucket), noticedKey(v), "")
	who := strings.TrimPrefix(v.Str(nWho), "AWS:")
	r.Str("user.id", who)
	if _, session, ok := strings.Cut(who, ":"); ok {
		r.Str("user.name", session)
	}
	return nil
}

func noticedKey(v *event.Values) string {
	key, err := url.QueryUnescape(v.Str(nKey))
	if err != nil {
		return v.Str(nKey)
	}
	return key
}

// ofNotice: the object is read as it is now, unless it was removed.
func (c *client) ofNotice(v *event.Values) []saas.Item {
	kind, _, _ := strings.Cut(strings.TrimPrefix(v.Str(nName), "s3:"), ":")
	if !rescans[notices[kind]] || !c.reads(v.Str(nBucket)) {
		return nil
	}
	at := c.find(bucket{Name: v.Str(nBucket), Region: v.Str(nRegion)})
	return []saas.Item{contentItem(at, noticedKey(v), "")}
}

// noticed emits the records of a message, those of EventBridge in the form of S3's own.
func noticed(l *letter) []json.RawMessage {
	if l.Source != "aws.s3" {
		return l.Records
	}
	names := map[string]string{"Object Created": "ObjectCreated", "Object Deleted": "ObjectRemoved", "Object ACL Updated": "ObjectAcl",
		"Object Tags Added": "ObjectTagging", "Object Tags Deleted": "ObjectTagging", "Object Restore Completed": "ObjectRestore"}
	d := l.Detail
	member := func(path ...string) json.RawMessage { return saas.Member(d, path...) }
	object := saas.Join("key size eTag versionId sequencer", saas.Quote(url.QueryEscape(saas.TextAt(d, "object", "key"))),
		member("object", "size"), member("object", "etag"), member("object", "version-id"), member("object", "sequencer"))
	return []json.RawMessage{saas.Join("eventSource awsRegion eventTime eventName userIdentity requestParameters responseElements s3",
		saas.Quote("aws:s3"), saas.Quote(l.Region), saas.Quote(l.Time), saas.Quote(names[l.Kind]+":"+saas.TextAt(d, "reason")),
		saas.Join("principalId", member("requester")), saas.Join("sourceIPAddress", member("source-ip-address")),
		saas.Join("x-amz-request-id", member("request-id")), saas.Join("bucket object", saas.Join("name", member("bucket", "name")), object))}
}
