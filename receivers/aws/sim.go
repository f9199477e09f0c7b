package aws

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const (
	simHome    = "eu-west-3" // of the queues, the trail and Identity Center
	simGlobal  = "us-east-1" // where global services are and their events appear
	simOutside = "a-secret-of-the-trust-policy"
)

// simCloud is the fake: an organization, its accounts, and what their services hold, all behind one address.
type simCloud struct {
	o         sim.Options
	partition string
	org       string // its id, "" = the account stands alone
	regions   []string
	accounts  []*simAccount // the first is the management account
	byID      map[string]*simAccount
	feed      *sim.Feed
	shaped    *sim.Feed // what changes objects

	mu       sync.Mutex // of all below and in accounts
	keys     map[string]*simCred
	minted   uint64
	buckets  map[string]*simBucket
	queues   map[string]*simQueue // by account/name
	center   simCenter
	trail    simTrail
	changes  int      // of shaped, that were made
	told     []string // keys of notices of objects
	lookable []string // ids of the events of requests that changed something, as the look-up has them
}

// simAccount is a member of the organization.
type simAccount struct {
	n                       int
	id, name, email, status string
	joined                  time.Time
	canonical               string // as S3 names it
	iam                     simIAM
	block                   *simBlock // of public access, for all buckets
}

// simStreams are the streams that published knows.
var simStreams = []string{"cloudtrail", "lookup", "object_events", "accounts", "iam", "identity_users", "identity_groups",
	"identity_members",
	"permission_sets", "assignments", "identity_apps", "credentials", "external_access", "trails", "buckets", "files", "versions"}

// newSim is Provider.Sim: a fake organization with a trail. Options.Variant says what is different: "lookup" has no trail,
// "single" no organization, "nocenter" no Identity Center; "member" is a credential that may not see the organization, "reader" one
// that may change nothing, "role" one that can only assume another, "wrong_key" one whose secret is wrong; "aws-cn" and
// "aws-us-gov" are other partitions.
func newSim(o sim.Options) (*sim.Sim, error) {
	o = o.Filled()
	s := &simCloud{o: o, partition: "aws", regions: []string{simGlobal, simHome}, byID: map[string]*simAccount{},
		keys:    map[string]*simCred{},
		buckets: map[string]*simBucket{}, queues: map[string]*simQueue{}}
	switch o.Variant {
	case "aws-cn":
		s.partition, s.regions = o.Variant, []string{"cn-north-1", "cn-northwest-1"}
	case "aws-us-gov":
		s.partition, s.regions = o.Variant, []string{"us-gov-west-1", "us-gov-east-1"}
	}
	s.populate()
	if err := s.log(); err != nil {
		return nil, err
	}
	limit := &sim.Limiter{Now: o.Now, Factor: o.Limits, Per: time.Second, Tell: func(http.Header, sim.Window) {}, Of: s.quota,
		Deny: s.throttle}
	out := sim.New(o, sim.Vendor{Mux: http.NewServeMux(), Fail: s.failStatus, Pattern: func(r *http.Request) string {
		c := simRoute(r)
		at := r.Method + " /" + c.service + "/" + c.op
		if q := c.text("QueueUrl"); q != "" { // whose requests have nothing to do with those of another
			at += q[strings.LastIndexByte(q, '/'):]
		}
		if c.op == "GetObject" && strings.HasPrefix(c.bucket, simTrailBucket) { // which is no file of somebody
			at += "/trail"
		}
		return at
	}, Gates: []sim.Gate{limit.Gate, func(http.Handler) http.Handler { return http.HandlerFunc(s.serve) }}})
	out.Config, out.Published, out.Streams = s.config, s.published, simStreams
	out.Planted = s.planted()
	return out, nil
}

// home and global are the two Regions of the partition.
func (s *simCloud) home() string   { return s.regions[1] }
func (s *simCloud) global() string { return s.regions[0] }

// quota is what a request counts against: the look-up of CloudTrail per account and Region, IAM per account.
func (s *simCloud) quota(r *http.Request) (string, int) {
	c := simRoute(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.keys[c.key]
	if who == nil {
		return "", 0
	}
	switch {
	case c.op == "LookupEvents":
		return c.op + who.account + c.region, 2
	case c.service == "iam":
		return c.service + who.account, 20
	}
	return "", 0
}

// config is Sim.Config.
func (s *simCloud) config(base string) map[string]any {
	id, secret := s.credential()
	auth := map[string]any{"access_key_id": id, "secret_access_key": secret}
	out := map[string]any{"endpoint": base, "region": s.home(), "auth": auth, "quarantine_bucket": simQuarantine + s.suffix(),
		"object_events": map[string]any{"queue_url": s.queueURL(base, simObjectQueue)}}
	if s.org != "" {
		auth["member_role"], auth["external_id"] = simMember, simOutside
	}
	switch s.o.Variant {
	case "role":
		auth["role_arn"], auth["external_id"] = s.arn("iam", "", s.accounts[0].id, "role/"+simMember), simOutside
	case "lookup":
		return out
	}
	out["cloudtrail"] = map[string]any{"queue_url": s.queueURL(base, simTrailQueue), "bucket": simTrailBucket + s.suffix(),
		"prefix": s.trailPrefix()}
	return out
}

// populate makes the organization.
func (s *simCloud) populate() {
	n := s.users()
	accounts := 3 + n/50
	if s.org = "o-" + strings.ToLower(s.name(12, 0, 10)); s.o.Variant == "single" {
		s.org, accounts = "", 1
	}
	for i := range accounts {
		a := &simAccount{n: i, id: s.number(i), name: simAccountNames[i%len(simAccountNames)], status: "ACTIVE",
			email: fmt.Sprintf("aws+%d@contoso.example", i), joined: s.o.Start.AddDate(-2, 0, -i), canonical: s.hex(14, uint64(i), 64)}
		if i >= len(simAccountNames) {
			a.name += fmt.Sprint(" ", i)
		}
		if i%12 == 5 {
			a.status = "SUSPENDED"
		}
		s.accounts, s.byID[a.id] = append(s.accounts, a), a
		s.populateIAM(a, 2+n/accounts)
	}
	s.populateCenter(n)
	s.populateBuckets()
	s.queues[s.accounts[0].id+"/"+simTrailQueue] = &simQueue{name: simTrailQueue, seed: s.o.Seed}
	s.queues[s.accounts[0].id+"/"+simObjectQueue] = &simQueue{name: simObjectQueue, seed: s.o.Seed + 1}
}

var simAccountNames = []string{"Contoso", "Log Archive", "Produktion \"EU\"", "Data & Analytics", "経理部"}

func (s *simCloud) users() int {
	if s.o.Users > 0 {
		return s.o.Users
	}
	return 40
}

// active are the accounts that can be read.
func (s *simCloud) active() []*simAccount {
	return slices.DeleteFunc(slices.Clone(s.accounts), func(a *simAccount) bool { return a.status != "ACTIVE" })
}

// arn makes an ARN of the partition.
func (s *simCloud) arn(service, region, account, what string) string {
	return strings.Join([]string{"arn", s.partition, service, region, account, what}, ":")
}

// name is a random name of n characters: thing i of a kind.
func (s *simCloud) name(kind int, i uint64, n int) string {
	return string(sim.NewRand(s.o.Seed, uint64(kind), i).Name(nil, n))
}

// unique is an id as IAM makes them.
func (s *simCloud) unique(prefix string, kind int, i uint64) string {
	return prefix + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' { // base 32 has no 0, 1, 8 and 9
			return 'A' + r - '0'
		}
		return r
	}, strings.ToUpper(s.name(kind, i, 17)))
}

// hex is a random hexadecimal number of n digits, with letters so that nothing in it can be taken for a number that dlp looks for.
func (s *simCloud) hex(kind int, i uint64, n int) string {
	rnd, b := sim.NewRand(s.o.Seed, uint64(kind), i), make([]byte, n)
	for k := range b {
		if b[k] = "0123456789abcdef"[rnd.N(16)]; k%3 == 0 {
			b[k] = "abcdef"[rnd.N(6)]
		}
	}
	return string(b)
}

func (s *simCloud) uuid(kind int, i uint64) string {
	return string(sim.NewRand(s.o.Seed, uint64(kind), i).UUID(nil))
}

// number is the id of account i: twelve digits.
func (s *simCloud) number(i int) string {
	return fmt.Sprintf("%06d%06d", 100_000+sim.Hash(s.o.Seed, 15)%900_000, 100_000+17*i)
}

// suffix makes the names of buckets this organization's.
func (s *simCloud) suffix() string { return "-" + s.accounts[0].id[:6] }
