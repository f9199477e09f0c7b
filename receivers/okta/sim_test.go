package okta

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// simClock is a clock that tests set.
type simClock struct{ t time.Time }

func (c *simClock) now() time.Time { return c.t }

var simNoon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// drain reads the log from the target until an empty page and gives the ids and the next link.
func (c *simClient) drain(target string) (ids []string, next string) {
	c.T.Helper()
	for {
		status, h, b := c.Do(http.MethodGet, target, "")
		var page []struct{ UUID string }
		if err := json.Unmarshal(b, &page); err != nil || status != http.StatusOK {
			c.T.Fatalf("GET %s: status %d: %v", target, status, err)
		}
		for _, e := range page {
			ids = append(ids, e.UUID)
		}
		if next = strings.TrimPrefix(simNext(h), "http://org.test"); len(page) == 0 {
			if next != target {
				c.T.Fatalf("the next link of an empty page is %q, want the request's own %q", next, target)
			}
			return ids, next
		}
		target = next
	}
}

func TestLogIsReadWholeByItsNextLinks(t *testing.T) {
	for seed := range int64(4) {
		c := &simClock{simNoon}
		s, a := newSimClient(t, sim.Options{Seed: seed, Events: 600, Late: 0.2, Limits: -1, Now: c.now, Start: simNoon.Add(-12 * time.Hour)}, nil)
		var got []string
		next := "/api/v1/logs?limit=" + strconv.Itoa(50+int(seed)*30) + "&since=2026-11-20T00:00:00.000Z&sortOrder=ASCENDING"
		for range 14 {
			var ids []string
			ids, next = a.drain(next)
			got = append(got, ids...)
			c.t = c.t.Add(time.Hour)
		}
		slices.Sort(got)
		var want []string
		s.Published("system_log", func(key string) bool { want = append(want, key); return true })
		slices.Sort(want)
		if !slices.Equal(got, want) || len(want) != 600 {
			t.Errorf("seed %d: %d read, %d published", seed, len(got), len(want))
		}
	}
}

func TestBoundedLogIsOrderedAndEnds(t *testing.T) {
	c := &simClock{simNoon}
	_, a := newSimClient(t, sim.Options{Seed: 2, Events: 600, Late: 0.3, MaxLag: time.Hour, Limits: -1, Now: c.now,
		Start: simNoon.Add(-12 * time.Hour)}, nil)
	read := func() []obj {
		return a.pages("/api/v1/logs?limit=37&since=2026-11-24T08:00:00Z&until=2026-11-24T13:00:00Z")
	}
	early := read()
	for i := 1; i < len(early); i++ {
		if simString(early[i], "published") < simString(early[i-1], "published") {
			t.Fatal("not ordered by published")
		}
	}
	c.t = simNoon.Add(10 * time.Hour)
	late := read()
	old := 0
	for _, e := range late {
		if simString(e, "published") <= "2026-11-24T12:00:00.000Z" {
			old++
		}
	}
	if len(early) < 50 || old <= len(early) {
		t.Errorf("%d events up to noon are seen at noon and %d later: late ones should have been absent", len(early), old)
	}
}

func TestLogRefusesWhatOktaRefuses(t *testing.T) {
	c := &simClock{simNoon}
	_, a := newSimClient(t, sim.Options{Now: c.now}, nil)
	f := func(query string, status int, code string) {
		t.Helper()
		got, _, b := a.Do(http.MethodGet, "/api/v1/logs?"+query, "")
		var e struct{ ErrorCode, ErrorLink, ErrorID string }
		_ = json.Unmarshal(b, &e)
		if got != status || e.ErrorCode != code || e.ErrorLink != code || !strings.HasPrefix(e.ErrorID, "oae") {
			t.Errorf("%s: %d %s, want %d %s", query, got, b, status, code)
		}
	}
	f("since=2026-05-01T00:00:00Z", 400, "E0000053")
	f("since=yesterday", 400, "E0000053")
	f("limit=1001", 400, "E0000053")
	f("sortOrder=UP", 400, "E0000053")
	f("filter=published+gt+%222026%22", 400, "E0000053")
	f("filter=eventType+eq+%22x%22", 400, "E0000031")
	f("after=unknown", 400, "E0000001")
	_, h, _ := a.Do(http.MethodGet, "/api/v1/logs?limit=1", "")
	stored := strings.TrimPrefix(simNext(h), "http://org.test/api/v1/logs?")
	c.t = simNoon.Add(91 * 24 * time.Hour)
	f(stored, 404, "E0000007")
}

func TestSameSeedGivesSameBytes(t *testing.T) {
	dump := func(seed int64) []byte {
		var b bytes.Buffer
		c := &simClock{simNoon}
		_, a := newSimClient(t, sim.Options{Seed: seed, Events: 300, Late: 0.1, Limits: -1, Now: c.now}, nil)
		for range 2 {
			for _, target := range []string{"/api/v1/logs?limit=1000", "/api/v1/users", "/api/v1/groups", "/api/v1/apps", "/api/v1/api-tokens",
				"/api/v1/iam/assignees/users", "/api/v1/none"} {
				_, h, body := a.Do(http.MethodGet, target, "")
				fmt.Fprintln(&b, h, string(body))
			}
			a.Do(http.MethodPost, "/api/v1/users/user4@contoso.example/lifecycle/suspend", "")
		}
		return b.Bytes()
	}
	if !bytes.Equal(dump(5), dump(5)) {
		t.Error("two fakes of one seed differ")
	}
	if bytes.Equal(dump(5), dump(6)) {
		t.Error("two fakes of different seeds are the same")
	}
}

func TestEventsHaveTheSizeAndVarietyOfRealOnes(t *testing.T) {
	_, a := newSimClient(t, sim.Options{Seed: 1, Events: 5000, Limits: -1}, nil)
	body := []byte{}
	target := "/api/v1/logs?limit=1000"
	for range 5 {
		_, h, b := a.Do(http.MethodGet, target, "")
		body, target = append(body, b...), strings.TrimPrefix(simNext(h), "http://org.test")
	}
	if mean := len(body) / 5000; mean < 1900 || mean > 2150 {
		t.Errorf("an event has %d bytes, want about 2000 to 2100", mean)
	}
	for _, want := range []string{`"target":null`, `"zone":"null"`, `"zone":null`, `"ipAddress":"2001:db8::`, `"ipAddress":null`, `\"`,
		`\\`, `Zoë`, `大阪市`, `"type":"SystemPrincipal"`, `"type":"PublicClientApp"`, `"type":"AppInstance"`, `"result":"FAILURE"`,
		`"result":"DENY"`, `"result":"ALLOW"`, `"result":"CHALLENGE"`, `"legacyEventType":null`, `"isProxy":true`} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("no event has %s", want)
		}
	}
	for i := range simKinds {
		if !bytes.Contains(body, []byte(`"eventType":"`+simKinds[i].kind+`"`)) {
			t.Errorf("no event is %s", simKinds[i].kind)
		}
	}
}

func TestTenMillionEventsCanBeAddressed(t *testing.T) {
	c := &simClock{simNoon}
	_, a := newSimClient(t, sim.Options{Seed: 1, Events: 10_000_000, Late: 0.1, Limits: -1, Now: c.now}, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, since := range []string{"2026-11-23T12:00:00Z", "2026-11-24T00:00:00Z", "2026-11-24T11:00:00Z"} {
		if n := len(a.list("/api/v1/logs?limit=1000&since=" + since)); n != 1000 {
			t.Errorf("since %s: %d events", since, n)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// simSecrets finds what dlp should, slowly and on its own.
func simSecrets(raw []byte) []string {
	s, out := string(raw), []string{}
	for _, m := range regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`).FindAllString(s, -1) {
		digits, sum := strings.NewReplacer(" ", "", "-", "").Replace(m), 0
		for i := range len(digits) {
			d := int(digits[len(digits)-1-i] - '0')
			if i%2 == 1 {
				d = d*2 - 9*(d/5)
			}
			sum += d
		}
		if sum%10 == 0 {
			out = append(out, sim.Card)
		}
	}
	for _, m := range regexp.MustCompile(`\b(\d{3})-\d{2}-\d{4}\b`).FindAllStringSubmatch(s, -1) {
		if m[1] != "000" && m[1] != "666" && m[1] < "900" {
			out = append(out, sim.SSN)
		}
	}
	for _, m := range regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b`).FindAllString(s, -1) {
		m = strings.ReplaceAll(m, " ", "")
		n, ok := new(big.Int).SetString(regexp.MustCompile(`[A-Z]`).ReplaceAllStringFunc(m[4:]+m[:4],
			func(l string) string { return strconv.Itoa(int(l[0]-'A') + 10) }), 10)
		if ok && new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1 {
			out = append(out, sim.IBAN)
		}
	}
	if regexp.MustCompile(`\bAKIA[A-Z2-7]{16}\b`).MatchString(s) {
		out = append(out, sim.AWSKey)
	}
	if regexp.MustCompile(`\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}`).MatchString(s) {
		out = append(out, sim.JWT)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestPlantedIsWhatTheRecordsHold(t *testing.T) {
	for seed := range int64(3) {
		s, a := newSimClient(t, sim.Options{Seed: seed, Events: 4000, Users: 300, Limits: -1}, nil)
		got := map[string]int{}
		count := func(rows []json.RawMessage) {
			for _, raw := range rows {
				for _, kind := range simSecrets(raw) {
					got[kind]++
				}
			}
		}
		target := "/api/v1/logs?limit=1000"
		for range 4 {
			_, h, b := a.Do(http.MethodGet, target, "")
			var rows []json.RawMessage
			_ = json.Unmarshal(b, &rows)
			count(rows)
			target = strings.TrimPrefix(simNext(h), "http://org.test")
		}
		for _, list := range []string{"/api/v1/users?limit=200", `/api/v1/users?search=status%20eq%20%22DEPROVISIONED%22`} {
			for _, u := range a.pages(list) {
				raw, _ := json.Marshal(u)
				count([]json.RawMessage{raw})
			}
		}
		if !maps.Equal(got, s.Planted) || len(got) != 5 {
			t.Errorf("seed %d: the records hold %v, planted are %v", seed, got, s.Planted)
		}
		for _, list := range []string{"/api/v1/groups", "/api/v1/apps?limit=200", "/api/v1/api-tokens"} {
			for _, o := range a.list(list) {
				if raw, _ := json.Marshal(o); len(simSecrets(raw)) > 0 {
					t.Errorf("%s holds %v", raw, simSecrets(raw))
				}
			}
		}
		everyone := simString(a.list("/api/v1/groups")[0], "id")
		if bytes.Contains(a.Must(http.StatusOK, http.MethodGet, "/api/v1/groups/"+everyone+"/users", ""), []byte("notes")) {
			t.Error("members are shown with notes: a finding would be counted twice")
		}
	}
}

func TestLifecycleKeepsToItsPreconditions(t *testing.T) {
	_, a := newSimClient(t, sim.Options{Seed: 1, Limits: -1}, nil)
	id := simString(a.list(`/api/v1/users?search=status%20eq%20%22ACTIVE%22`)[9], "id")
	f := func(step string, status int, code, state string) {
		t.Helper()
		got, _, b := a.Do(http.MethodPost, "/api/v1/users/"+id+"/lifecycle/"+step, "")
		var e struct{ ErrorCode string }
		_ = json.Unmarshal(b, &e)
		now := simString(simtest.Read[obj](a.Client, "/api/v1/users/"+id), "status")
		if got != status || e.ErrorCode != code || now != state {
			t.Errorf("%s: %d %q %s, want %d %q %s", step, got, e.ErrorCode, now, status, code, state)
		}
	}
	f("unsuspend", 400, "E0000001", "ACTIVE")
	f("suspend", 200, "", "SUSPENDED")
	f("suspend", 400, "E0000001", "SUSPENDED")
	f("unlock", 403, "E0000032", "SUSPENDED")
	f("unsuspend", 200, "", "ACTIVE")
	f("reset_password", 400, "E0000028", "ACTIVE")
	f("reset_password?sendEmail=true", 200, "", "RECOVERY")
	f("expire_password", 200, "", "PASSWORD_EXPIRED")
	f("deactivate", 200, "", "DEPROVISIONED")
	f("deactivate", 403, "E0000038", "DEPROVISIONED")
	f("reactivate", 403, "E0000038", "DEPROVISIONED")
	f("activate?sendEmail=false", 200, "", "PROVISIONED")
	f("reactivate?sendEmail=false", 200, "", "PROVISIONED")
}

func TestChangesAppearInTheLogUnderTheCaller(t *testing.T) {
	c := &simClock{simNoon}
	s, a := newSimClient(t, sim.Options{Seed: 1, Limits: -1, Now: c.now}, nil)
	_, next := a.drain("/api/v1/logs?limit=1000&since=2026-11-23T12:00:00Z")
	user := simString(a.list(`/api/v1/users?search=status%20eq%20%22ACTIVE%22`)[9], "id")
	c.t = simNoon.Add(time.Minute)
	a.Must(http.StatusOK, http.MethodPost, "/api/v1/users/"+user+"/lifecycle/suspend", "")
	events := a.list(next)
	if len(events) != 1 {
		t.Fatalf("%d events after one change", len(events))
	}
	var e struct {
		EventType, Published string
		Actor                struct{ ID, AlternateID string }
		Target               []struct{ ID, Type string }
		Transaction          struct {
			Detail struct{ RequestAPITokenID string }
		}
	}
	raw, _ := json.Marshal(events[0])
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	token := simString(a.list("/api/v1/api-tokens")[0], "id")
	if e.EventType != "user.lifecycle.suspend" || e.Published != "2026-11-24T12:01:00.000Z" ||
		e.Actor.AlternateID != "svc.collector@contoso.example" || e.Target[0].ID != user || e.Transaction.Detail.RequestAPITokenID != token {
		t.Errorf("%s", raw)
	}
	found := false
	s.Published("system_log", func(key string) bool { found = found || key == simString(events[0], "uuid"); return true })
	if !found {
		t.Error("the event of the change is not among the published")
	}
}

func TestPublishedEntitiesAreThoseThatCanBeRead(t *testing.T) {
	s, a := newSimClient(t, sim.Options{Seed: 8, Limits: -1}, nil)
	simChangeAll(a)
	got := map[string][]string{}
	add := func(stream, prefix, key string, rows []obj) {
		for _, o := range rows {
			got[stream] = append(got[stream], prefix+simString(o, key))
		}
	}
	add("users", "", "id", append(a.pages("/api/v1/users"), a.pages(`/api/v1/users?search=status%20eq%20%22DEPROVISIONED%22`)...))
	add("groups", "", "id", a.list("/api/v1/groups"))
	add("apps", "", "id", a.pages("/api/v1/apps"))
	add("api_tokens", "", "id", a.list("/api/v1/api-tokens"))
	add("custom_roles", "", "id", simtest.Read[struct{ Roles []obj }](a.Client, "/api/v1/iam/roles").Roles)
	for _, id := range slices.Clone(got["groups"]) {
		add("group_members", id+"/", "id", a.pages("/api/v1/groups/"+id+"/users"))
		add("admin_roles", "group/"+id+"/", "id", a.list("/api/v1/groups/"+id+"/roles"))
	}
	for _, id := range slices.Clone(got["apps"]) {
		add("app_grants", "", "id", a.list("/api/v1/apps/"+id+"/grants"))
		add("app_tokens", "", "id", a.pages("/api/v1/apps/"+id+"/tokens"))
		add("admin_roles", "client/"+id+"/", "id", a.list("/oauth2/v1/clients/"+id+"/roles"))
	}
	for _, id := range slices.Clone(got["users"]) {
		add("user_grants", "", "id", a.list("/api/v1/users/"+id+"/grants"))
		add("user_clients", id+"/", "client_id", a.list("/api/v1/users/"+id+"/clients"))
	}
	for _, u := range simtest.Read[struct{ Value []obj }](a.Client, "/api/v1/iam/assignees/users").Value {
		id := simString(u, "id")
		add("admin_roles", "user/"+id+"/", "id", a.list("/api/v1/users/"+id+"/roles"))
	}
	for _, stream := range s.Streams[1:] {
		var want []string
		s.Published(stream, func(key string) bool { want = append(want, key); return true })
		slices.Sort(got[stream])
		if !slices.Equal(got[stream], want) || len(want) == 0 {
			t.Errorf("%s: %d can be read, %d are published", stream, len(got[stream]), len(want))
		}
	}
}

func TestRightsFollowTheOwnerOfTheToken(t *testing.T) {
	_, a := newSimClient(t, sim.Options{Seed: 1, Variant: "readonly"}, nil)
	for target, want := range map[string]int{"/api/v1/logs": 200, "/api/v1/users": 200, "/api/v1/users/me/roles": 403,
		"/api/v1/api-tokens": 403} {
		a.Must(want, http.MethodGet, target, "")
	}
	a.Must(http.StatusForbidden, http.MethodPost, "/api/v1/users/user4@contoso.example/lifecycle/suspend", "")
	_, super := newSimClient(t, sim.Options{Seed: 1, Variant: "person"}, nil)
	super.Must(http.StatusOK, http.MethodGet, "/api/v1/users/me/roles", "")
	super.Must(http.StatusOK, http.MethodPost, "/api/v1/users/me/lifecycle/deactivate", "")
	super.Must(http.StatusUnauthorized, http.MethodGet, "/api/v1/users/me", "")
}

func TestLimitsAreToldAndKept(t *testing.T) {
	c := &simClock{simNoon.Add(10 * time.Second)}
	_, a := newSimClient(t, sim.Options{Now: c.now}, nil)
	for i := range 121 {
		status, h, b := a.Do(http.MethodGet, "/api/v1/logs?limit=1", "")
		left := max(0, 119-i)
		if got := h.Get("X-Rate-Limit-Limit") + " " + h.Get("X-Rate-Limit-Remaining") + " " + h.Get("X-Rate-Limit-Reset"); got !=
			fmt.Sprint("120 ", left, " ", simNoon.Add(time.Minute).Unix()) {
			t.Fatalf("request %d: %s", i, got)
		}
		if i == 120 && (status != http.StatusTooManyRequests || !bytes.Contains(b, []byte(`"E0000047"`)) || h.Get("Retry-After") != "") {
			t.Errorf("request 121: %d %s", status, b)
		}
	}
	a.Must(http.StatusOK, http.MethodGet, "/api/v1/users", "")
	c.t = simNoon.Add(time.Minute)
	a.Must(http.StatusOK, http.MethodGet, "/api/v1/logs?limit=1", "")
}

func TestReplayedEventsAreServed(t *testing.T) {
	in := `{"dataset":"okta.system","raw":{"uuid":"one","published":"2021-01-08T21:28:34.875Z"}}` + "\n" + `{"uuid":"two"}` + "\n" + `{"n":3}`
	s, a := newSimClient(t, sim.Options{Replay: strings.NewReader(in)}, nil)
	body := a.Must(http.StatusOK, http.MethodGet, "/api/v1/logs", "")
	if string(body) != `[{"uuid":"one","published":"2021-01-08T21:28:34.875Z"},{"uuid":"two"},{"n":3}]` {
		t.Errorf("%s", body)
	}
	var keys []string
	s.Published("system_log", func(k string) bool { keys = append(keys, k); return true })
	if len(keys) != 3 || keys[0] != "one" || keys[1] != "two" || len(keys[2]) != 16 {
		t.Error(keys)
	}
}
