package analysts

import (
	"fmt"
	"time"
)

// Addresses of the story.
const (
	office   = "198.51.100.200" // from which everybody works at times
	sprayer  = "203.0.113.66"
	attacker = "203.0.113.99"
	bot      = "203.0.113.90" // tries one account, over and over
	travel   = "192.0.2.77"
	cabin    = "192.0.2.88"
)

var (
	france  = obj{"city": "Lyon", "country": "France"}
	romania = obj{"city": "Cluj", "country": "Romania"}
	norway  = obj{"city": "Bergen", "country": "Norway"}
	japan   = obj{"city": "Osaka", "country": "Japan"}
)

// story writes everything that happened. Bob is the one attacked: his password is tried with those of all others, a trusting help desk
// resets his factors, and the attacker signs in as him, grants an application his mail, downloads what Bob can see, opens the payroll to
// everybody and invites an accomplice. What others do meanwhile looks much the same, and is not.
func story(now time.Time) *world {
	w := &world{now: now, members: map[string][]*person{}, roles: map[string][]obj{}, grants: map[string][]obj{}, state: map[string]string{}}
	w.staff()
	w.everyDay()
	w.attack()
	w.meanwhile()
	w.administration()
	w.content()
	w.boxActivity()
	return w
}

func (w *world) staff() {
	for i, p := range []person{
		{name: "alice.arnold", status: "ACTIVE", at: "active", seen: 1},
		{name: "bob.baker", status: "ACTIVE", at: "active", seen: 3},
		{name: "carol.chen", status: "ACTIVE", at: "active", seen: 1},
		{name: "dave.diaz", status: "ACTIVE", at: "active", seen: 2},
		{name: "erin.evans", status: "SUSPENDED", at: "active", seen: 30},
		{name: "frank.fox", status: "SUSPENDED", at: "inactive", seen: 40},
		{name: "grace.green", status: "ACTIVE", at: "active", seen: 200},
		{name: "heidi.hall", status: "ACTIVE", at: "active", seen: 1},
		{name: "ivan.ito", status: "ACTIVE", at: "active", seen: 1},
		{name: "judy.jones", status: "ACTIVE", at: "active", seen: 1},
		{name: "kim.kang", status: "ACTIVE", seen: 20, kind: "contract ended"},
		{name: "lee.lopez", status: "ACTIVE", seen: 20, kind: "contract ended"},
		{name: "mona.meyer", status: "ACTIVE", at: "active", seen: 150},
		{name: "nina.novak", status: "SUSPENDED", seen: 250},
		{name: "olga.olsen", status: "DEPROVISIONED", at: "inactive", seen: 300},
		{name: "pete.park", status: "ACTIVE", seen: 20, kind: "contract ended"}, // whom Okta does not let the collector suspend
		{name: "svc.longshore", status: "ACTIVE", seen: 1, kind: "service"},
	} {
		p.okta = "00u0" + p.name[:3] + "00000000000" + fmt.Sprint(10+i)
		if p.name == "svc.longshore" {
			p.okta = "00u0longshore0000000"
		}
		if p.at != "" {
			p.box = fmt.Sprint(20001 + i)
		}
		p.home = fmt.Sprintf("198.51.100.%d", 1+i)
		w.people = append(w.people, &p)
	}
}

// okta adds an event of the System Log.
func (w *world) system(at time.Time, by *person, kind, result string, more ...func(e obj)) {
	e := obj{"uuid": fmt.Sprintf("5701e000-0000-4000-8000-%012d", len(w.log)), "published": stamp(at), "eventType": kind, "version": "0",
		"severity": "INFO", "displayMessage": kind, "outcome": obj{"result": result, "reason": nil}, "target": nil,
		"actor":                 obj{"id": "unknown", "type": "User", "alternateId": "unknown", "displayName": "unknown"},
		"client":                obj{"userAgent": obj{"rawUserAgent": "Mozilla/5.0"}, "ipAddress": office, "geographicalContext": france},
		"authenticationContext": obj{"externalSessionId": "unknown"}, "debugContext": obj{"debugData": obj{}}}
	if by != nil {
		e["actor"] = by.party()
		from(by.home, france)(e)
	}
	if result == "FAILURE" {
		e["outcome"].(obj)["reason"] = "INVALID_CREDENTIALS"
	}
	for _, f := range more {
		f(e)
	}
	w.log = append(w.log, e)
}

func (p *person) party() obj {
	return obj{"id": p.okta, "type": "User", "alternateId": p.login(), "displayName": p.full()}
}

func from(ip string, place obj) func(obj) {
	return func(e obj) {
		c := e["client"].(obj)
		c["ipAddress"], c["geographicalContext"] = ip, place
	}
}

func session(id string) func(obj) {
	return func(e obj) { e["authenticationContext"].(obj)["externalSessionId"] = id }
}

func typed(name string) func(obj) {
	return func(e obj) { e["actor"].(obj)["alternateId"] = name }
}

func debug(key string, v any) func(obj) {
	return func(e obj) { e["debugContext"].(obj)["debugData"].(obj)[key] = v }
}

func target(kind, id, name string) func(obj) {
	return func(e obj) {
		list, _ := e["target"].([]obj)
		e["target"] = append(list, obj{"id": id, "type": kind, "alternateId": name, "displayName": name})
	}
}

func at(p *person) func(obj) { return target("User", p.okta, p.login()) }

// signIn is a sign-in to Okta and from there to applications. second is the outcome of the second factor, "" = none was asked for.
func (w *world) signIn(t time.Time, p *person, id, ip string, place obj, second string, apps ...string) {
	here := from(ip, place)
	w.system(t, p, "user.session.start", "SUCCESS", here, session(id))
	if second != "" {
		w.system(t.Add(10*time.Second), p, "user.authentication.auth_via_mfa", second, here, session(id), at(p),
			debug("factor", "OKTA_VERIFY_PUSH"))
	}
	for i, app := range apps {
		w.system(t.Add(time.Duration(20+i)*time.Second), p, "user.authentication.sso", "SUCCESS", here, session(id),
			target("AppInstance", "0oa"+app, app), debug("signOnMode", "SAML 2.0"))
	}
}

// everyDay is what people do: they sign in from where they live and, every third day, from the office.
func (w *world) everyDay() {
	for _, name := range []string{"alice.arnold", "bob.baker", "carol.chen", "dave.diaz", "heidi.hall", "ivan.ito", "judy.jones"} {
		p := w.named(name)
		for day := 25; day >= 1; day-- {
			if name == "bob.baker" && day < 5 { // the rest is the attacker's
				continue
			}
			ip := p.home
			if day%3 == 0 {
				ip = office
			}
			w.signIn(w.ago(day, 5, 0), p, fmt.Sprintf("%s-%d", name, day), ip, france, "SUCCESS", "Wiki")
		}
	}
}

func (w *world) attack() {
	bob := w.named("bob.baker")
	for i, name := range []string{"alice.arnold", "bob.baker", "carol.chen", "dave.diaz", "erin.evans", "frank.fox", "grace.green",
		"heidi.hall", "ivan.ito", "judy.jones"} {
		w.system(w.ago(3, 6, -i), w.named(name), "user.session.start", "FAILURE", from(sprayer, romania))
	}
	for i, name := range []string{"root@contoso.example", "test@contoso.example"} { // whom Okta does not know
		w.system(w.ago(3, 5, -i), nil, "user.session.start", "FAILURE", from(sprayer, romania), typed(name))
	}
	w.system(w.ago(3, 5, -10), nil, "security.threat.detected", "DENY", from(sprayer, romania))
	w.system(w.ago(3, 4, 0), w.named("judy.jones"), "user.mfa.factor.reset_all", "SUCCESS", at(bob))
	w.signIn(w.ago(3, 3, 0), bob, "stolen", attacker, romania, "", "Payroll", "Box")
	w.system(w.ago(3, 2, 30), bob, "app.oauth2.consent.grant", "SUCCESS", from(attacker, romania), session("stolen"),
		target("AppInstance", "0oaMailSync", "MailSync Pro"), debug("grantedScopes", "mail.read, files.read.all, offline_access"))
	w.system(w.ago(3, 2, 0), bob, "user.session.access_admin_app", "FAILURE", from(attacker, romania), session("stolen"))
}

// meanwhile is what looks like the attack, and is not.
func (w *world) meanwhile() {
	carol, dave, ivan, judy := w.named("carol.chen"), w.named("dave.diaz"), w.named("ivan.ito"), w.named("judy.jones")
	for i, name := range []string{"carol.chen", "dave.diaz", "heidi.hall"} { // three people mistype at the office
		w.system(w.ago(2, 8, i), w.named(name), "user.session.start", "FAILURE", from(office, france))
	}
	for i := range 15 { // one account, many times
		w.system(w.ago(2, 9, i), carol, "user.session.start", "FAILURE", from(bot, romania))
	}
	w.system(w.ago(4, 4, 0), judy, "user.mfa.factor.reset_all", "SUCCESS", at(carol)) // a new telephone
	w.system(w.ago(4, 3, 50), carol, "user.mfa.factor.activate", "SUCCESS", at(carol))
	for i, name := range []string{"alice.arnold", "carol.chen", "dave.diaz", "erin.evans", "frank.fox", "heidi.hall"} { // of long ago
		w.system(w.ago(20, 6, i), w.named(name), "user.session.start", "FAILURE", from("203.0.113.67", romania))
	}
	for i, name := range []string{"alice.arnold", "carol.chen", "dave.diaz", "heidi.hall", "ivan.ito", "judy.jones"} { // no sign-in
		w.system(w.ago(2, 10, i), w.named(name), "user.account.update_password", "FAILURE", from(office, france))
	}
	w.system(w.ago(1, 10, 0), carol, "user.account.update_password", "SUCCESS", from(travel, norway))
	w.system(w.ago(2, 7, 0), carol, "policy.evaluate_sign_on", "ALLOW", session("evaluated"), target("AppInstance", "0oaWiki", "Wiki"))
	w.system(w.ago(2, 6, 0), dave, "user.authentication.sso", "FAILURE", session("mistaken"), target("AppInstance", "0oaWiki", "Wiki"))
	w.system(w.ago(20, 9, 0), dave, "user.account.report_suspicious_activity_by_enduser", "SUCCESS", at(dave))
	w.signIn(w.ago(50, 4, 0), dave, "travel-50", travel, norway, "SUCCESS", "Wiki") // so long ago that it is new again
	for _, day := range []int{50, 3} {
		w.signIn(w.ago(day, 8, 0), ivan, fmt.Sprintf("cabin-%d", day), cabin, france, "SUCCESS", "Wiki")
	}
	w.system(w.ago(12, 4, 0), judy, "user.mfa.factor.reset_all", "SUCCESS", at(dave))
	w.system(w.ago(12, 3, 50), dave, "user.mfa.factor.activate", "SUCCESS", at(dave))
	w.system(w.ago(3, 1, 0), judy, "user.mfa.factor.reset_all", "FAILURE", at(dave))
	w.system(w.ago(50, 1, 0), judy, "user.mfa.factor.reset_all", "SUCCESS", at(w.named("heidi.hall")))
	w.system(w.ago(2, 1, 0), ivan, "user.mfa.factor.activate", "FAILURE", at(ivan))
	w.signIn(w.ago(2, 4, 0), dave, "travel", travel, norway, "SUCCESS", "Wiki") // a new address without a reset
	w.signIn(w.ago(2, 3, 0), dave, "denied", dave.home, france, "FAILURE", "Wiki")
	for _, day := range []int{20, 2} { // a country that is new to nobody
		w.signIn(w.ago(day, 2, 0), carol, fmt.Sprintf("osaka-%d", day), carol.home, japan, "SUCCESS", "Wiki")
	}
	w.system(w.ago(9, 1, 0), ivan, "user.mfa.factor.activate", "SUCCESS", at(ivan)) // first enrolled, then lost
	w.system(w.ago(6, 1, 0), judy, "user.mfa.factor.deactivate", "SUCCESS", at(ivan))
	w.system(w.ago(12, 1, 0), carol, "app.oauth2.consent.grant", "SUCCESS", target("AppInstance", "0oaTravel", "Travel"),
		debug("grantedScopes", "openid, profile"))
}

// administration is what administrators did, and what that left.
func (w *world) administration() {
	alice, carol, dave, heidi, ivan, judy := w.named("alice.arnold"), w.named("carol.chen"), w.named("dave.diaz"), w.named("heidi.hall"),
		w.named("ivan.ito"), w.named("judy.jones")
	grant := func(days int, verb, key, role string, to *person) {
		w.system(w.ago(days, 1, 0), alice, "user.account.privilege."+verb, "SUCCESS", at(to), debug(key, role))
	}
	grant(45, "grant", "privilegeGranted", "Help desk administrator", judy)
	grant(12, "grant", "privilegeGranted", "Super administrator", ivan)
	grant(10, "grant", "privilegeGranted", "Super administrator", heidi)
	grant(5, "revoke", "privilegeRevoked", "Super administrator", ivan)
	w.system(w.ago(40, 1, 0), judy, "user.account.privilege.grant", "SUCCESS", at(heidi),
		debug("privilegeGranted", "Report administrator"))
	w.system(w.ago(11, 1, 0), ivan, "user.account.privilege.grant", "FAILURE", at(heidi),
		debug("privilegeGranted", "Super administrator"))
	hold := func(days int, holder, kind, label string) {
		id, when := fmt.Sprintf("ra1%017d", len(w.roles)), stamp(w.ago(days, 1, 0))
		w.roles[holder] = append(w.roles[holder], obj{"id": id, "type": kind, "label": label, "status": "ACTIVE", "assignmentType": "USER",
			"created": when, "lastUpdated": when})
	}
	hold(400, "users/"+alice.okta, "SUPER_ADMIN", "Super Organization Administrator")
	hold(300, "users/"+w.named("grace.green").okta, "ORG_ADMIN", "Organization Administrator")
	hold(300, "users/"+w.named("nina.novak").okta, "ORG_ADMIN", "Organization Administrator")
	hold(400, "users/00u0longshore0000000", "SUPER_ADMIN", "Super Organization Administrator")
	hold(10, "users/"+heidi.okta, "SUPER_ADMIN", "Super Organization Administrator")
	hold(300, "users/"+ivan.okta, "READ_ONLY_ADMIN", "Read-only Administrator")
	hold(45, "users/"+judy.okta, "HELP_DESK_ADMIN", "Help Desk Administrator")
	hold(300, "groups/00gadmins00000000000", "USER_ADMIN", "Group Administrator")
	for _, g := range [][2]string{{"00gadmins00000000000", "IT Admins"}, {"00gstaff000000000000", "Staff"}} {
		w.groups = append(w.groups, obj{"id": g[0], "type": "OKTA_GROUP", "profile": obj{"name": g[1]}, "created": stamp(w.ago(500, 0, 0)),
			"lastUpdated": stamp(w.ago(500, 0, 0))})
	}
	w.members["00gadmins00000000000"], w.members["00gstaff000000000000"] = []*person{alice, carol}, []*person{alice, carol, dave, ivan}
	move := func(days int, verb, group, name string, p *person) {
		w.system(w.ago(days, 2, 0), alice, "group.user_membership."+verb, "SUCCESS", at(p), target("UserGroup", group, name))
	}
	move(8, "add", "00gadmins00000000000", "IT Admins", carol)
	move(7, "add", "00gstaff000000000000", "Staff", dave)
	move(6, "remove", "00gadmins00000000000", "IT Admins", ivan)
	w.system(w.ago(6, 3, 0), ivan, "group.user_membership.add", "FAILURE", at(dave), target("UserGroup", "00gadmins00000000000", "IT Admins"))
	move(50, "add", "00gadmins00000000000", "IT Admins", alice)

	token := func(days int, by *person, id, result string) {
		w.system(w.ago(days, 3, 0), by, "system.api_token.create", result, target("Token", id, id))
	}
	token(50, alice, "00Tmiddle", "SUCCESS")
	token(6, ivan, "00Trefused", "FAILURE")
	token(2, heidi, "00Tbackup", "SUCCESS")
	for id, t := range map[string]struct {
		by   *person
		days int
	}{"00Told": {alice, 120}, "00Tmiddle": {alice, 50}, "00Tbackup": {heidi, 2}} {
		w.tokens = append(w.tokens, obj{"id": id, "name": id, "userId": t.by.okta, "clientName": "Okta API",
			"created":     stamp(w.ago(t.days, 3, 0)),
			"lastUpdated": stamp(w.ago(t.days, 3, 0)), "expiresAt": stamp(w.now.Add(20 * 24 * time.Hour))})
	}
	policy := func(days int, by *person, kind, result, what, name string) {
		w.system(w.ago(days, 4, 0), by, kind, result, target(what, "id-"+name, name))
	}
	policy(2, heidi, "policy.rule.deactivate", "SUCCESS", "PolicyRule", "Second factor for everybody")
	policy(2, heidi, "system.log_stream.lifecycle.deactivate", "SUCCESS", "LogStream", "To the SIEM")
	policy(2, heidi, "zone.delete", "FAILURE", "NetworkZone", "Office")
	policy(3, heidi, "policy.rule.delete", "SUCCESS", "PolicyRule", "Old devices")
	policy(3, alice, "policy.rule.update", "SUCCESS", "PolicyRule", "Contractors")
	policy(4, alice, "policy.rule.activate", "SUCCESS", "PolicyRule", "Managed devices only")
	policy(40, alice, "policy.rule.delete", "SUCCESS", "PolicyRule", "Pilot")
	app := func(days int, by *person, verb, name string) {
		w.system(w.ago(days, 5, 30), by, "application.lifecycle."+verb, "SUCCESS", target("AppInstance", "0oa-"+name, name))
	}
	app(40, alice, "create", "Travel")
	app(3, alice, "update", "Wiki")
	app(2, heidi, "create", "Data Exporter")
	w.system(w.ago(3, 5, 0), ivan, "application.lifecycle.create", "FAILURE", target("AppInstance", "0oaRefused", "Refused"))
	w.system(w.ago(1, 6, 0), alice, "user.session.access_admin_app", "SUCCESS")
	w.system(w.ago(45, 6, 0), judy, "user.session.access_admin_app", "FAILURE")
	w.system(w.ago(4, 6, 0), ivan, "user.session.access_admin_app", "DENY")
	for name, label := range map[string]string{"MailSync": "MailSync Pro", "Travel": "Travel", "Drive": "Drive Reader"} {
		w.apps = append(w.apps, obj{"id": "0oa" + name, "label": label, "name": "oidc_client", "signOnMode": "OPENID_CONNECT", "status": "ACTIVE",
			"created": stamp(w.ago(90, 0, 0)), "lastUpdated": stamp(w.ago(90, 0, 0))})
	}
	consent := func(p *person, app, label string, scopes ...string) {
		for _, s := range scopes {
			w.grants[p.okta] = append(w.grants[p.okta], obj{"id": "oag" + app + s, "scopeId": s, "userId": p.okta, "clientId": "0oa" + app,
				"source": "END_USER", "status": "ACTIVE", "created": stamp(w.ago(3, 2, 30)), "lastUpdated": stamp(w.ago(3, 2, 30)),
				"_links": obj{"app": obj{"title": label}}})
		}
	}
	consent(w.named("bob.baker"), "MailSync", "MailSync Pro", "mail.read", "files.read.all", "offline_access")
	consent(carol, "Travel", "Travel", "openid", "profile")
	consent(ivan, "Travel", "Travel", "openid")
	consent(dave, "Drive", "Drive Reader", "drive.readonly")
}

const cards = "name,card number\nAna,4539 1488 0343 6467\nBen,5500 0055 5555 5559\n"

// content is what is in Box.
func (w *world) content() {
	alice, bob, carol, dave := w.named("alice.arnold"), w.named("bob.baker"), w.named("carol.chen"), w.named("dave.diaz")
	guest := func(login, status string) obj {
		return obj{"type": "collaboration", "id": "5" + login[:2], "role": "editor", "status": status,
			"accessible_by": obj{"type": "user", "id": "9" + fmt.Sprint(len(login)), "name": login, "login": login}}
	}
	project := &file{id: "500", name: "Joint project", owner: carol, folder: true,
		guests: []obj{guest("pat@partner.example", "accepted"), guest("sam@partner.example", "accepted")}}
	w.files = []*file{
		{id: "101", name: "payroll.csv", owner: bob, content: cards, link: "open"},
		{id: "102", name: "customers.csv", owner: bob, content: cards + "Eve,4111 1111 1111 1111\n",
			guests: []obj{guest("mallory@evil.example", "accepted")}},
		{id: "103", name: "budget.csv", owner: dave, content: cards + "private\n"},
		{id: "104", name: "plan.csv", owner: carol, content: cards + "for colleagues\n", link: "company"},
		{id: "105", name: "press-kit.txt", owner: alice, content: "we are a company\n", link: "open"},
		{id: "106", name: "old-brochure.txt", owner: alice, content: "it was on paper\n"},
		{id: "107", name: "handover.txt", owner: dave, content: "nothing here\n", guests: []obj{guest(carol.login(), "accepted")}},
		{id: "108", name: "declined.txt", owner: dave, content: "nothing there\n", guests: []obj{guest("rita@rejected.example", "rejected")}},
		project,
		{id: "109", name: "minutes.txt", owner: carol, in: project, content: "we met\n"},
		{id: "110", name: "video.mp4", owner: carol, content: "-", size: 100 << 20},
		{id: "201", name: "contract.docx", owner: carol, content: "restored, and so it is there\n"},
		{id: "204", name: "notes.txt", owner: carol, content: "restored as well\n"},
		{id: "205", name: "archive.docx", owner: carol, content: "restored after a long time\n"},
		{id: "111", name: "broken.docx", owner: dave, content: "PK\x03\x04 and then nothing of an archive"},
	}
}

// event adds an event of Box.
func (w *world) event(t time.Time, by *person, kind, ip string, more obj) {
	e := obj{"type": "event", "event_id": fmt.Sprintf("b0b0b0b0-0000-4000-8000-%012d", len(w.events)), "event_type": kind,
		"created_at":  stamp(t),
		"recorded_at": stamp(t), "created_by": nil, "source": nil, "additional_details": nil, "session_id": nil, "ip_address": ip}
	if by != nil {
		e["created_by"] = mini(by)
		e["source"] = mini(by)
	}
	for k, v := range more {
		e[k] = v
	}
	w.events = append(w.events, e)
}

func about(id, name string, owner *person) obj {
	return obj{"source": obj{"item_type": "file", "item_id": id, "item_name": name,
		"parent":   obj{"type": "folder", "id": "0", "name": "All Files"},
		"owned_by": mini(owner)}}
}

func (w *world) boxActivity() {
	alice, bob, carol, dave, erin := w.named("alice.arnold"), w.named("bob.baker"), w.named("carol.chen"), w.named("dave.diaz"),
		w.named("erin.evans")
	for day := 20; day >= 1; day-- { // each at his own measure
		for i := range 40 {
			w.event(w.ago(day, 6, i), dave, "DOWNLOAD", dave.home, about("103", "budget.csv", dave))
		}
		w.event(w.ago(day, 7, 0), carol, "DOWNLOAD", carol.home, about("104", "plan.csv", carol))
		if day >= 5 {
			w.event(w.ago(day, 7, 1), bob, "DOWNLOAD", bob.home, about("101", "payroll.csv", bob))
		}
	}
	for i := range 45 {
		w.event(w.ago(0, 6, i), dave, "DOWNLOAD", dave.home, about("103", "budget.csv", dave))
	}
	for i := range 6 {
		w.event(w.ago(0, 8, i), erin, "DOWNLOAD", erin.home, about("104", "plan.csv", carol))
	}
	for i := range 300 { // when he moved to another computer
		w.event(w.ago(18, 2, -i), bob, "DOWNLOAD", bob.home, about("101", "payroll.csv", bob))
	}
	w.event(w.ago(0, 13, 0), bob, "LOGIN", attacker, nil)
	for i := range 60 {
		w.event(w.ago(0, 12, -i), bob, "DOWNLOAD", attacker, about("102", "customers.csv", bob))
	}
	link := func(id, name string, owner *person, access string) obj {
		f := obj{"type": "file", "id": id, "name": name, "owned_by": mini(owner)}
		if access != "" {
			f["shared_link"] = obj{"url": "https://contoso.box.example/s/" + id, "access": access, "effective_access": access}
		}
		return obj{"source": f}
	}
	w.event(w.ago(0, 10, 0), bob, "ITEM_SHARED_CREATE", attacker, link("101", "payroll.csv", bob, "open"))
	w.event(w.ago(20, 3, 0), alice, "ITEM_SHARED_CREATE", alice.home, link("105", "press-kit.txt", alice, "open"))
	w.event(w.ago(3, 3, 0), alice, "ITEM_SHARED_CREATE", alice.home, link("106", "old-brochure.txt", alice, "open"))
	w.event(w.ago(2, 3, 0), alice, "ITEM_SHARED_UNSHARE", alice.home, link("106", "old-brochure.txt", alice, ""))
	w.event(w.ago(5, 3, 0), carol, "ITEM_SHARED_CREATE", carol.home, link("101", "payroll.csv", bob, "company"))
	w.event(w.ago(1, 3, 0), carol, "ITEM_SHARED_CREATE", carol.home, link("104", "plan.csv", carol, "company"))
	invite := about("102", "customers.csv", bob)
	invite["accessible_by"] = obj{"type": "user", "id": "920", "name": "mallory", "login": "mallory@evil.example"}
	invite["additional_details"] = obj{"role": "Editor"}
	w.event(w.ago(0, 9, 0), bob, "COLLABORATION_INVITE", attacker, invite)
	for _, e := range []struct {
		days           int
		kind, id, name string
	}{{5, "DELETE", "201", "contract.docx"}, {4, "UNDELETE", "201", "contract.docx"}, {5, "DELETE", "202", "draft.docx"},
		{6, "UNDELETE", "203", "memo.txt"}, {5, "DELETE", "203", "memo.txt"}, {10, "UNDELETE", "204", "notes.txt"},
		{40, "DELETE", "205", "archive.docx"}, {20, "UNDELETE", "205", "archive.docx"}} {
		w.event(w.ago(e.days, 2, 0), carol, e.kind, carol.home, about(e.id, e.name, carol))
	}
	w.event(w.ago(6, 2, 0), alice, "APPLICATION_CREATED", alice.home, obj{"source": nil,
		"additional_details": obj{"service_id": "812345", "service_name": "Box Sync Robot"}})
	w.event(w.ago(3, 2, 0), alice, "SHIELD_INFORMATION_BARRIER_DISABLED", alice.home, obj{"source": nil})
	w.event(w.ago(1, 2, 0), alice, "ADMIN_LOGIN", alice.home, nil)
	w.event(w.ago(0, 11, 0), nil, "SHIELD_ALERT", "Unknown IP", obj{
		"created_by": obj{"type": "user", "id": "2", "name": "Unknown User", "login": ""},
		"additional_details": obj{"shield_alert": obj{"rule_category": "Anomalous Download", "rule_id": 1, "rule_name": "Downloads of a month",
			"risk_score": 90, "alert_id": 1, "priority": "high", "user": obj{"id": 20002, "name": "Bob Baker", "email": bob.login()},
			"alert_summary": obj{"description": "Many downloads"}}}})
}
