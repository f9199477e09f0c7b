package box

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// site is a fake enterprise with a receiver whose actions are tried, in a bubble of virtual time.
type site struct {
	*testing.T
	net  simtest.Net
	ids  []string // of active users without a role
	root string   // of the agent's account

	mu    sync.Mutex
	sent  []string            // requests that change something, with what came back
	left  int                 // changes until the connection is cut for good; negative = never
	first func(*http.Request) // before the next request that changes something
	odd   map[string]int      // statuses to answer with once, by the beginning of "METHOD /path"
}

// inSite runs f. keys are added to the configuration, and wraps see what the fake answers.
func inSite(t *testing.T, keys map[string]any, f func(s *site), wraps ...func(http.Handler) http.Handler) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &site{T: t, left: -1, odd: map[string]int{}}
		fake, err := newSim(sim.Options{Seed: 3, Users: 30, Files: 900, Events: 5, Limits: -1, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		for _, wrap := range wraps {
			fake.Handler = wrap(fake.Handler)
		}
		base, stop := s.net.Serve(s.watch(fake.Handler))
		defer stop()
		recv := saastest.Start(t, Provider, "acme", &s.net, consumertest.NewNop(), map[string]any{"streams": saastest.Only(t, &Provider)},
			fake.Config(base), keys)
		defer saastest.End(t, recv)
		synctest.Wait()
		var users struct {
			Entries []struct{ ID, Status, Role string }
		}
		s.get("", "/users?user_type=managed&usemarker=true&limit=1000&fields=id,status,role", &users)
		for _, u := range users.Entries {
			if u.Status == "active" && u.Role == "user" {
				s.ids = append(s.ids, u.ID)
			}
		}
		var me ref
		s.get("", "/users/me?fields=id", &me)
		s.root = me.ID
		f(s)
	})
}

// watch keeps what is sent, and does what a test asks for.
func (s *site) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodOptions || r.URL.Path == "/oauth2/token" {
			h.ServeHTTP(w, r)
			return
		}
		s.mu.Lock()
		cut, first := s.left == 0, s.first
		s.first = nil
		status := 0
		for what, n := range s.odd {
			if strings.HasPrefix(r.Method+" "+r.URL.Path, what) {
				status = n
				delete(s.odd, what)
			}
		}
		s.mu.Unlock()
		switch {
		case cut:
			panic(http.ErrAbortHandler)
		case first != nil:
			first(r)
		case status != 0:
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"type":"error","status":%d,"code":"odd","message":"odd"}`, status)
			return
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		s.mu.Lock()
		s.sent = append(s.sent, fmt.Sprintf("%s %s %d %s", r.Method, r.URL.RequestURI(), rec.Code, rec.Body))
		if s.left > 0 {
			if s.left--; s.left == 0 {
				cut = true
			}
		}
		s.mu.Unlock()
		if cut { // it was done, and the answer never comes
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// changes counts the requests that changed something.
func (s *site) changes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

func (s *site) conn() *saas.Conn { return s.tenant().Conn() }

func (s *site) tenant() *saas.Tenant {
	s.Helper()
	t := saas.Find("box", "acme")
	if t == nil {
		s.Fatal("the tenant does not run")
	}
	return t
}

// get reads as a user.
func (s *site) get(as, url string, into any) {
	s.Helper()
	if err := send(s.Context(), s.conn(), asUser(as, url), into); err != nil {
		s.Fatal(err)
	}
}

// must changes something as a user, as people do.
func (s *site) must(as, method, url string, body any) {
	s.Helper()
	if err := send(s.Context(), s.conn(), change(as, method, url, body), nil); err != nil {
		s.Fatal(err)
	}
}

// pick finds the first file of the users, of their trash when so asked, that is as wanted.
func (s *site) pick(buried bool, want func(d *document) bool) *document {
	s.Helper()
	for _, user := range s.ids {
		folders := []string{"0"}
		if buried {
			folders = []string{"trash"}
		}
		for ; len(folders) > 0; folders = folders[1:] {
			var page struct{ Entries []json.RawMessage }
			s.get(user, "/folders/"+folders[0]+"/items?usemarker=true&limit=1000&fields="+documentFields+",has_collaborations", &page)
			for _, row := range page.Entries {
				d := &document{as: user}
				if err := json.Unmarshal(row, d); err != nil {
					s.Fatal(err)
				}
				switch {
				case d.Owner.ID != user:
				case saas.TextAt(row, "type") == "folder":
					folders = append(folders, d.ID)
				case saas.TextAt(row, "type") == "file":
					if string(saas.Member(row, "has_collaborations")) == "true" {
						list, err := grants(s.Context(), s.conn(), user, d.url())
						if err != nil {
							s.Fatal(err)
						}
						d.Grants = list
					}
					if want(d) {
						return d
					}
				}
			}
		}
	}
	s.Fatal("no file is as the test wants it")
	return nil
}

func (d *document) asTarget(params ...string) saas.Target {
	t := saas.Target{Type: "file", ID: d.ID, Params: map[string]string{"owner.id": d.Owner.ID}}
	for i := 0; i+1 < len(params); i += 2 {
		t.Params[params[i]] = params[i+1]
	}
	return t
}

// looks tells a file as governance changes it: where it is, whose, with what content and versions, and who reaches it.
func (s *site) looks(t saas.Target) string {
	s.Helper()
	d, err := find(s.Context(), s.conn(), t)
	if err != nil {
		s.Fatal(err)
	}
	if d == nil {
		return "gone"
	}
	out := []string{"owner " + d.Owner.ID, "name " + d.Name, "sha1 " + strings.ToLower(d.SHA1), fmt.Sprintf("trashed %t", d.Trashed != "")}
	if d.Parent != nil && d.Trashed == "" {
		out = append(out, "in "+d.Parent.ID)
	}
	if d.Link != nil {
		out = append(out, fmt.Sprintf("link %s until %q %t %t", d.Link.Access, d.Link.Expires, d.Link.May.Download, d.Link.May.Edit))
	}
	if d.Class != nil {
		out = append(out, "class "+d.Class.Name)
	}
	if d.Trashed != "" {
		return strings.Join(out, ", ")
	}
	list, err := grants(s.Context(), s.conn(), d.as, d.url())
	if err != nil {
		s.Fatal(err)
	}
	var who []string
	for _, g := range list {
		who = append(who, g.who()+":"+g.Role)
	}
	slices.Sort(who)
	old, err := past(s.Context(), s.conn(), d)
	if err != nil {
		s.Fatal(err)
	}
	return strings.Join(append(out, fmt.Sprint("shared with ", who), fmt.Sprint(len(old), " old versions")), ", ")
}

// asBefore is how a file looked, without the number of its old versions: undoing a tombstone leaves it among them.
func asBefore(looks string) string {
	before, _, _ := strings.Cut(looks, "], ")
	return before
}

// acts tries the site's actions.
func (s *site) acts() *saastest.Acts {
	return &saastest.Acts{T: s.T, Tenant: s.tenant(), Changes: s.changes}
}

// undo takes an action back and gives what could not be brought back.
func (s *site) undo(p *saas.Plan) (lost []string) {
	s.Helper()
	p = s.acts().Undo(p)
	var after struct {
		Lost []string `json:"not_brought_back"`
	}
	if len(p.After) > 0 {
		if err := json.Unmarshal(p.After, &after); err != nil {
			s.Fatal(err)
		}
	}
	return after.Lost
}

// trial is an action on a file, tried whole and cut off at every request.
type trial struct {
	verb   string
	buried bool
	fit    func(d *document) bool
	params []string
	want   []string // parts of how the file looks afterwards
	lost   []string // parts of what undo cannot bring back, in order
}

func anyFile(d *document) bool { return d.Link == nil && len(d.Grants) == 0 && d.Parent.ID != "0" }

// open is a file that everybody can read, and whose link has a password or not.
func openTo(access string, password bool) func(d *document) bool {
	return func(d *document) bool { return d.Link != nil && d.Link.Access == access && d.Link.Password == password }
}

func shared(d *document) bool { return len(d.Grants) > 0 && d.Grants[0].To.ID != "" }

func outside(d *document) bool {
	return slices.ContainsFunc(d.Grants, func(g grant) bool { return strings.HasSuffix(g.To.Login, "@agency.example") })
}

var trials = []trial{
	{verb: action.RemovePublicLink, fit: openTo("open", false), lost: []string{"the address of the link, https://"}},
	{verb: action.RemovePublicLink, fit: openTo("open", true), lost: []string{"the password", "the address"}},
	{verb: action.RestrictLink, fit: openTo("open", false), want: []string{"link collaborators"}},
	{verb: action.RestrictLink, fit: openTo("open", true), params: []string{"access", "company"}, want: []string{"link company"},
		lost: []string{"the password"}},
	{verb: action.RemoveCollaborator, fit: outside, want: []string{"shared with []"}},
	{verb: action.ApplyLabel, fit: anyFile, params: []string{"label", "Confidential"}, want: []string{"class Confidential"}},
	{verb: action.ApplyLabel, fit: func(d *document) bool { return d.Class != nil && d.Class.Name != "Confidential" },
		params: []string{"label", "8F1F2A4E"}, want: []string{"class Confidential"}},
	{verb: action.DeleteFile, fit: anyFile, want: []string{"trashed true"}},
	{verb: action.RestoreFile, buried: true, fit: func(*document) bool { return true }, want: []string{"trashed false"}},
	{verb: action.PurgeFile, fit: anyFile, want: []string{"gone"}},
	{verb: action.PurgeFile, buried: true, fit: func(*document) bool { return true }, want: []string{"gone"}},
	{verb: action.TombstoneFile, fit: func(d *document) bool { return anyFile(d) && d.Etag == "2" }, want: []string{", 0 old versions"}},
	{verb: action.QuarantineFile, fit: anyFile, want: []string{"shared with []"}},
	{verb: action.QuarantineFile, fit: openTo("open", false), want: []string{"shared with []"}, lost: []string{"the address of the link"}},
	{verb: action.QuarantineFile, fit: shared, want: []string{"shared with []"}},
	{verb: action.QuarantineFile, fit: func(d *document) bool { return d.Parent.ID == "0" }, want: []string{"shared with []"}},
	{verb: action.QuarantineFile, buried: true, fit: func(*document) bool { return true }, want: []string{"trashed false"}},
}

var labelled = map[string]any{"labels": map[string]any{"Confidential": "8f1f2a4e"}}

// reached says whether the state of a file is that of the trial.
func (s *site) reached(tr trial, d *document) {
	s.Helper()
	looks := s.looks(d.asTarget())
	for _, part := range tr.want {
		if !strings.Contains(looks, part) {
			s.Errorf("%s: the file looks so: %s; want %q", tr.verb, looks, part)
		}
	}
	if tr.verb == action.QuarantineFile {
		s.hidden(d)
	}
	if tr.verb == action.RemovePublicLink && strings.Contains(looks, "link ") {
		s.Errorf("%s: the file looks so: %s", tr.verb, looks)
	}
}

// hidden checks that a file is where its owner and those of its folder do not see it, and that nobody is left inside.
func (s *site) hidden(d *document) {
	s.Helper()
	now := &document{}
	s.get("", d.url()+"?fields="+documentFields, now)
	if now.Owner.ID != s.root || now.Link != nil || len(now.Path.Entries) != 3 || now.Path.Entries[1].Name != shelter {
		s.Errorf("the file is not in quarantine: %+v", now)
	}
	if err := send(s.Context(), s.conn(), asUser(d.Owner.ID, d.url()), nil); !saas.Is(err, saas.Missing) {
		s.Errorf("its owner still sees it: %v", err)
	}
	for _, folder := range now.Path.Entries[1:] {
		if list, err := grants(s.Context(), s.conn(), "", "/folders/"+folder.ID); err != nil || len(list) > 0 {
			s.Errorf("folder %s is shared with %+v, %v", folder.Name, list, err)
		}
	}
}

// backAgain says whether a file is as it was, but for what is lost.
func (s *site) backAgain(tr trial, d *document, was string, lost []string) {
	s.Helper()
	if now := s.looks(d.asTarget()); asBefore(now) != asBefore(was) {
		s.Errorf("%s: after undo the file looks so:\n%s\nand was so:\n%s\nlost: %q", tr.verb, now, was, lost)
	}
	for i, part := range tr.lost {
		if i >= len(lost) || !strings.Contains(lost[i], part) {
			s.Errorf("%s: lost is %q, want %q", tr.verb, lost, tr.lost)
		}
	}
	if len(lost) != len(tr.lost) {
		s.Errorf("%s: lost is %q, want %q", tr.verb, lost, tr.lost)
	}
}

func TestFileActionsReachTheirState(t *testing.T) {
	check := simtest.Spec(t, simSpec, simExceptions)
	defer check.Done(t, false)
	for i, tr := range trials {
		t.Run(fmt.Sprint(i, " ", tr.verb), func(t *testing.T) {
			inSite(t, labelled, func(s *site) {
				d := s.pick(tr.buried, tr.fit)
				was := s.looks(d.asTarget())
				p := s.acts().Do(tr.verb, d.asTarget(tr.params...))
				s.reached(tr, d)
				a, _ := s.tenant().Action(tr.verb)
				if (a.Undo == nil) != (a.Irreversible != "") {
					s.Errorf("%s: irreversible %q", tr.verb, a.Irreversible)
				}
				if a.Undo != nil {
					s.backAgain(tr, d, was, s.undo(p))
				}
			}, check.Handler)
		})
	}
}

// TestFileActionsGoOnAfterACrash cuts each action, and what takes it back, off after every request that changes something.
func TestFileActionsGoOnAfterACrash(t *testing.T) {
	for i, tr := range trials {
		t.Run(fmt.Sprint(i, " ", tr.verb), func(t *testing.T) {
			for _, undo := range []bool{false, true} {
				for cut := 1; ; cut++ {
					died := false
					inSite(t, labelled, func(s *site) { died = s.cutOff(tr, undo, cut) })
					if t.Failed() || !died {
						break
					}
				}
			}
		})
	}
}

// cutOff says whether the action was cut off by then.
func (s *site) cutOff(tr trial, undo bool, cut int) (died bool) {
	s.Helper()
	d := s.pick(tr.buried, tr.fit)
	was := s.looks(d.asTarget())
	p, err := s.acts().Plan(tr.verb, d.asTarget(tr.params...))
	if err != nil {
		s.Fatal(err)
	}
	p = s.acts().Saved(p)
	half := func(undo, cutting bool) *saas.Plan {
		if cutting {
			s.mu.Lock()
			s.left = cut
			s.mu.Unlock()
		}
		lives := s.acts().Saved(p)
		err := s.acts().Once(lives, undo)
		if died = died || err != nil; err != nil && !cutting {
			s.Fatalf("%s: %v\n%s", tr.verb, err, strings.Join(s.sent, "\n"))
		}
		if cutting && err != nil {
			s.mu.Lock()
			s.left = -1
			s.mu.Unlock()
			lives = s.acts().Saved(p) // what the process knew is lost
			if err := s.acts().Once(lives, undo); err != nil {
				s.Fatalf("%s: after a cut at %d: %v\n%s", tr.verb, cut, err, strings.Join(s.sent, "\n"))
			}
		}
		s.mu.Lock()
		s.left = -1
		s.mu.Unlock()
		return lives
	}
	half(false, !undo)
	s.acts().Is(p, true)
	s.reached(tr, d)
	a, _ := s.tenant().Action(tr.verb)
	if a.Undo == nil {
		return died
	}
	half(true, undo)
	s.acts().Is(p, false)
	if now := s.looks(d.asTarget()); asBefore(now) != asBefore(was) {
		s.Errorf("%s: cut off at %d, undo %t, the file looks so:\n%s\nand was so:\n%s\n%s", tr.verb, cut, undo, now, was,
			strings.Join(s.sent, "\n"))
	}
	return died
}

// TestQuarantineFromTheTrashEndsWhatSurfaces: a file comes out of the trash with its link and its collaborators.
func TestQuarantineFromTheTrashEndsWhatSurfaces(t *testing.T) {
	inSite(t, nil, func(s *site) {
		d := s.pick(false, func(d *document) bool { return openTo("open", false)(d) && len(d.Grants) == 0 })
		s.must(d.Owner.ID, http.MethodPost, "/collaborations", map[string]any{"role": "editor",
			"item": map[string]string{"type": "file", "id": d.ID}, "accessible_by": map[string]string{"type": "user", "login": "eve@out.example"}})
		was := s.looks(d.asTarget())
		s.must(d.Owner.ID, http.MethodDelete, d.url(), nil)
		p := s.acts().Do(action.QuarantineFile, d.asTarget())
		s.hidden(d)
		s.undo(p)
		s.must(d.Owner.ID, http.MethodPost, d.url(), map[string]any{})
		if now := s.looks(d.asTarget()); now != was {
			s.Errorf("after undo and restoring the file looks so:\n%s\nand was so:\n%s", now, was)
		}
	})
}

func TestQuarantineUsesTheFolderOfTheConfiguration(t *testing.T) {
	inSite(t, map[string]any{"quarantine_folder": "424242"}, func(s *site) {
		err := s.acts().Once(s.actPlan(action.QuarantineFile, s.pick(false, anyFile).asTarget()), false)
		if !saas.Is(err, saas.Missing) || len(s.sent) != 1 || !strings.Contains(s.sent[0], `POST /2.0/folders?fields=id,type,name 404`) {
			s.Errorf("%v, %q: want that the folder is not there", err, s.sent)
		}
	})
}

// TestWhatCannotComeBackIsNamed: the folder is gone, and another file has the name.
func TestWhatCannotComeBackIsNamed(t *testing.T) {
	inSite(t, nil, func(s *site) {
		d := s.pick(false, func(d *document) bool { return anyFile(d) })
		p := s.acts().Do(action.QuarantineFile, d.asTarget())
		s.must(d.Owner.ID, http.MethodDelete, "/folders/"+d.Parent.ID+"?recursive=true", nil)
		other := s.pick(false, func(o *document) bool { return o.Owner.ID == d.Owner.ID && o.Parent.ID == "0" })
		s.must(d.Owner.ID, http.MethodPut, other.url(), map[string]any{"name": d.Name})
		p = s.acts().Saved(p)
		if err := s.acts().Once(p, true); err != nil {
			s.Fatal(err)
		}
		for _, want := range []string{"its place in folder ", "its name, which another file has: it is " + d.ID + "__"} {
			if !strings.Contains(string(p.After), want) {
				s.Errorf("%s, want %q", p.After, want)
			}
		}
		if now := s.looks(d.asTarget()); !strings.Contains(now, "in 0") || !strings.Contains(now, "owner "+d.Owner.ID) {
			s.Error(now)
		}
		s.acts().Is(p, false)
	})
}

// TestSomebodyWhoIsFasterIsNoticed: between reading and changing, the file gets another name.
func TestSomebodyWhoIsFasterIsNoticed(t *testing.T) {
	for _, verb := range []string{action.DeleteFile, action.PurgeFile, action.TombstoneFile, action.QuarantineFile} {
		inSite(t, nil, func(s *site) {
			d := s.pick(false, anyFile)
			p, err := s.acts().Plan(verb, d.asTarget())
			if err != nil {
				s.Fatal(err)
			}
			var race func(r *http.Request)
			race = func(r *http.Request) {
				if r.Header.Get("If-Match") != "" {
					s.must(d.Owner.ID, http.MethodPut, d.url(), map[string]any{"name": "renamed " + d.Name})
					return
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				s.first = race
			}
			s.first = race
			if err := s.acts().Once(p, false); err != nil {
				s.Fatalf("%s: %v\n%s", verb, err, strings.Join(s.sent, "\n"))
			}
			s.acts().Is(p, true)
			raced := 0
			for _, line := range s.sent {
				if strings.Contains(line, " 412 ") {
					raced++
				}
			}
			if raced != 1 {
				s.Errorf("%s: %d requests came too late, want one", verb, raced)
			}
		})
	}
}

func TestAccountsReachTheirState(t *testing.T) {
	check := simtest.Spec(t, simSpec, simExceptions)
	defer check.Done(t, false)
	inSite(t, nil, func(s *site) {
		state := func(id string) string {
			var u struct{ Status, Role string }
			s.get("", "/users/"+id+"?fields=status,role", &u)
			return u.Status + " " + u.Role
		}
		f := func(verb string, target saas.Target, id, want string) {
			s.Helper()
			was := state(id)
			p := s.acts().Do(verb, target)
			if got := state(id); got != want {
				s.Errorf("%s: %s, want %s", verb, got, want)
			}
			if verb == action.ExpirePassword || verb == action.RevokeSessions {
				return
			}
			for range 2 {
				if err := s.acts().Once(p, true); err != nil {
					s.Fatal(err)
				}
			}
			if got := state(id); got != was {
				s.Errorf("undo of %s: %s, want %s", verb, got, was)
			}
		}
		var users struct {
			Entries []struct{ ID, Status, Role string }
		}
		s.get("", "/users?user_type=managed&usemarker=true&limit=1000&fields=id,status,role", &users)
		of := func(status, role string) string {
			for _, u := range users.Entries {
				if u.Status == status && u.Role == role {
					return u.ID
				}
			}
			s.Fatalf("nobody is %s and %s", status, role)
			return ""
		}
		user := of("active", "user")
		f(action.SuspendUser, saas.Target{ID: user}, user, "inactive user")
		limited := of("cannot_delete_edit", "user")
		f(action.SuspendUser, saas.Target{ID: limited}, limited, "inactive user")
		idle := of("inactive", "user")
		f(action.RestoreUser, saas.Target{ID: idle}, idle, "active user")
		admin := of("active", "coadmin")
		f(action.RevokeRole, saas.Target{Params: map[string]string{"user.id": admin}}, admin, "active user")
		f(action.ExpirePassword, saas.Target{ID: user}, user, "active user")
		f(action.RevokeSessions, saas.Target{ID: user}, user, "active user")
		last := s.sent[len(s.sent)-1]
		if !strings.Contains(last, "POST /2.0/users/terminate_sessions 202") {
			s.Error(last)
		}
		if err := s.acts().Once(s.actPlan(action.SuspendUser, saas.Target{ID: of("active", "admin")}), false); !saas.Is(err, saas.Denied) {
			s.Errorf("suspension of the primary administrator: %v", err)
		}
	}, check.Handler)
}

func (s *site) actPlan(verb string, t saas.Target) *saas.Plan {
	s.Helper()
	p, err := s.acts().Plan(verb, t)
	if err != nil {
		s.Fatal(err)
	}
	return p
}

func TestActionsRefuseWhatCannotWork(t *testing.T) {
	inSite(t, labelled, func(s *site) {
		f := func(verb string, t saas.Target, want string) {
			s.Helper()
			if _, err := s.acts().Plan(verb, t); !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), want) {
				s.Errorf("%s: %v, want %q", verb, err, want)
			}
		}
		file, buried := s.pick(false, anyFile), s.pick(true, func(*document) bool { return true })
		f(action.SuspendUser, saas.Target{}, "no user")
		f(action.SuspendUser, saas.Target{ID: "1/../users"}, "no user")
		f(action.RestoreUser, saas.Target{ID: s.limited()}, "restore_user needs inactive")
		f(action.RevokeRole, saas.Target{ID: s.ids[0]}, "no user")
		ofGroup := map[string]string{"user.id": s.ids[0], "group.id": "1", "role.id": "group_admin"}
		f(action.RevokeRole, saas.Target{ID: "group/1/2", Params: ofGroup}, `role "group_admin": only that of a co-administrator`)
		f(action.RemovePublicLink, saas.Target{ID: "../users/1"}, "no file")
		f(action.RemovePublicLink, saas.Target{ID: "999", Params: map[string]string{"owner.id": s.ids[0]}}, "file 999 is gone")
		f(action.RemovePublicLink, buried.asTarget(), "is in the trash since")
		f(action.RestrictLink, file.asTarget("access", "open"), `access: "open", want company or collaborators`)
		f(action.ApplyLabel, file.asTarget("label", "Secret"),
			`no classification "Secret": known are Public, Internal, Confidential, Highly Confidential`)
		f(action.ApplyLabel, file.asTarget(), `no classification ""`)
		for _, verb := range []string{action.DeleteFile, action.PurgeFile} {
			if _, err := s.acts().Plan(verb, saas.Target{ID: "999", Params: map[string]string{"owner.id": s.ids[0]}}); !saas.Is(err, saas.Already) {
				s.Errorf("%s of what is gone: %v", verb, err)
			}
		}
		for _, verb := range []string{action.RemovePublicLink, action.RestrictLink, action.RemoveCollaborator} {
			if _, err := s.acts().Plan(verb, file.asTarget()); !saas.Is(err, saas.Already) {
				s.Errorf("%s of a private file: %v", verb, err)
			}
		}
	})
}

func (s *site) limited() string {
	s.Helper()
	var users struct{ Entries []struct{ ID, Status string } }
	s.get("", "/users?user_type=managed&usemarker=true&limit=1000&fields=id,status", &users)
	for _, u := range users.Entries {
		if u.Status == "cannot_delete_edit" {
			return u.ID
		}
	}
	s.Fatal("nobody is limited")
	return ""
}

// TestCollaboratorsOfAFolderAreNotRemovedFromAFile: the folder has to be named.
func TestCollaboratorsOfAFolderAreNotRemovedFromAFile(t *testing.T) {
	inSite(t, nil, func(s *site) {
		var through []grant
		d := s.pick(false, func(d *document) bool {
			if len(d.Grants) > 0 || !strings.HasPrefix(d.Parent.Name, "Shared by ") {
				return false
			}
			var err error
			if through, err = grants(s.Context(), s.conn(), d.as, "/folders/"+d.Parent.ID); err != nil {
				s.Fatal(err)
			}
			return outside(&document{Grants: through})
		})
		for _, who := range []string{"", through[0].To.ID, strings.ToUpper(through[0].To.Login)} {
			_, err := s.acts().Plan(action.RemoveCollaborator, d.asTarget("collaborator", who))
			if !saas.Is(err, saas.Invalid) || !strings.Contains(err.Error(), fmt.Sprintf("comes through folder %q", d.Parent.Name)) {
				s.Errorf("%q: %v", who, err)
			}
		}
	})
}

// TestOneCollaboratorIsRemoved, and those whom nobody named stay.
func TestOneCollaboratorIsRemoved(t *testing.T) {
	inSite(t, nil, func(s *site) {
		d := s.pick(false, shared)
		insider := d.Grants[0]
		s.must(d.Owner.ID, http.MethodPost, "/collaborations", map[string]any{"role": "editor",
			"item": map[string]string{"type": "file", "id": d.ID}, "accessible_by": map[string]string{"type": "user", "login": "eve@out.example"}})
		was := s.looks(d.asTarget())
		f := func(who, stays string) {
			s.Helper()
			p := s.acts().Do(action.RemoveCollaborator, d.asTarget("collaborator", who))
			if now := s.looks(d.asTarget()); !strings.Contains(now, "shared with ["+stays+"]") {
				s.Errorf("%q removed: %s", who, now)
			}
			if lost := s.undo(p); len(lost) > 0 || s.looks(d.asTarget()) != was {
				s.Errorf("%q brought back: %s, lost %q", who, s.looks(d.asTarget()), lost)
			}
		}
		f("Eve@out.example", insider.who()+":"+insider.Role)
		f(insider.To.ID, "eve@out.example:editor")
		f("", insider.who()+":"+insider.Role)
	})
}

// TestOwnerWhoCannotBeImpersonatedIsSaid: his files cannot be changed.
func TestOwnerWhoCannotBeImpersonatedIsSaid(t *testing.T) {
	inSite(t, nil, func(s *site) {
		d := s.pick(false, anyFile)
		s.must("", http.MethodPut, "/users/"+d.Owner.ID, map[string]string{"status": "inactive"})
		for _, verb := range []string{action.QuarantineFile, action.RemovePublicLink, action.DeleteFile} {
			if _, err := s.acts().Plan(verb, d.asTarget()); !saas.Is(err, saas.Denied) {
				s.Errorf("%s: %v", verb, err)
			}
		}
	})
}

func TestEveryActionSaysWhatItIs(t *testing.T) {
	got := map[string]bool{}
	for _, a := range actions(&Config{}) {
		if !action.Known(a.Verb) || got[a.Verb] || a.Plan == nil || !strings.HasPrefix(a.Docs, reference) || len(a.Needs) == 0 {
			t.Errorf("%s does not say all that an action says", a.Verb)
		}
		got[a.Verb] = true
	}
	for _, verb := range action.Verbs() {
		if action.On(verb) == action.OnFile && !got[verb] {
			t.Errorf("Box lacks %s", verb)
		}
	}
	if len(got) != 14 {
		t.Errorf("%d actions", len(got))
	}
}
