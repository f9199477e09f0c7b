package aws

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Groups of all the world in lists of who may do what.
const (
	everybody = "http://acs.amazonaws.com/groups/global/AllUsers"
	signedIn  = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// bucketsOf lists the buckets of an account, each with what says who may see what is in it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func (c *client) bucketsOf(ctx context.Context, r *saas.Run) error {
	account := r.Item().Key
	rows, err := gather(func(f func(json.RawMessage) error) error {
		return pages(ctx, r, func(next string) saas.Req {
			query := "max-buckets=1000"
			if next != "" {
				query += "&continuation-token=" + url.QueryEscape(next)
			}
			return c.s3("", bucket{Account: account}, "", query)
		}, func(p *saas.Reply) saas.Rows { return p.XML("Buckets/Bucket") }, "ContinuationToken", f)
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		b := bucket{Name: saas.TextAt(row, "Name"), Region: saas.TextAt(row, "BucketRegion"), Account: account}
		if b.Region, err = c.regionOf(ctx, r, b); saas.Is(err, saas.Missing) || saas.Is(err, saas.Denied) {
			b.Region = c.region // it went while the list was read, or tells nothing of itself
		} else if err != nil {
			return err
		}
		c.saw(b)
		look, err := c.look(ctx, r, b)
		if err != nil {
			return err
		}
		if err := r.Emit("", look.raw(account, row, b)); err != nil {
			return err
		}
	}
	r.Done()
	return r.Commit(nil)
}

// regionOf is the Region of a bucket, where the list does not say it.
func (c *client) regionOf(ctx context.Context, d saas.Doer, b bucket) (string, error) {
	if b.Region != "" {
		return b.Region, nil
	}
	raw, err := c.about(ctx, d, b, "location", "LocationConstraint")
	switch at := saas.Text(raw); {
	case err != nil:
		return "", err
	case at == "":
		return c.global, nil
	case at == "EU":
		return "eu-west-1", nil
	default:
		return at, nil
	}
}

// about reads one of the settings of a bucket; nil = it has none.
func (c *client) about(ctx context.Context, d saas.Doer, b bucket, setting, element string) (json.RawMessage, error) {
	rep, err := c.object(ctx, d, c.s3(http.MethodGet, b, "", setting+"="), b)
	if err != nil {
		return none(nil, err)
	}
	if element == "" {
		return rep.Raw()
	}
	return fragment(rep, element)
}

// look is what is known of who may see a bucket. What may not be asked is left out.
type look struct {
	Block, AccountBlock, Policy, Status, ACL, Ownership, Versioning json.RawMessage
	denied                                                          []string
}

// look asks what a bucket lets others do.
func (c *client) look(ctx context.Context, d saas.Doer, b bucket) (*look, error) {
	l := &look{}
	for _, ask := range []struct {
		into             *json.RawMessage
		setting, element string
	}{
		{&l.Block, "publicAccessBlock", "PublicAccessBlockConfiguration"}, {&l.Policy, "policy", ""},
		{&l.Status, "policyStatus", "PolicyStatus"}, {&l.ACL, "acl", "AccessControlPolicy"},
		{&l.Ownership, "ownershipControls", "OwnershipControls"}, {&l.Versioning, "versioning", "VersioningConfiguration"},
	} {
		raw, err := c.about(ctx, d, b, ask.setting, ask.element)
		if saas.Is(err, saas.Denied) {
			l.denied = append(l.denied, ask.setting)
			continue
		}
		if err != nil {
			return nil, err
		}
		if *ask.into = slices.Clone(raw); ask.setting == "policy" && !json.Valid(raw) {
			l.Policy = nil
		}
	}
	rep, err := d.Do(ctx, c.control(http.MethodGet, b.Region, b.Account))
	if err == nil {
		l.AccountBlock, err = fragment(rep, "PublicAccessBlockConfiguration")
	}
	if err != nil && !saas.Is(err, saas.Missing) && !saas.Is(err, saas.Denied) {
		return nil, err
	}
	return l, nil
}

// raw is a bucket with what its own row lacks.
func (l *look) raw(account string, row json.RawMessage, b bucket) json.RawMessage {
	var denied json.RawMessage
	if len(l.denied) > 0 {
		denied, _ = json.Marshal(l.denied)
	}
	visible := saas.Quote(l.visibility())
	return saas.Join("Account Bucket Region Visibility Block AccountBlock Policy PolicyStatus Acl Ownership Versioning Denied",
		saas.Quote(account), row, saas.Quote(b.Region), visible, l.Block, l.AccountBlock, l.Policy, l.Status, l.ACL, l.Ownership, l.Versioning,
		denied)
}

// blocks says whether the bucket or its account keeps the public out in one of four ways.
func (l *look) blocks(way string) bool {
	return saas.TextAt(l.Block, way) == "true" || saas.TextAt(l.AccountBlock, way) == "true"
}

// listless says whether the bucket's owner owns all that is in it, so that lists count for nothing.
func (l *look) listless() bool {
	return saas.TextAt(l.Ownership, "Rule", "ObjectOwnership") == "BucketOwnerEnforced"
}

// visibility says whether all the world may see what is in a bucket: a block wins over its policy and its lists, and lists count for
// nothing where the bucket's owner owns all that is in it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func (l *look) visibility() string {
	if saas.TextAt(l.Status, "IsPublic") == "true" && !l.blocks("RestrictPublicBuckets") {
		return "public"
	}
	if !l.listless() && !l.blocks("IgnorePublicAcls") {
		for _, g := range members(saas.Member(l.ACL, "AccessControlList"), "Grant") {
			if to := saas.TextAt(g, "Grantee", "URI"); to == everybody || to == signedIn {
				return "public"
			}
		}
	}
	return "private"
}

// ofBucket: what is in it, unless it is left out.
func (c *client) ofBucket(v *event.Values) []saas.Item {
	name, account := v.Str(bName), v.Str(bAccount)
	if !c.reads(name) {
		return nil
	}
	at := bucket{strings.Clone(name), strings.Clone(v.Str(bRegion)), strings.Clone(account)}
	data, _ := json.Marshal(at) // strings have a JSON form
	items := []saas.Item{{Stream: "files", Key: account + "/" + name, Data: data}}
	if status := v.Str(bVersioning); status != "" && !c.Files.SkipVersions {
		items = append(items, saas.Item{Stream: "versions", Key: account + "/" + name, Data: data})
	}
	return items
}

// reads says whether the objects of a bucket are read.
func (c *client) reads(name string) bool {
	if name == c.CloudTrail.Bucket || name == c.QuarantineBucket {
		return false
	}
	among := func(list []string) bool {
		return slices.ContainsFunc(list, func(p string) bool { ok, _ := path.Match(p, name); return ok })
	}
	return (len(c.Files.Buckets) == 0 || among(c.Files.Buckets)) && !among(c.Files.SkipBuckets)
}
