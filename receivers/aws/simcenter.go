package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simCenter is what IAM Identity Center holds.
type simCenter struct {
	instance, store string
	users, groups   []obj
	members         []obj
	sets            []obj // permission sets
	assigned        []obj
	apps            []obj
	jobs            map[string]*simJob
}

// simJob is a change of assignments that is made after a while.
type simJob struct {
	status obj
	at     time.Time
}

// populateCenter makes users, groups, permission sets and applications.
func (s *simCloud) populateCenter(n int) {
	e := &s.center
	e.jobs, e.store = map[string]*simJob{}, "d-"+s.hex(70, 0, 10)
	e.instance = s.arn("sso", "", "", "instance/ssoins-"+s.hex(71, 0, 16))
	at := simEpoch(s.o.Start.AddDate(-1, 0, 0))
	for i := range n {
		rnd, id := sim.NewRand(s.o.Seed, 72, uint64(i)), s.uuid(73, uint64(i))
		mail := fmt.Sprintf("user%d@contoso.example", i)
		u := obj{"IdentityStoreId": e.store, "UserId": id, "UserArn": s.arn("identitystore", "", "", "user/"+id), "Revision": "1",
			"UserName":    mail,
			"DisplayName": sim.Pick(rnd, []string{"Account", "Konto \"Ost\"", "会計", "Équipe & Co", "Desk"}) + fmt.Sprint(" ", i),
			"UserStatus":  "ENABLED",
			"Name":        obj{"GivenName": "Account", "FamilyName": fmt.Sprint(i)},
			"Emails":      []obj{{"Value": mail, "Type": "work", "Primary": true}}, "CreatedAt": at, "UpdatedAt": at + float64(i)}
		if i%9 == 4 {
			u["UserStatus"] = "DISABLED"
		}
		if i%3 == 1 {
			u["ExternalIds"], u["UserType"], u["Title"] = []obj{{"Issuer": "https://sts.contoso.example/", "Id": s.uuid(74, uint64(i))}},
				"Contractor", "Analyst"
		}
		e.users = append(e.users, u)
	}
	for i, name := range []string{"Administrators", "Auditors", "Data Team", "Empty", "Support \"2\"", "経理部"} {
		id := s.uuid(75, uint64(i))
		e.groups = append(e.groups, obj{"IdentityStoreId": e.store, "GroupId": id, "GroupArn": s.arn("identitystore", "", "", "group/"+id),
			"Revision":    "1",
			"DisplayName": name, "Description": "made by the fake", "CreatedAt": at, "UpdatedAt": at})
		for k, u := range e.users {
			if sim.Hash(s.o.Seed, 76, uint64(i), uint64(k))%4 == 0 && name != "Empty" {
				s.addMember(id, u["UserId"].(string))
			}
		}
	}
	for i, name := range []string{"AdministratorAccess", "ReadOnlyAccess", "DataAnalyst", "Unused"} {
		e.sets = append(e.sets, obj{"Name": name, "PermissionSetArn": s.arn("sso", "", "",
			"permissionSet/"+strings.TrimPrefix(e.instance[strings.LastIndexByte(e.instance,
				'/'):], "/")+"/ps-"+s.hex(77, uint64(i), 16)), "Description": "of " + name, "CreatedDate": at, "SessionDuration": "PT8H"})
	}
	s.populateApps(at)
}

// populateApps makes assignments and applications.
func (s *simCloud) populateApps(at float64) {
	e, n := &s.center, len(s.center.users)
	for i, a := range s.accounts {
		for k, set := range e.sets[:3] {
			who, kind := e.groups[(i+k)%len(e.groups)]["GroupId"], "GROUP"
			if (i+k)%3 == 2 {
				who, kind = e.users[(i+k)%n]["UserId"], "USER"
			}
			e.assigned = append(e.assigned, obj{"AccountId": a.id, "PermissionSetArn": set["PermissionSetArn"], "PrincipalType": kind,
				"PrincipalId": who})
		}
	}
	for i, name := range []string{"Reporting", "Wiki & Files", "Legacy"} {
		app := obj{"ApplicationArn": s.arn("sso", "", s.accounts[0].id, "application/"+e.instance[strings.LastIndexByte(e.instance,
			'/')+1:]+"/apl-"+
			s.hex(78, uint64(i), 16)), "ApplicationProviderArn": s.arn("sso", "", "aws", "applicationProvider/custom"), "Name": name,
			"ApplicationAccount": s.accounts[0].id, "InstanceArn": e.instance, "Status": "ENABLED", "Description": "of the fake",
			"CreatedDate": at}
		if i == 2 {
			app["Status"] = "DISABLED"
		}
		e.apps = append(e.apps, app)
	}
}

func (s *simCloud) addMember(group, user string) obj {
	e := &s.center
	id, at := s.uuid(79, uint64(len(e.members))+s.minted<<20), simEpoch(s.o.Start.AddDate(-1, 0, 0))
	m := obj{"IdentityStoreId": e.store, "MembershipId": id, "MembershipArn": s.arn("identitystore", "", "", "membership/"+id),
		"GroupId":  group,
		"MemberId": obj{"UserId": user}, "CreatedAt": at, "UpdatedAt": at}
	e.members = append(e.members, m)
	return m
}

// center wraps an operation that needs one of the members to name the instance or the store, in its Region.
func simAtCenter(member string, h func(s *simCloud, c *simCall) (any, *simError)) func(*simCloud, *simCall) (any, *simError) {
	return func(s *simCloud, c *simCall) (any, *simError) {
		want := s.center.instance
		if member == "IdentityStoreId" {
			want = s.center.store
		}
		switch {
		case c.account.n > 0 || s.o.Variant == "nocenter":
			return nil, simErr(400, "AccessDenied", "User: "+c.who.arn+" is not authorized to perform: "+c.service+":"+c.op)
		case member != "" && c.text(member) == "":
			return nil, simErr(400, "ValidationException", member+" is required")
		case member != "" && c.text(member) != want && member != "ApplicationArn" || c.region != s.home():
			return nil, simErr(400, "ResourceNotFoundException", "Instance not found")
		}
		return h(s, c)
	}
}

// simLists answers with a page of at most 100 of a list.
func simLists(member, name string, all func(s *simCloud, c *simCall) []obj) func(*simCloud, *simCall) (any, *simError) {
	return simAtCenter(member, func(s *simCloud, c *simCall) (any, *simError) {
		page, next, e := simPage(c, all(s, c), 100, c.text("GroupId")+c.text("PermissionSetArn")+c.text("PrincipalId"))
		if page == nil {
			page = []obj{}
		}
		return simNext(obj{name: page}, next), e
	})
}

// simOf are those of a list that have what the request says.
func simOf(c *simCall, all []obj, names ...string) []obj {
	return slices.DeleteFunc(slices.Clone(all), func(o obj) bool {
		return slices.ContainsFunc(names, func(n string) bool { return o[n] != c.text(n) })
	})
}

var simCenterOps = map[string]func(*simCloud, *simCall) (any, *simError){
	"sso ListInstances":        (*simCloud).listInstances,
	"identitystore ListUsers":  simLists("IdentityStoreId", "Users", func(s *simCloud, _ *simCall) []obj { return s.center.users }),
	"identitystore ListGroups": simLists("IdentityStoreId", "Groups", func(s *simCloud, _ *simCall) []obj { return s.center.groups }),
	"identitystore ListGroupMemberships": simLists("IdentityStoreId", "GroupMemberships", func(s *simCloud, c *simCall) []obj {
		return simOf(c, s.center.members, "GroupId")
	}),
	"identitystore DescribeUser":                  simAtCenter("IdentityStoreId", (*simCloud).describeUser),
	"identitystore DescribeGroup":                 simAtCenter("IdentityStoreId", (*simCloud).describeGroup),
	"identitystore DeleteGroupMembership":         simAtCenter("IdentityStoreId", (*simCloud).deleteMembership),
	"identitystore CreateGroupMembership":         simAtCenter("IdentityStoreId", (*simCloud).createMembership),
	"identitystore ListGroupMembershipsForMember": simAtCenter("IdentityStoreId", (*simCloud).membershipsOf),
	"identitystore GetGroupMembershipId":          simAtCenter("IdentityStoreId", (*simCloud).membershipID),
	"sso ListPermissionSets":                      simAtCenter("InstanceArn", (*simCloud).listSets),
	"sso DescribePermissionSet":                   simAtCenter("InstanceArn", (*simCloud).describeSet),
	"sso ListManagedPoliciesInPermissionSet":      simAtCenter("InstanceArn", (*simCloud).setPolicies),
	"sso GetInlinePolicyForPermissionSet":         simAtCenter("InstanceArn", (*simCloud).setInline),
	"sso ListAccountsForProvisionedPermissionSet": simAtCenter("InstanceArn", (*simCloud).setAccounts),
	"sso ListAccountAssignments": simLists("InstanceArn", "AccountAssignments", func(s *simCloud, c *simCall) []obj {
		return simOf(c, s.center.assigned, "AccountId", "PermissionSetArn")
	}),
	"sso ListAccountAssignmentsForPrincipal": simLists("InstanceArn", "AccountAssignments", func(s *simCloud, c *simCall) []obj {
		return simOf(c, s.center.assigned, "PrincipalId", "PrincipalType")
	}),
	"sso DeleteAccountAssignment":                 simAtCenter("InstanceArn", (*simCloud).deleteAssignment),
	"sso CreateAccountAssignment":                 simAtCenter("InstanceArn", (*simCloud).createAssignment),
	"sso DescribeAccountAssignmentDeletionStatus": simAtCenter("InstanceArn", (*simCloud).assignmentStatus),
	"sso DescribeAccountAssignmentCreationStatus": simAtCenter("InstanceArn", (*simCloud).assignmentStatus),
	"sso ListApplications": simLists("InstanceArn", "Applications", func(s *simCloud,
		_ *simCall) []obj {
		return s.center.apps
	}),
	"sso UpdateApplication":           simAtCenter("ApplicationArn", (*simCloud).updateApp),
	"sso ListApplicationAccessScopes": simAtCenter("ApplicationArn", (*simCloud).appScopes),
	"sso ListApplicationGrants":       simAtCenter("ApplicationArn", (*simCloud).appGrants),
	"sso ListApplicationAssignments":  simAtCenter("ApplicationArn", (*simCloud).appAssignments),
}

func (s *simCloud) listInstances(c *simCall) (any, *simError) {
	if s.o.Variant == "nocenter" || c.region != s.home() || c.account.n > 0 {
		return obj{"Instances": []obj{}}, nil
	}
	return obj{"Instances": []obj{{"InstanceArn": s.center.instance, "IdentityStoreId": s.center.store, "OwnerAccountId": s.accounts[0].id,
		"Name": "contoso", "CreatedDate": simEpoch(s.o.Start.AddDate(-1, 0, 0)), "Status": "ACTIVE"}}}, nil
}

// one is the object of a list that the request names.
func simOne(c *simCall, all []obj, name string) (obj, *simError) {
	if found := simOf(c, all, name); len(found) > 0 {
		return found[0], nil
	}
	return nil, simErr(400, "ResourceNotFoundException", name+" "+c.text(name)+" not found")
}

func (s *simCloud) describeUser(c *simCall) (any, *simError) {
	return simAny(simOne(c, s.center.users, "UserId"))
}
func (s *simCloud) describeGroup(c *simCall) (any, *simError) {
	return simAny(simOne(c, s.center.groups, "GroupId"))
}

func simAny(o obj, e *simError) (any, *simError) { return o, e }

func (s *simCloud) deleteMembership(c *simCall) (any, *simError) {
	m, e := simOne(c, s.center.members, "MembershipId")
	if e != nil {
		return nil, e
	}
	s.center.members = slices.DeleteFunc(s.center.members, func(o obj) bool { return o["MembershipId"] == m["MembershipId"] })
	return obj{}, nil
}

func (s *simCloud) createMembership(c *simCall) (any, *simError) {
	id, _ := c.in["MemberId"].(obj)
	user, _ := id["UserId"].(string)
	if _, e := simOne(c, s.center.groups, "GroupId"); e != nil {
		return nil, e
	}
	for _, m := range simOf(c, s.center.members, "GroupId") {
		if m["MemberId"].(obj)["UserId"] == user {
			return nil, simErr(400, "ConflictException", "Member and Group relationship already exists.")
		}
	}
	m := s.addMember(c.text("GroupId"), user)
	return obj{"IdentityStoreId": m["IdentityStoreId"], "MembershipId": m["MembershipId"], "MembershipArn": m["MembershipArn"]}, nil
}

func (s *simCloud) membershipsOf(c *simCall) (any, *simError) {
	id, _ := c.in["MemberId"].(obj)
	all := slices.DeleteFunc(slices.Clone(s.center.members), func(m obj) bool { return m["MemberId"].(obj)["UserId"] != id["UserId"] })
	page, next, e := simPage(c, all, 100, "")
	return simNext(obj{"GroupMemberships": page}, next), e
}

func (s *simCloud) membershipID(c *simCall) (any, *simError) {
	id, _ := c.in["MemberId"].(obj)
	for _, m := range simOf(c, s.center.members, "GroupId") {
		if m["MemberId"].(obj)["UserId"] == id["UserId"] {
			return obj{"IdentityStoreId": s.center.store, "MembershipId": m["MembershipId"], "MembershipArn": m["MembershipArn"]}, nil
		}
	}
	return nil, simErr(400, "ResourceNotFoundException", "MEMBERSHIP not found.")
}

// simNames lists a member of objects.
func simNames(all []obj, member string) []string {
	out := []string{}
	for _, o := range all {
		out = append(out, o[member].(string))
	}
	return out
}

func (s *simCloud) listSets(c *simCall) (any, *simError) {
	page, next, e := simPage(c, simNames(s.center.sets, "PermissionSetArn"), 100, "")
	return simNext(obj{"PermissionSets": page}, next), e
}

func (s *simCloud) describeSet(c *simCall) (any, *simError) {
	set, e := simOne(c, s.center.sets, "PermissionSetArn")
	return obj{"PermissionSet": set}, e
}

func (s *simCloud) setPolicies(c *simCall) (any, *simError) {
	set, e := simOne(c, s.center.sets, "PermissionSetArn")
	if e != nil {
		return nil, e
	}
	out := []obj{}
	if name := set["Name"].(string); strings.HasSuffix(name, "Access") {
		out = append(out, obj{"Name": name, "Arn": s.arn("iam", "", "aws", "policy/"+name)})
	}
	return obj{"AttachedManagedPolicies": out}, nil
}

func (s *simCloud) setInline(c *simCall) (any, *simError) {
	set, e := simOne(c, s.center.sets, "PermissionSetArn")
	if e != nil || set["Name"] != "DataAnalyst" {
		return obj{"InlinePolicy": ""}, e
	}
	return obj{"InlinePolicy": fmt.Sprintf(simAllow, "athena:*")}, nil
}

func (s *simCloud) setAccounts(c *simCall) (any, *simError) {
	ids := simNames(simOf(c, s.center.assigned, "PermissionSetArn"), "AccountId")
	slices.Sort(ids)
	page, next, e := simPage(c, slices.Compact(ids), 100, "")
	return simNext(obj{"AccountIds": page}, next), e
}

// assignment reads the assignment that a request is about.
func (s *simCloud) assignment(c *simCall, deletes bool) (*simJob, obj, *simError) {
	if _, e := simOne(c, s.center.sets, "PermissionSetArn"); e != nil {
		return nil, nil, e
	}
	if c.text("TargetType") != "AWS_ACCOUNT" || c.text("PrincipalId") == "" || c.text("PrincipalType") == "" {
		return nil, nil, simErr(400, "ValidationException", "TargetType, PrincipalType and PrincipalId are required")
	}
	status := obj{"Status": "IN_PROGRESS", "RequestId": c.serverID, "TargetId": c.text("TargetId"), "TargetType": "AWS_ACCOUNT",
		"PermissionSetArn": c.text("PermissionSetArn"), "PrincipalType": c.text("PrincipalType"), "PrincipalId": c.text("PrincipalId"),
		"CreatedDate": simEpoch(s.o.Now())}
	j := &simJob{status, s.o.Now().Add(4 * time.Second)}
	s.center.jobs[c.serverID] = j
	return j, obj{"AccountId": c.text("TargetId"), "PermissionSetArn": c.text("PermissionSetArn"), "PrincipalType": c.text("PrincipalType"),
		"PrincipalId": c.text("PrincipalId")}, nil
}

func (s *simCloud) deleteAssignment(c *simCall) (any, *simError) {
	j, a, e := s.assignment(c, true)
	if e != nil {
		return nil, e
	}
	before := len(s.center.assigned)
	s.center.assigned = slices.DeleteFunc(s.center.assigned, func(o obj) bool { return maps.Equal(o, a) })
	if len(s.center.assigned) == before {
		j.status["FailureReason"] = "Received a 404 status error: The assignment does not exist."
	}
	return obj{"AccountAssignmentDeletionStatus": maps.Clone(j.status)}, nil
}

func (s *simCloud) createAssignment(c *simCall) (any, *simError) {
	j, a, e := s.assignment(c, false)
	if e != nil {
		return nil, e
	}
	if !slices.ContainsFunc(s.center.assigned, func(o obj) bool { return maps.Equal(o, a) }) {
		s.center.assigned = append(s.center.assigned, a)
	}
	return obj{"AccountAssignmentCreationStatus": maps.Clone(j.status)}, nil
}

func (s *simCloud) assignmentStatus(c *simCall) (any, *simError) {
	kind := strings.TrimSuffix(strings.TrimPrefix(c.op, "DescribeAccountAssignment"), "Status")
	j := s.center.jobs[c.text("AccountAssignment"+kind+"RequestId")]
	if j == nil {
		return nil, simErr(400, "ResourceNotFoundException", "Request not found")
	}
	out := maps.Clone(j.status)
	if out["Status"] = "IN_PROGRESS"; !s.o.Now().Before(j.at) {
		if out["Status"] = "SUCCEEDED"; out["FailureReason"] != nil {
			out["Status"] = "FAILED"
		}
	} else {
		delete(out, "FailureReason")
	}
	return obj{"AccountAssignment" + kind + "Status": out}, nil
}

func (s *simCloud) updateApp(c *simCall) (any, *simError) {
	app, e := simOne(c, s.center.apps, "ApplicationArn")
	if status := c.text("Status"); e == nil && status != "" {
		app["Status"] = status
	}
	return obj{}, e
}

func (s *simCloud) appScopes(c *simCall) (any, *simError) {
	_, e := simOne(c, s.center.apps, "ApplicationArn")
	return obj{"Scopes": []obj{{"Scope": "sso:account:access", "AuthorizedTargets": []string{c.text("ApplicationArn")}}}}, e
}

func (s *simCloud) appGrants(c *simCall) (any, *simError) {
	_, e := simOne(c, s.center.apps, "ApplicationArn")
	return obj{"Grants": []obj{{"GrantType": "authorization_code",
		"Grant": obj{"AuthorizationCode": obj{"RedirectUris": []string{"https://app.contoso.example/cb"}}}}}}, e
}

func (s *simCloud) appAssignments(c *simCall) (any, *simError) {
	_, e := simOne(c, s.center.apps, "ApplicationArn")
	return obj{"ApplicationAssignments": []obj{{"ApplicationArn": c.text("ApplicationArn"), "PrincipalId": s.center.groups[0]["GroupId"],
		"PrincipalType": "GROUP"}}}, e
}
