package aws

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/saas/infile"
)

// Config is what an aws receiver takes beside the keys that every receiver has. An endpoint stands for all services at once, as
// an emulator has them, with buckets in the path; without one each service has AWS's own.
type Config struct {
	// Region is where the queue, Identity Center and AWS STS are asked. No default. Example: eu-west-1.
	Region string `mapstructure:"region"`
	// Auth is how the agent signs in.
	Auth Auth `mapstructure:"auth"`
	// Accounts are the ids of the accounts to read. Default: all active ones of the organization or, where that cannot be
	// listed, the credential's own.
	Accounts []string `mapstructure:"accounts"`
	// Regions are those of LookupEvents and of trails. Default: all that an account has enabled.
	Regions []string `mapstructure:"regions"`
	// CloudTrail says where a trail delivers. Without queue_url events come from LookupEvents.
	CloudTrail Trail `mapstructure:"cloudtrail"`
	// ObjectEvents says where notifications of buckets arrive. Without queue_url changed files are found by the walks.
	ObjectEvents Queue `mapstructure:"object_events"`
	// IdentityCenterRegion is the Region of IAM Identity Center. Default: region.
	IdentityCenterRegion string `mapstructure:"identity_center_region"`
	// Files says how objects are read.
	Files Files `mapstructure:"files"`
	// QuarantineBucket is the bucket that objects in quarantine are moved to: account-owned, private, versioned. Default none:
	// then nothing can be quarantined or replaced by a notice in a bucket that keeps no versions.
	QuarantineBucket string `mapstructure:"quarantine_bucket"`
	// LabelTag is the key of the object tag that stands for a sensitivity label. Default sensitivity.
	LabelTag string `mapstructure:"label_tag"`
	// InFileLabels is the id of the tenant of Microsoft Entra whose sensitivity labels apply_label writes into Word, Excel and
	// PowerPoint files themselves, where a policy asks for it with the param place: file. Default none: labels are tags only.
	// Example: cb46c030-1825-4e81-a295-151c039dbf02.
	InFileLabels string `mapstructure:"in_file_labels"`
	// Labels gives the id of a sensitivity label for the name of a label in a policy, for in_file_labels. Default none: policies name
	// the ids. Example: {Confidential: 2096f6a2-d2f7-48be-b329-b73aaa526e5d}.
	Labels map[string]string `mapstructure:"labels"`
	// Endpoints are the URLs of single services: VPC endpoints, FIPS. Example: {sqs: https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com}.
	Endpoints map[string]string `mapstructure:"endpoints"`
}

// Auth is a credential of the organization's management account, of a delegated administrator, or of one account.
type Auth struct {
	// AccessKeyID and SecretAccessKey are a key. Default: the environment, shared files, web identity, container or instance.
	AccessKeyID string `mapstructure:"access_key_id"`
	// SecretAccessKey belongs to access_key_id.
	SecretAccessKey configopaque.String `mapstructure:"secret_access_key"`
	// SessionToken belongs to a temporary key.
	SessionToken configopaque.String `mapstructure:"session_token"`
	// Profile is the name of a profile in the shared files. Default: AWS_PROFILE, else default.
	Profile string `mapstructure:"profile"`
	// RoleARN is a role to assume first, for everything. Default none.
	RoleARN string `mapstructure:"role_arn"`
	// MemberRole is the name of the role that the agent assumes in each other account. Default none: only the credential's
	// own account is read. Example: LongshoreRead.
	MemberRole string `mapstructure:"member_role"`
	// ExternalID is what the roles ask for (sts:ExternalId). Needed with role_arn and member_role.
	ExternalID string `mapstructure:"external_id"`
	// SessionName is the name of the agent's sessions, by which its own activity is known. Default longshore.
	SessionName string `mapstructure:"session_name"`
}

// Queue is an SQS queue of notifications.
type Queue struct {
	// QueueURL is the URL of the queue. Example: https://sqs.eu-west-1.amazonaws.com/111122223333/trail.
	QueueURL string `mapstructure:"queue_url"`
}

// Trail is where a trail delivers.
type Trail struct {
	Queue `mapstructure:",squash"`
	// Bucket is the trail's bucket: what is older than the queue is read from it. Default none: only what the queue tells of.
	Bucket string `mapstructure:"bucket"`
	// Prefix is the trail's prefix in the bucket, with the organization's id for a trail of an organization.
	// Example: "" or logs/AWSLogs/o-abcd1234, default AWSLogs.
	Prefix string `mapstructure:"prefix"`
	// BucketRegion is the Region of the bucket. Default: region.
	BucketRegion string `mapstructure:"bucket_region"`
}

// Files says how objects are read.
type Files struct {
	// ScanEvery is how often all objects of a bucket are walked. Default 24h.
	ScanEvery time.Duration `mapstructure:"scan_every"`
	// SkipVersions leaves out versions that are not the current one, and delete markers. Default false.
	SkipVersions bool `mapstructure:"skip_versions"`
	// Buckets are the names of those whose objects are read, * for any text. Default all.
	Buckets []string `mapstructure:"buckets"`
	// SkipBuckets are the names of those whose objects are not read, * for any text. Default none; trail and quarantine bucket
	// never are.
	SkipBuckets []string `mapstructure:"skip_buckets"`
}

var (
	regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+){1,3}-[0-9]+$`)
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
)

// Validate reports the first value that cannot work.
func (c *Config) Validate() error {
	if !regionName.MatchString(c.Region) {
		return fmt.Errorf("region: %q is no Region, want one like eu-west-1", c.Region)
	}
	for _, r := range append([]string{c.IdentityCenterRegion, c.CloudTrail.BucketRegion}, c.Regions...) {
		if r != "" && !regionName.MatchString(r) {
			return fmt.Errorf("regions: %q is no Region, want one like eu-west-1", r)
		}
	}
	for _, a := range c.Accounts {
		if !accountID.MatchString(a) {
			return fmt.Errorf("accounts: %q is no account, want its 12 digits", a)
		}
	}
	if c.Files.ScanEvery < time.Minute {
		return fmt.Errorf("files.scan_every: %v, want a minute or more, such as 24h", c.Files.ScanEvery)
	}
	for key, u := range map[string]string{"cloudtrail.queue_url": c.CloudTrail.QueueURL, "object_events.queue_url": c.ObjectEvents.QueueURL} {
		if _, err := parseURL(key, u); u != "" && err != nil {
			return err
		}
	}
	for service, u := range c.Endpoints {
		if _, err := parseURL("endpoints."+service, u); err != nil {
			return err
		}
	}
	if err := infile.Validate(c.InFileLabels, c.Labels); err != nil {
		return err
	}
	return c.Auth.validate()
}

func (a *Auth) validate() error {
	switch {
	case (a.AccessKeyID == "") != (a.SecretAccessKey == ""):
		return errors.New("auth.access_key_id: a key has an id and a secret_access_key, want both or none")
	case a.AccessKeyID == "" && a.SessionToken != "":
		return errors.New("auth.session_token: set without access_key_id, want the key it belongs to")
	case a.AccessKeyID != "" && a.Profile != "":
		return errors.New("auth.profile: set beside auth.access_key_id, want one kind of credential")
	case a.RoleARN != "" && !strings.HasPrefix(a.RoleARN, "arn:"):
		return fmt.Errorf("auth.role_arn: %q is no ARN, want arn:aws:iam::<account>:role/<name>", a.RoleARN)
	case strings.ContainsAny(a.MemberRole, ": "):
		return fmt.Errorf("auth.member_role: %q, want the name of a role, which is the same in every account", a.MemberRole)
	case a.MemberRole != "" && a.ExternalID == "":
		return errors.New("auth.external_id: empty, want what the trust policy of member_role asks for")
	}
	return nil
}

// parseURL reads the URL of a service or a queue.
func parseURL(key, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("%s: %q is no URL like https://sqs.eu-west-1.amazonaws.com", key, s)
	}
	return u, nil
}
