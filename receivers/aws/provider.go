package aws

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/infile"
)

// Provider is Amazon Web Services.
var Provider = saas.Provider{
	Name:  "aws",
	Title: "Amazon Web Services",
	Hosts: []string{"*.amazonaws.com", "*.amazonaws.com.cn", "*.amazonaws.eu"},
	Covers: []saas.Cover{
		{Capability: saas.ListAccounts, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListGroups, Level: saas.Has, Proof: delivered},
		{Capability: saas.ListPrivileges, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserGovernance, Level: saas.Part, Proof: governed,
			Why: "an account of IAM Identity Center has no public switch: what it holds is taken away instead"},
		{Capability: saas.LogOnActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.UserActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.AdminActivity, Level: saas.Has, Proof: delivered},
		{Capability: saas.PeriodicDLP, Level: saas.Has, Proof: scanned},
		{Capability: saas.RealTimeDLP, Level: saas.Has, Proof: scanned},
		{Capability: saas.SharingControl, Level: saas.Part, Proof: governed,
			Why: "a presigned URL is listed nowhere: revoke_token of the key that signed it ends it"},
		{Capability: saas.FileGovernance, Level: saas.Has, Proof: governed},
		{Capability: saas.ViewAppRights, Level: saas.Has, Proof: delivered},
		{Capability: saas.RevokeAppRights, Level: saas.Has, Proof: governed},
		{Capability: saas.ApplyLabels, Level: saas.Part, Proof: governed,
			Why: "S3 has no sensitivity labels: an object tag stands for them or, where in_file_labels is set, the label is written into " +
				"Word, Excel and PowerPoint files"},
	},
	Needs: []saas.Need{
		need(saas.ListAccounts, readRole, "users are not listed", "iam:GetAccountAuthorizationDetails"),
		need(saas.ListGroups, readRole, "groups are not listed", "iam:GetAccountAuthorizationDetails"),
		need(saas.ListPrivileges, readRole, "policies and assignments are not known", "iam:GetAccountAuthorizationDetails"),
		need(saas.UserGovernance, governRole, "no user can be suspended and no session ended", "iam:PutUserPolicy"),
		need(saas.LogOnActivity, readRole, "events cannot be read", activityRight),
		need(saas.UserActivity, readRole, "events cannot be read", activityRight),
		need(saas.AdminActivity, readRole, "events cannot be read", activityRight),
		need(saas.PeriodicDLP, readRole, "no object can be found and read", "s3:ListAllMyBuckets"),
		need(saas.RealTimeDLP, readRole, "it is not known which objects change", "sqs:ReceiveMessage"),
		need(saas.SharingControl, governRole, "public buckets are seen and cannot be closed", "s3:PutObject"),
		need(saas.FileGovernance, governRole, "no object can be quarantined, deleted or restored", "s3:PutObject"),
		need(saas.ViewAppRights, readRole, "who else comes in is not known", "iam:ListRoles"),
		need(saas.RevokeAppRights, governRole, "ways in are seen and cannot be closed", "iam:PutUserPolicy"),
		need(saas.ApplyLabels, governRole, "no object can be labelled", "s3:PutObject"),
	},
	Vendor: event.Vendor{Module: "aws", Snake: true, Layout: trailLayout, Texts: trailTexts, Fields: trailTypes, Typed: []string{trailSet}},
	Config: func() any {
		return &Config{Files: Files{ScanEvery: day}, LabelTag: "sensitivity", Auth: Auth{SessionName: "longshore"}}
	},
	Open:     open,
	Sim:      newSim,
	Datasets: map[string]string{"": "cloudtrail", trailSet: "cloudtrail", objectSet: "object_events"},
}

// The tests that show what is covered, the roles of connect.md, and what reads events.
const (
	delivered     = "TestContract"
	governed      = "TestActionsReachTheirState"
	scanned       = "TestContract"
	readRole      = "the read role of the connection guide"
	governRole    = "the govern role of the connection guide"
	activityRight = "sqs:ReceiveMessage|cloudtrail:LookupEvents"
)

func need(c saas.Capability, role, why string, scopes ...string) saas.Need {
	return saas.Need{Capability: c, Licence: "any", Role: role, Scopes: scopes, Why: why}
}

// NewFactory makes the aws receiver.
func NewFactory() receiver.Factory { return saas.NewFactory(Provider) }

// open is Provider.Open.
func open(cfg any, s saas.Setup) (*saas.Instance, error) {
	given, ok := cfg.(*Config)
	if !ok {
		return nil, fmt.Errorf("open aws: configuration is a %T", cfg)
	}
	own := *given
	own.Region = cmp.Or(own.Region, "us-east-1")
	own.IdentityCenterRegion = cmp.Or(own.IdentityCenterRegion, own.Region)
	at := &place{partition: partitionOf(own.Region), region: own.Region, endpoint: strings.TrimRight(s.Endpoint, "/"), own: own.Endpoints}
	if s.Endpoint != "" {
		if _, err := parseURL("endpoint", s.Endpoint); err != nil {
			return nil, err
		}
	}
	cred := newCredential(own.Auth, at, s.Filled())
	c := &client{Config: &own, credential: cred, labels: infile.New(own.InFileLabels, own.Labels), offline: s.Offline}
	base, _ := at.at("sts", "")
	return &saas.Instance{
		Base:    base,
		Hosts:   at.hosts(),
		Auth:    saas.Auth{Key: cred.key, Mint: cred.mint, Sign: cred.sign},
		Fault:   cred.fault,
		Budgets: budgets(),
		Rights:  c.rights,
		Streams: c.streams(),
		Content: c.content,
		Actions: c.actions(),
	}, nil
}

// budgets are the quotas that are published, each of an account, those of CloudTrail of a Region too. Others answer when it is
// enough. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
func budgets() []saas.Budget {
	in := func(q saas.Req) (region, service string) {
		region, service, _ = strings.Cut(q.Header[scopeHeader], "/")
		return region, service
	}
	of := func(name string) func(saas.Req) bool {
		return func(q saas.Req) bool { _, service := in(q); return service == name }
	}
	account := func(q saas.Req) string { return q.As }
	return []saas.Budget{
		{Name: "lookup", Limit: 2, Per: time.Second, Key: func(q saas.Req) string { region, _ := in(q); return q.As + "/" + region },
			Match: func(q saas.Req) bool { return strings.HasSuffix(q.Header["X-Amz-Target"], ".LookupEvents") }},
		{Name: "iam", Limit: 20, Per: time.Second, Key: account, Match: of("iam")},
		{Name: "organizations", Limit: 8, Per: time.Second, Match: of("organizations")},
		{Name: "identity center", Limit: 20, Per: time.Second, Match: func(q saas.Req) bool { return of("sso")(q) || of("identitystore")(q) }},
		{Name: "s3", Limit: 3500, Per: time.Second, Key: account, Match: of("s3")},
	}
}
