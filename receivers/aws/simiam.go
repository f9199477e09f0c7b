package aws

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simIAM is what IAM holds of an account.
type simIAM struct {
	users    []*simUser
	groups   []*simGroup
	roles    []*simRole
	policies []*simPolicy // of the customer, then of AWS
	saml     []simFederation
	oidc     []simFederation
	asked    time.Time // the credential report was
}

// simUser is an IAM user.
type simUser struct {
	n             int
	id, name, arn string
	path          string
	created       time.Time
	keys          []*simKey
	login         bool // has a console password
	reset         bool // and must change it
	mfa           []string
	groups        []string
	inline        map[string]string // policy documents by name
	attached      []string          // ARNs
	boundary      string
	special       []*simSpecial
	tagged        bool
	loggedOn      time.Time
}

type simKey struct {
	id, status    string
	created, used time.Time
}

// simSpecial is a credential for one service.
type simSpecial struct{ id, service, name, status string }

type simGroup struct {
	id, name, arn string
	attached      []string
	inline        map[string]string
}

type simRole struct {
	id, name, arn, path, trust string
	created, used              time.Time
	inline                     map[string]string
	attached                   []string
}

type simPolicy struct{ id, name, arn, document string }

type simFederation struct {
	arn, url string
	clients  []string
	document string
}

func (u *simUser) keyActive(id string) bool {
	return slices.ContainsFunc(u.keys, func(k *simKey) bool { return k.id == id && k.status == "Active" })
}

const (
	simAllow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["%s"],"Resource":"*"}]}`
	simTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":"sts:AssumeRole"%s}]}`
)

// populateIAM makes the users, groups and roles of an account; users are n and the one of the collector.
func (s *simCloud) populateIAM(a *simAccount, n int) {
	at := s.o.Start.AddDate(-1, 0, -a.n)
	for _, p := range []struct{ name, action string }{{"DataTeam", "s3:GetObject"}, {"Betrieb-ÄÖ", "ec2:*"}} {
		i := uint64(len(a.iam.policies) + 10*a.n)
		a.iam.policies = append(a.iam.policies, &simPolicy{s.unique("ANPA", 50, i), p.name, s.arn("iam", "", a.id, "policy/"+p.name),
			fmt.Sprintf(simAllow, p.action)})
	}
	for i, name := range []string{"AdministratorAccess", "ReadOnlyAccess"} {
		a.iam.policies = append(a.iam.policies, &simPolicy{s.unique("ANPA", 51, uint64(i)), name, s.arn("iam", "", "aws", "policy/"+name),
			fmt.Sprintf(simAllow, []string{"*", "*:Get*"}[i])})
	}
	for i, name := range []string{"Admins", "Developers", "Ops+Support"} {
		a.iam.groups = append(a.iam.groups, &simGroup{s.unique("AGPA", 52, uint64(100*a.n+i)), name, s.arn("iam", "", a.id, "group/"+name),
			[]string{a.iam.policies[2-i%2*2].arn}, map[string]string{}})
	}
	for i := range n + 1 {
		a.iam.users = append(a.iam.users, s.addUser(a, i, at))
	}
	s.populateRoles(a, at)
	host := "token.actions.githubusercontent.com"
	a.iam.saml = []simFederation{{document: simMetadata, arn: s.arn("iam", "", a.id, "saml-provider/AWSSSO_"+s.hex(53, uint64(a.n),
		16)+"_DO_NOT_DELETE")}}
	a.iam.oidc = []simFederation{{s.arn("iam", "", a.id, "oidc-provider/"+host), host, []string{"sts.amazonaws.com"}, ""}}
}

// addUser makes IAM user i of an account.
func (s *simCloud) addUser(a *simAccount, i int, at time.Time) *simUser {
	k := uint64(100_000*a.n + i)
	rnd := sim.NewRand(s.o.Seed, 54, k)
	u := &simUser{n: i, id: s.unique("AIDA", 55, k), name: fmt.Sprintf("user%d@contoso.example", i), path: "/", inline: map[string]string{},
		created: at.Add(time.Duration(i) * time.Hour)}
	switch i % 4 {
	case 0:
		u.name, u.path = fmt.Sprintf("svc.deploy.%d", i), "/service/"
	case 1, 2:
		u.login, u.loggedOn = true, s.o.Start.Add(-time.Duration(1+rnd.N(400))*time.Hour)
	}
	if i == 0 {
		u.name, u.path = "svc.collector", "/"
	}
	u.arn = s.arn("iam", "", a.id, "user"+u.path+u.name)
	for n := range rnd.N(3) {
		key := &simKey{id: s.unique("AKIA", 56+n, k), status: "Active", created: u.created,
			used: s.o.Start.Add(-time.Duration(rnd.N(100)) * time.Hour)}
		if rnd.N(4) == 0 {
			key.status, key.used = "Inactive", time.Time{}
		}
		u.keys = append(u.keys, key)
	}
	if i%4 == 1 {
		u.mfa = []string{s.arn("iam", "", a.id, "mfa/"+u.name)}
	}
	for n, g := range a.iam.groups {
		if rnd.N(3) == n && i > 0 {
			u.groups = append(u.groups, g.name)
		}
	}
	if i%5 == 2 {
		u.inline["s3 \"read\""], u.boundary = fmt.Sprintf(simAllow, "s3:Get*"), a.iam.policies[0].arn
	}
	if i%7 == 3 {
		u.attached = []string{a.iam.policies[0].arn, a.iam.policies[2].arn}
		u.special = []*simSpecial{{s.unique("ACCA", 59, k), "codecommit.amazonaws.com", u.name + "-at-" + a.id, "Active"}}
	}
	u.tagged = i%3 == 0
	return u
}

// populateRoles makes the roles of an account: the collector's, of services, of others that may assume it, of Identity Center.
func (s *simCloud) populateRoles(a *simAccount, at time.Time) {
	outside := s.arn("iam", "", "464622532012", "root")
	for i, r := range []struct{ path, name, principal, condition, policy string }{
		{"/", simMember, `{"AWS":"` + s.arn("iam", "", s.accountsFirst(a).id, "root") + `"}`,
			`,"Condition":{"StringEquals":{"sts:ExternalId":"` + simOutside + `"}}`, "ReadOnlyAccess"},
		{"/", "DatadogIntegration", `{"AWS":"` + outside + `"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"e7f1"}}`, "ReadOnlyAccess"},
		{"/vendor/", "OpenToAnybody", `{"AWS":"*"}`, "", "AdministratorAccess"},
		{"/service-role/", "lambda-role", `{"Service":"lambda.amazonaws.com"}`, "", ""},
		{"/", "ci-deploy", `{"Federated":"` + s.arn("iam", "", a.id, "oidc-provider/token.actions.githubusercontent.com") + `"}`, "",
			"AdministratorAccess"},
		{"/aws-reserved/sso.amazonaws.com/", "AWSReservedSSO_AdministratorAccess_" + s.hex(60, uint64(a.n), 16), `{"Federated":"` +
			s.arn("iam", "", a.id, "saml-provider/AWSSSO_"+s.hex(53, uint64(a.n), 16)+"_DO_NOT_DELETE") + `"}`, "", "AdministratorAccess"},
	} {
		role := &simRole{id: s.unique("AROA", 61, uint64(100*a.n+i)), name: r.name, path: r.path, trust: fmt.Sprintf(simTrust, r.principal,
			r.condition),
			arn: s.arn("iam", "", a.id, "role"+r.path+r.name), created: at, inline: map[string]string{}}
		if r.policy != "" {
			role.attached = []string{s.arn("iam", "", "aws", "policy/"+r.policy)}
		}
		if i%2 == 0 {
			role.used = s.o.Start.Add(-time.Duration(i) * time.Hour)
		}
		a.iam.roles = append(a.iam.roles, role)
	}
}

func (s *simCloud) accountsFirst(a *simAccount) *simAccount {
	if len(s.accounts) == 0 {
		return a
	}
	return s.accounts[0]
}

// simMarked is where a page begins, and the elements that say whether it is the last one.
func (c *simCall) simMarked(total, usual int) (from, to int, tail string, e *simError) {
	most := c.number("MaxItems", usual)
	if most < 1 || most > 1000 {
		return 0, 0, "", simErr(400, "ValidationError",
			"1 validation error detected: Value '"+strconv.Itoa(most)+"' at 'maxItems' failed to satisfy "+
				"constraint: Member must have value between 1 and 1000")
	}
	if m := c.form.Get("Marker"); m != "" {
		b, err := base64.StdEncoding.DecodeString(m)
		text, ok := strings.CutPrefix(string(b), c.op+c.form.Get("UserName")+"/")
		if from, _ = strconv.Atoi(text); err != nil || !ok || from <= 0 {
			return 0, 0, "", simErr(400, "ValidationError", "Invalid Marker: "+m)
		}
	}
	if most > 5 && from == 0 && most < total { // fewer than asked for, though there are more
		most -= 2
	}
	if to = min(from+most, total); to < total {
		return from, to, simTag("IsTruncated", "true") + simTag("Marker", base64.StdEncoding.EncodeToString(
			[]byte(c.op+c.form.Get("UserName")+"/"+strconv.Itoa(to)))), nil
	}
	return min(from, total), to, simTag("IsTruncated", "false"), nil
}

// simMembers is a list.
func simMembers[T any](name string, all []T, one func(T) string) string {
	var b strings.Builder
	for _, v := range all {
		b.WriteString(simNode("member", one(v)))
	}
	return simNode(name, b.String())
}

// user finds the user that a request names.
func (c *simCall) user() (*simUser, *simError) {
	name := c.form.Get("UserName")
	for _, u := range c.account.iam.users {
		if u.name == name {
			return u, nil
		}
	}
	return nil, simErr(404, "NoSuchEntity", "The user with name "+name+" cannot be found.")
}

func (c *simCall) role() (*simRole, *simError) {
	name := c.form.Get("RoleName")
	for _, r := range c.account.iam.roles {
		if r.name == name {
			return r, nil
		}
	}
	return nil, simErr(404, "NoSuchEntity", "The role with name "+name+" cannot be found.")
}

// iam is an operation of IAM.
func (s *simCloud) iam(c *simCall) (*simReply, *simError) {
	if c.form.Get("Version") != "2010-05-08" {
		return nil, simErr(400, "InvalidAction", "Could not find operation "+c.op+" for version "+c.form.Get("Version"))
	}
	if h := simIAMReads[c.op]; h != nil {
		inner, e := h(s, c)
		return &simReply{body: simNode(c.op+"Result", inner)}, e
	}
	if h := simIAMWrites[c.op]; h != nil {
		e := h(s, c)
		return &simReply{body: ""}, e
	}
	return nil, simErr(400, "InvalidAction", "Could not find operation "+c.op+" for version 2010-05-08")
}
