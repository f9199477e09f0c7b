package aws

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Slots of the tables of IAM Identity Center.
const (
	dUser = iota
	dStatus
	dEmails
)

const (
	gID = iota
	gStore
)

const (
	mMembership = iota
	mGroup
	mUser
)

const (
	psArn = iota
	psInstance
	psName
	psManaged
	psInline
)

const (
	asAccount = iota
	asSet
	asPrincipal
	asType
)

const (
	appArn = iota
	appStatus
	appAssigned
	appScopes
)

const (
	tArn = iota
	tLogging
	tError
)

var (
	identityFields = event.Table{dUser: {"UserId", "user.id"}, dStatus: {"UserStatus", ""}, dEmails: {"Emails", ""},
		{"UserName", "user.name entity.name"}, {"DisplayName", "user.full_name entity.display_name"}, {"UserType", "saas.entity.employee_type"},
		{"ExternalIds[0].Issuer", "entity.source"}, {"CreatedAt", "entity.lifecycle.created"}, {"UpdatedAt", "entity.lifecycle.changed"}}
	groupFields = event.Table{gID: {"GroupId", "group.id"}, gStore: {"IdentityStoreId", ""}, {"DisplayName", "group.name entity.name"},
		{"ExternalIds[0].Issuer", "entity.source"}, {"CreatedAt", "entity.lifecycle.created"}, {"UpdatedAt", "entity.lifecycle.changed"}}
	memberFields = event.Table{mMembership: {"MembershipId", ""}, mGroup: {"GroupId", "group.id user.group.id"},
		mUser: {"MemberId.UserId", "user.id"}}
	setFields = event.Table{psArn: {"PermissionSet.PermissionSetArn", "saas.role.id"}, psInstance: {"InstanceArn", ""},
		psName: {"PermissionSet.Name", "saas.role.name entity.name"}, psManaged: {"ManagedPolicies", ""}, psInline: {"InlinePolicy", ""},
		{"PermissionSet.CreatedDate", "entity.lifecycle.created"}}
	assignmentFields = event.Table{asAccount: {"Assignment.AccountId", "saas.role.scope cloud.account.id"},
		asSet: {"Assignment.PermissionSetArn", "saas.role.id"}, asPrincipal: {"Assignment.PrincipalId", ""},
		asType: {"Assignment.PrincipalType", ""}}
	appFields = event.Table{appArn: {"Application.ApplicationArn", "saas.app.id application.id"}, appStatus: {"Application.Status", ""},
		appAssigned: {"Assignments", ""}, appScopes: {"Scopes", ""}, {"Application.Name", "saas.app.name application.name entity.name"},
		{"Application.CreatedDate", "entity.lifecycle.created"}, {"Application.ApplicationAccount", "cloud.account.id"},
		{"Application.ApplicationProviderArn", "saas.app.publisher"}}
	stateFields = event.Table{tArn: {"Trail.TrailARN", ""}, tLogging: {"Status.IsLogging", ""},
		tError: {"Status.LatestDeliveryError", "event.reason"}, {"Trail.Name", "entity.name saas.object.name"},
		{"Trail.S3BucketName", "saas.container.id"}, {"Trail.HomeRegion", "cloud.region"}, {"Account", "cloud.account.id"}}
)

func mapIdentity(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "user", v.Str(dUser), "iam", "user", "info")
	r.Str("cloud.provider", "aws")
	r.Str("saas.entity.status", map[string]string{"ENABLED": "active", "DISABLED": "suspended"}[v.Str(dStatus)])
	for e := range event.Elems(v.Bytes(dEmails)) {
		if primary := string(saas.Member(e, "Primary")); primary == "true" || r.Get("user.email") == "" {
			r.Str("user.email", saas.TextAt(e, "Value"))
		}
	}
	return nil
}

func mapIdentityGroup(v *event.Values, add func() *event.Record) error {
	saas.NewEntity(add, "group", v.Str(gID), "iam", "group", "info").Str("cloud.provider", "aws")
	return nil
}

func mapMember(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "group_member", v.Str(mMembership), "iam", "group", "info")
	r.Relate("granted_to", "user", v.Str(mUser))
	r.Relate("member_of", "group", v.Str(mGroup))
	return nil
}

func mapSet(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role", v.Str(psArn), "iam", "admin", "info")
	r.Str("entity.sub_type", "permission_set")
	all := readPolicy(v.Str(psInline)).everything()
	for p := range event.Elems(v.Bytes(psManaged)) {
		all = all || privileged[saas.TextAt(p, "Name")]
		r.Strs("saas.grant.scopes", saas.TextAt(p, "Arn"))
	}
	r.Bool("saas.role.privileged", all)
	return nil
}

// assignmentID names an assignment: a permission set has one for each account and principal.
func assignmentID(v *event.Values) string {
	return strings.Join([]string{v.Str(asSet), v.Str(asAccount), v.Str(asType), v.Str(asPrincipal)}, "/")
}

func mapAssignment(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "role_assignment", assignmentID(v), "iam", "admin", "info")
	kind := strings.ToLower(v.Str(asType))
	r.Str("entity.sub_type", "account_assignment")
	if kind == "user" || kind == "group" {
		r.Str(kind+".id", v.Str(asPrincipal))
	}
	r.Relate("assigned_to", kind, v.Str(asPrincipal))
	r.Relate("manages", "account", v.Str(asAccount))
	return nil
}

func mapApp(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "app_grant", v.Str(appArn), "iam", "user", "info")
	r.Str("entity.sub_type", "identity_center_application")
	r.Str("saas.entity.status", strings.ToLower(v.Str(appStatus)))
	n := int64(0)
	for a := range event.Elems(v.Bytes(appAssigned)) {
		r.Relate("granted_to", strings.ToLower(saas.TextAt(a, "PrincipalType")), saas.TextAt(a, "PrincipalId"))
		n++
	}
	r.Int("saas.grant.user_count", n)
	for s := range event.Elems(v.Bytes(appScopes)) {
		r.Strs("saas.grant.scopes", saas.TextAt(s, "Scope"))
	}
	return nil
}

// mapState maps a trail: whether it logs, and why nothing arrives.
func mapState(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "trail", v.Str(tArn), "configuration", "info")
	r.Str("cloud.provider", "aws")
	r.Str("saas.object.type", "trail")
	r.Str("saas.object.id", v.Str(tArn))
	status := "suspended"
	if on, _ := v.Bool(tLogging); on {
		status = "active"
	}
	if v.Str(tError) != "" {
		r.Str("event.outcome", "failure")
	}
	r.Str("saas.entity.status", status)
	return nil
}

// Slots of the tables of buckets and objects.
const (
	bName = iota
	bAccount
	bRegion
	bVersioning
	bVisibility
	bPolicy
)

const (
	oBucket = iota
	oKey
	oVersion
	oETag
	oSize
	oClass
	oRegion
	oAccount
	oVisibility
	oTags
	oACL
	oLatest
)

var (
	bucketFields = event.Table{bName: {"Bucket.Name", "saas.container.id saas.container.name entity.name"},
		bAccount: {"Account", "cloud.account.id"},
		bRegion:  {"Region", "cloud.region"}, bVersioning: {"Versioning.Status", ""}, bVisibility: {"Visibility", "saas.share.visibility"},
		bPolicy: {"Policy", ""}, {"Bucket.CreationDate", "entity.lifecycle.created"}}
	objectFields = event.Table{oBucket: {"Bucket.Name", "saas.container.id saas.container.name"}, oKey: {"Object.Key", ""},
		oVersion: {"Object.VersionId", ""}, oETag: {"Object.ETag", ""}, oSize: {"Object.Size", "file.size"}, oClass: {"Object.StorageClass", ""},
		oRegion: {"Bucket.Region", "cloud.region"}, oAccount: {"Bucket.Account", "cloud.account.id saas.file.owner.id"},
		oVisibility: {"Bucket.Visibility", "saas.share.visibility"}, oTags: {"Tags", ""}, oACL: {"Acl", ""}, oLatest: {"Object.IsLatest", ""},
		{"Object.LastModified", "file.mtime entity.lifecycle.changed"}, {"Object.ContentType", "file.mime_type"},
		{"Object.Owner.DisplayName", "file.owner"}}
)

func mapBucket(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "container", v.Str(bName), "configuration", "info")
	r.Str("entity.sub_type", "bucket")
	r.Str("saas.container.type", "bucket")
	r.Str("cloud.provider", "aws")
	for _, p := range readPolicyJSON(v.Bytes(bPolicy)).allowed() {
		if kind, who, _ := strings.Cut(p, " "); kind == "AWS" && accountOf(who) != v.Str(bAccount) && who != v.Str(bAccount) {
			r.Strs("saas.share.recipients", who)
		}
	}
	r.Relate("part_of", "account", v.Str(bAccount))
	return nil
}

func readPolicyJSON(raw json.RawMessage) (p policy) {
	_ = json.Unmarshal(raw, &p) // what is none grants nothing
	return p
}

func keyOf(v *event.Values) string {
	key, err := url.QueryUnescape(v.Str(oKey))
	if err != nil {
		return v.Str(oKey)
	}
	return key
}

// versionOf is the version of what is not the current object of its key.
func versionOf(v *event.Values) string {
	if latest, known := v.Bool(oLatest); known && (!latest || !v.Has(oETag)) || !known && v.Has(oVersion) {
		return v.Str(oVersion)
	}
	return ""
}

func etagOf(v *event.Values) string { return strings.Trim(v.Str(oETag), `"`) }

// versionKey keeps the versions of one object apart, markers too.
func versionKey(v *event.Values) string {
	if v.Str(oBucket) == "" || v.Str(oKey) == "" || v.Str(oVersion) == "" {
		return ""
	}
	return v.Str(oBucket) + "/" + keyOf(v) + "/" + v.Str(oVersion)
}

func objectKey(v *event.Values) string {
	if v.Str(oBucket) == "" || v.Str(oKey) == "" {
		return ""
	}
	return objectID(v.Str(oBucket), keyOf(v), versionOf(v))
}

// mapObjectEntity maps an object, an older version of one, or the marker that stands for one that was deleted.
func (c *client) mapObjectEntity(v *event.Values, add func() *event.Record) error {
	key := keyOf(v)
	r := saas.NewEntity(add, "file", objectKey(v), "file", "info")
	mapKey(r, v.Str(oBucket), key, versionOf(v))
	r.Str("entity.name", key[strings.LastIndexByte(strings.TrimSuffix(key, "/"), '/')+1:])
	r.Str("entity.sub_type", v.Str(oClass))
	r.Str("cloud.provider", "aws")
	r.Str("saas.container.type", "bucket")
	r.Str("saas.file.version", etagOf(v))
	switch {
	case !v.Has(oETag):
		r.Str("saas.entity.status", "trashed")
		r.Str("entity.sub_type", "delete_marker")
	case versionOf(v) != "":
		r.Str("saas.entity.status", "superseded")
	}
	r.Relate("part_of", "container", v.Str(oBucket))
	for _, g := range members(saas.Member(v.Bytes(oACL), "AccessControlList"), "Grant") {
		if to := saas.TextAt(g, "Grantee", "URI"); to == everybody || to == signedIn {
			r.Str("saas.share.visibility", "public")
		}
	}
	for _, tag := range members(v.Bytes(oTags), "Tag") {
		if saas.TextAt(tag, "Key") == c.LabelTag {
			r.Strs("saas.file.labels", saas.TextAt(tag, "Value"))
		}
	}
	return nil
}
