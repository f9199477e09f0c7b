package googleworkspace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simAlerts is the feed of the Alert Center.
const simAlerts = "alerts"

// simNobody is the profile of an actor whom Google does not know.
const simNobody = "105250506097979753968"

// activities makes the feeds.
func (s *simOrg) activities() error {
	s.feeds = map[string]*sim.Feed{}
	replay := map[string]*bytes.Buffer{}
	if s.o.Replay != nil {
		var err error
		if replay, err = simSplit(s.o.Replay); err != nil {
			return err
		}
	}
	total := s.o.Events
	if total <= 0 {
		total = 2500
	}
	for i, app := range simApps {
		o := s.o
		o.Seed, o.Events = s.o.Seed+int64(i)<<32, max(1, total*app.share/100)
		if o.Replay != nil {
			o.Replay = bytes.NewReader(replay[app.name].Bytes())
		}
		make := s.generate(i)
		if app.name == simAlerts {
			make = s.alert
		}
		var err error
		s.feeds[app.name], err = sim.NewFeed(o, sim.FeedSpec{Events: o.Events, MaxLag: app.lag, Retention: simRetains, Make: make,
			Key: func(n int) string { return s.keyOf(app.name, n) }, ReplayKey: simReplayKey})
		if err != nil {
			return fmt.Errorf("make activity of %s: %w", app.name, err)
		}
	}
	return nil
}

// planted counts what dlp must find, by type.
func (s *simOrg) planted() map[string]int {
	count := s.tree.planted()
	for i, app := range simApps {
		if s.o.Replay != nil || !app.free {
			continue
		}
		for kind, n := range sim.CountPlanted(s.o.Seed, uint64(i), s.feeds[app.name].Len()) {
			count[kind] += n
		}
	}
	return count
}

// simSplit sorts events to replay by their application.
func simSplit(in io.Reader) (map[string]*bytes.Buffer, error) {
	out := map[string]*bytes.Buffer{}
	for _, app := range simApps {
		out[app.name] = &bytes.Buffer{}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		raw := lines.Bytes()
		var in struct {
			Raw json.RawMessage
			ID  struct{ ApplicationName string }
		}
		if err := json.Unmarshal(raw, &in); err == nil && in.Raw != nil {
			raw = in.Raw
			_ = json.Unmarshal(raw, &in) // what cannot be read is of no application
		}
		if b := out[in.ID.ApplicationName]; b != nil && len(bytes.TrimSpace(raw)) > 0 {
			b.Write(append(bytes.TrimSpace(raw), '\n'))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read events to replay: %w", err)
	}
	return out, nil
}

// simReplayKey is the key of an activity.
func simReplayKey(raw []byte) string {
	var in struct {
		AlertID string
		ID      struct{ CustomerID, ApplicationName, Time, UniqueQualifier string }
	}
	_ = json.Unmarshal(raw, &in) // an object, which was checked
	if in.AlertID != "" {
		return in.AlertID
	}
	return in.ID.CustomerID + "/" + in.ID.ApplicationName + "/" + in.ID.Time + "/" + in.ID.UniqueQualifier
}

// keyOf is the key of event n of an application. The qualifier only tells apart what has the same time: it comes again.
func (s *simOrg) keyOf(app string, n int) string {
	if app == simAlerts {
		return s.alertID(n)
	}
	return s.id + "/" + app + "/" + simTime(s.feeds[app].At(n)) + "/" + s.qualifier(n)
}

func (s *simOrg) qualifier(n int) string {
	q := s.digits(18, 51, uint64(n%512))
	if n%2 == 0 {
		return "-" + q
	}
	return q
}

// simActivity is an activity while it is made.
type simActivity struct {
	s             *simOrg
	rnd           *sim.Rand
	app, key      string
	at            time.Time
	actor         *simUser // nil = nobody known
	other         *simUser
	outside, team string
	client        simToken
	file          *simFile
	note          string // of a title
	ip            string
}

// generate makes the events of an application.
func (s *simOrg) generate(app int) func(b []byte, i int, at time.Time) []byte {
	name, kinds := simApps[app].name, simKindsOf(simApps[app].name)
	var weighted []int
	for i, k := range kinds {
		weighted = append(weighted, slices.Repeat([]int{i}, k.often)...)
	}
	return func(b []byte, i int, at time.Time) []byte {
		rnd := sim.NewRand(s.o.Seed, 52, uint64(app), uint64(i))
		k := kinds[weighted[rnd.N(len(weighted))]]
		a := &simActivity{s: s, rnd: rnd, app: name, key: s.qualifier(i), at: at, actor: sim.Pick(rnd, s.users[:len(s.users)-1]),
			other: sim.Pick(rnd, s.users), outside: sim.Pick(rnd, simOutside), team: sim.Pick(rnd, s.groups).email,
			client: sim.Pick(rnd, simThirdParties)}
		if name == "admin" || name == "groups_enterprise" {
			a.actor = s.users[rnd.N(2)]
		}
		if a.ip = "203.0.113." + itoa(1+a.actor.n%250); rnd.N(12) == 0 {
			a.ip = "2001:db8::" + strconv.FormatInt(int64(1+a.actor.n%4000), 16)
		}
		if name == "drive" {
			if a.file = s.tree.some(rnd); rnd.N(40) == 0 {
				a.actor = nil
			}
		}
		if t, decoy := sim.Planted(s.o.Seed, uint64(app), uint64(i)); simApps[app].free && t != "" {
			a.note = sim.Plant(rnd, t)
		} else if decoy {
			a.note = sim.Decoy(rnd)
		}
		all := []simKind{k}
		if n := slices.IndexFunc(kinds, func(o simKind) bool { return o.name == k.also }); n >= 0 && rnd.N(2) == 0 {
			all = append(all, kinds[n])
		}
		return a.write(b, all)
	}
}

// simKindsOf are the kinds of events of an application.
func simKindsOf(app string) []simKind {
	var out []simKind
	for _, k := range simKinds {
		if k.app == app {
			out = append(out, k)
		}
	}
	if app != "admin" {
		return out
	}
	for _, k := range simAdminKinds {
		for _, name := range strings.Fields(k.names) {
			out = append(out, simKind{"admin", k.kind, name, 1, k.params, ""})
		}
	}
	return out
}

// write appends the activity.
func (a *simActivity) write(b []byte, kinds []simKind) []byte {
	b = append(b, `{"kind":"admin#reports#activity","id":{"time":"`...)
	b = append(a.at.UTC().AppendFormat(b, simStamp), `","uniqueQualifier":"`...)
	b = append(append(b, a.key...), `","applicationName":"`...)
	b = append(append(b, a.app...), `","customerId":"`...)
	b = append(append(b, a.s.id...), `"},"etag":`...)
	b = append(sim.Text(b, a.s.etag(53, sim.KeySum(a.app+a.key), uint64(a.at.UnixMilli()))), `,"actor":{`...)
	if a.actor != nil {
		b = append(sim.Text(append(b, `"callerType":"USER","email":`...), a.actor.email), `,"profileId":"`...)
		b = append(append(b, a.actor.id...), `"}`...)
	} else {
		b = append(b, `"profileId":"`+simNobody+`"}`...)
	}
	if a.ip != "" {
		b = append(sim.Text(append(b, `,"ipAddress":`...), a.ip),
			`,"networkInfo":{"regionCode":"DE","subdivisionCode":"DE-BY","ipAsn":[64500]}`...)
	}
	b = append(b, `,"ownerDomain":"`+simDomain+`","events":[`...)
	for i, k := range kinds {
		if i > 0 {
			b = append(b, ',')
		}
		b = sim.Text(append(sim.Text(append(b, `{"type":`...), k.kind), `,"name":`...), k.name)
		if params := a.params(nil, strings.Fields(k.params), i == 0); len(params) > 0 {
			b = append(append(append(b, `,"parameters":[`...), params[1:]...), ']')
		}
		if a.file != nil {
			b = append(append(append(b, `,"resourceIds":["`...), a.file.id...), `"]`...)
		}
		switch a.rnd.N(16) {
		case 0:
			b = append(b, `,"status":{"eventStatus":"FAILED","errorCode":"permission_denied","httpStatusCode":403}`...)
		case 1, 2:
			b = append(b, `,"status":{"eventStatus":"SUCCEEDED"}`...)
		}
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

// params appends the parameters of an event, each behind a comma.
func (a *simActivity) params(b []byte, specs []string, primary bool) []byte {
	for _, spec := range specs {
		if spec == "doc" {
			b = a.params(b, a.docParams(), primary)
			continue
		}
		name, value, _ := strings.Cut(spec, "=")
		kind := name[len(name)-1]
		if name == "primary_event?" && !primary {
			value = "false"
		}
		alternatives := strings.Split(value, "|")
		value = a.value(strings.ReplaceAll(alternatives[a.rnd.N(len(alternatives))], "~", " "))
		b = sim.Text(append(b, `,{"name":`...), strings.TrimRight(name, "?#*+"))
		switch kind {
		case '?':
			b = append(append(b, `,"boolValue":`...), value...)
		case '#':
			b = append(append(append(b, `,"intValue":"`...), value...), '"')
		case '*':
			b = append(b, `,"multiValue":[`...)
			for i, v := range strings.Split(value, ",") {
				if i > 0 {
					b = append(b, ',')
				}
				b = sim.Text(b, v)
			}
			b = append(b, ']')
		case '+':
			b = append(b, `,"multiMessageValue":[{"parameter":[{"name":"scope_name","value":`...)
			b = append(sim.Text(b, value), `},{"name":"product_bucket","multiValue":["DRIVE"]}]}]`...)
		default:
			b = sim.Text(append(b, `,"value":`...), value)
		}
		b = append(b, '}')
	}
	return b
}

// value is what stands for a value of a parameter.
func (a *simActivity) value(v string) string {
	switch v {
	case "@me":
		if a.actor != nil {
			return a.actor.email
		}
		return ""
	case "@user":
		return a.other.email
	case "@out":
		return a.outside
	case "@group":
		return a.team
	case "@client":
		return a.client.client
	case "@app":
		return a.client.name
	case "$":
		title := "Weekly"
		if a.file != nil {
			title = a.file.name
		}
		return strings.TrimSpace(title + " " + a.note)
	}
	return v
}

// docParams are the parameters that tell of the file.
func (a *simActivity) docParams() []string {
	f := a.file
	kind, ok := map[string]string{simGoogle + "document": "document", simGoogle + "spreadsheet": "spreadsheet",
		simGoogle + "presentation": "presentation", simGoogle + "form": "form", simFolder: "folder", "application/pdf": "pdf"}[f.mime]
	if !ok {
		kind = "unknown"
	}
	owner, shared := strings.ReplaceAll(f.home.name, " ", "~"), "true"
	if f.home.user != nil {
		owner, shared = f.home.user.email, "false"
	}
	out := []string{"doc_id=" + f.id, "doc_type=" + kind, "doc_title=$", "owner=" + owner, "owner_is_shared_drive?=" + shared,
		"owner_is_team_drive?=" + shared, "visibility=" + a.s.tree.visibility(f), "is_encrypted?=false",
		"originating_app_id=691301496089", "actor_is_collaborator_account?=false"}
	if f.home.user == nil {
		out = append(out, "shared_drive_id="+f.home.id, "team_drive_id="+f.home.id)
	}
	return out
}

// tell publishes the activity that a request caused. Each parameter is name=value, as in simKind.
func (s *simOrg) tell(c *simCall, app, kind, name string, params ...string) {
	s.tellOf(c, nil, app, kind, name, params...)
}

// tellOf is tell about a file.
func (s *simOrg) tellOf(c *simCall, f *simFile, app, kind, name string, params ...string) {
	n := s.notes.Add(1)
	now := s.o.Now()
	a := &simActivity{s: s, rnd: sim.NewRand(s.o.Seed, 54, n), app: app, key: s.digits(18, 55, n), actor: c.by,
		at: now.UTC().Truncate(time.Millisecond), other: s.users[0], file: f, ip: "198.51.100.7"}
	for i, p := range params {
		params[i] = strings.ReplaceAll(p, " ", "~")
	}
	raw := a.write(nil, []simKind{{app, kind, name, 1, strings.Join(params, " "), ""}})
	s.feeds[app].Append(simReplayKey(raw), a.at, raw)
}
