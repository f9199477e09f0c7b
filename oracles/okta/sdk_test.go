package okta

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	vendor "github.com/okta/okta-sdk-golang/v6/okta"

	"github.com/longshore-dev/longshore/internal/sim"
)

// orgURL is under which name the vendor's client knows the org: it drops the port of a URL.
const orgURL = "http://contoso.okta.test"

// sdk makes the vendor's client with the credential that the org gives.
func sdk(t *testing.T, o org) *vendor.APIClient {
	t.Helper()
	set := []vendor.ConfigSetter{vendor.WithOrgUrl(orgURL), vendor.WithTestingDisableHttpsCheck(true), vendor.WithHttpClientPtr(o.client(t)),
		vendor.WithCache(false), vendor.WithRequestTimeout(30), vendor.WithRateLimitMaxRetries(2)}
	switch auth := o.auth(); auth["type"] {
	case "token":
		set = append(set, vendor.WithAuthorizationMode("SSWS"), vendor.WithToken(auth["token"].(string)))
	default:
		set = append(set, vendor.WithAuthorizationMode("PrivateKey"), vendor.WithClientId(auth["client_id"].(string)),
			vendor.WithPrivateKey(auth["private_key"].(string)), vendor.WithPrivateKeyId(auth["key_id"].(string)),
			vendor.WithScopes([]string{"okta.logs.read", "okta.users.read", "okta.groups.read", "okta.roles.read", "okta.apps.read",
				"okta.appGrants.read", "okta.apiTokens.read"}))
	}
	cfg, err := vendor.NewConfiguration(set...)
	if err != nil {
		t.Fatal(err)
	}
	return vendor.NewAPIClient(cfg)
}

// all follows next links until there are none, or, in the endless feed, until a page is empty.
func all[T any](t *testing.T, page []T, r *vendor.APIResponse, err error) []T {
	t.Helper()
	out := page
	for pages := 1; ; pages++ {
		if err != nil {
			t.Fatalf("page %d: %v", pages, err)
		}
		if !r.HasNextPage() || len(page) == 0 {
			return out
		}
		if pages > 1000 {
			t.Fatalf("the pages do not end: %s", r.NextPage())
		}
		page = nil
		r, err = r.Next(&page)
		out = append(out, page...)
	}
}

// read reads everything that the receiver's streams read, by the vendor's client.
func read(t *testing.T, o org, c *vendor.APIClient, since time.Time) *sets {
	t.Helper()
	s, ctx := &sets{}, c.GetConfig().Context
	events, r, err := c.SystemLogAPI.ListLogEvents(ctx).Since(since.UTC().Format(time.RFC3339)).SortOrder("ASCENDING").Limit(1000).Execute()
	for _, e := range all(t, events, r, err) {
		s.add("system_log", e.GetUuid())
	}
	list, r, err := c.UserAPI.ListUsers(ctx).Limit(50).Execute()
	users := all(t, list, r, err)
	list, r, err = c.UserAPI.ListUsers(ctx).Limit(50).Search(`status eq "DEPROVISIONED"`).Execute()
	users = append(users, all(t, list, r, err)...)
	for _, u := range users {
		s.add("users", u.GetId())
		readUser(t, s, c, u.GetId())
	}
	groups, r, err := c.GroupAPI.ListGroups(ctx).Limit(3).Execute()
	for _, g := range all(t, groups, r, err) {
		s.add("groups", g.GetId())
		list, r, err := c.GroupAPI.ListGroupUsers(ctx, g.GetId()).Limit(20).Execute()
		for _, u := range all(t, list, r, err) {
			s.add("group_members", g.GetId(), u.GetId())
		}
		roles, r, err := c.RoleAssignmentBGroupAPI.ListGroupAssignedRoles(ctx, g.GetId()).Execute()
		for _, role := range all(t, roles, r, err) {
			s.add("admin_roles", "group", g.GetId(), entityID(t, role.GetActualInstance()))
		}
	}
	readApps(t, s, c)
	custom, _, err := c.RoleECustomAPI.ListRoles(ctx).Execute()
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range custom.GetRoles() {
		s.add("custom_roles", role.GetId())
	}
	tokens, _, err := c.ApiTokenAPI.ListApiTokens(ctx).Execute()
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		s.add("api_tokens", token.GetId())
	}
	return s
}

// readUser reads what hangs on a user.
func readUser(t *testing.T, s *sets, c *vendor.APIClient, id string) {
	t.Helper()
	ctx := c.GetConfig().Context
	grants, r, err := c.UserGrantAPI.ListUserGrants(ctx, id).Limit(1).Execute()
	for _, g := range all(t, grants, r, err) {
		s.add("user_grants", g.GetId())
	}
	clients, r, err := c.UserResourcesAPI.ListUserClients(ctx, id).Execute()
	for _, client := range all(t, clients, r, err) {
		s.add("user_clients", id, client.GetClientId())
		tokens, r, err := c.UserOAuthAPI.ListRefreshTokensForUserAndClient(ctx, id, client.GetClientId()).Limit(1).Execute()
		for _, token := range all(t, tokens, r, err) {
			s.add("tokens of users", token.GetId())
		}
	}
	roles, r, err := c.RoleAssignmentAUserAPI.ListAssignedRolesForUser(ctx, id).Execute()
	for _, role := range all(t, roles, r, err) {
		s.add("admin_roles", "user", id, entityID(t, role.GetActualInstance()))
	}
}

// readApps reads the apps and what hangs on them.
func readApps(t *testing.T, s *sets, c *vendor.APIClient) {
	t.Helper()
	ctx := c.GetConfig().Context
	apps, r, err := c.ApplicationAPI.ListApplications(ctx).Limit(4).Execute()
	for _, a := range all(t, apps, r, err) {
		id := entityID(t, a.GetActualInstance())
		s.add("apps", id)
		grants, r, err := c.ApplicationGrantsAPI.ListScopeConsentGrants(ctx, id).Execute()
		for _, g := range all(t, grants, r, err) {
			s.add("app_grants", g.GetId())
		}
		tokens, r, err := c.ApplicationTokensAPI.ListOAuth2TokensForApplication(ctx, id).Limit(7).Execute()
		for _, token := range all(t, tokens, r, err) {
			s.add("app_tokens", token.GetId())
		}
		roles, r, err := c.RoleAssignmentClientAPI.ListRolesForClient(ctx, id).Execute()
		for _, role := range all(t, roles, r, err) {
			s.add("admin_roles", "client", id, entityID(t, role.GetActualInstance()))
		}
	}
}

// entityID is the id of what one of several types may hold.
func entityID(t *testing.T, v any) string {
	t.Helper()
	e, ok := v.(interface{ GetId() string })
	if !ok {
		t.Fatalf("the client made a %T of it", v)
	}
	return e.GetId()
}

func TestVendorsClientReadsWhatTheReceiverDelivers(t *testing.T) {
	f := func(variant string) {
		t.Helper()
		t.Run(variant, func(t *testing.T) {
			begin := time.Now().Add(-30 * time.Hour)
			o := start(t, sim.Options{Seed: 11, Events: 3500, Users: 120, Late: 0.05, Start: begin, Span: 24 * time.Hour, Variant: variant})
			c := sdk(t, o)
			got := read(t, o, c, begin.Add(-time.Hour))
			got.same(t, o, "the vendor's client", o.Streams)
			if n := o.Seen.Count("", "", 0) - o.Seen.Count("", "", 200); variant != "dpop" && n > 0 {
				t.Errorf("%d requests were refused", n)
			}
			if a, b := got.sorted("tokens of users"), got.sorted("app_tokens"); !slices.Equal(a, b) {
				t.Errorf("by users there are %d refresh tokens, by apps %d", len(a), len(b))
			}
			alike(t, delivered(t, o, o.Streams), "the vendor's client", got, o.Streams)
		})
	}
	f("token")
	f("pkjwt")
	f("pkjwt_es256")
	f("dpop")
}

func TestVendorsClientFindsWhoHasARole(t *testing.T) {
	o := start(t, sim.Options{Seed: 12, Users: 300, Variant: "token"})
	c := sdk(t, o)
	var got sets
	for after := ""; ; {
		q := c.RoleAssignmentAUserAPI.ListUsersWithRoleAssignments(c.GetConfig().Context).Limit(7)
		if after != "" {
			q = q.After(after)
		}
		page, _, err := q.Execute()
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.GetValue() {
			got.add("holders", u.GetId())
		}
		links := page.GetLinks()
		if links.Next == nil {
			break
		}
		next, err := url.Parse(links.Next.GetHref())
		if err != nil {
			t.Fatal(err)
		}
		after = next.Query().Get("after")
	}
	var want sets
	for _, key := range o.published("admin_roles") {
		if part := strings.Split(key, "/"); part[0] == "user" && !want.keys["holders"][part[1]] {
			want.add("holders", part[1])
		}
	}
	if a, b := got.sorted("holders"), want.sorted("holders"); !slices.Equal(a, b) || len(a) < 10 || len(got.twice) > 0 {
		t.Errorf("%d holders, want %d; twice %v", len(a), len(b), got.twice)
	}
}
