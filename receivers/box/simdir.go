package box

import (
	"net/http"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simUser is an account. What generated events read of it never changes.
type simUser struct {
	n                 int // among the managed users
	id, name, login   string
	role, status      string
	created, changed  time.Time
	external, service bool
	appUser, reset    bool
}

// mini is the account as other objects name it.
func (u *simUser) mini() obj { return obj{"type": "user", "id": u.id, "name": u.name, "login": u.login} }

type simGroup struct {
	id, name string
	created  time.Time
	members  []*simMember
}

type simMember struct {
	id, role string
	user     *simUser
}

var (
	simFirst = []string{"Ana", "Zoë", "Łukasz", "Jean-Luc", "Aisha", "José", "Mei", "Søren", "Priya", "Noah", "Olga", "健太", "Chloë"}
	simLast  = []string{"Roy", "Müller", "O'Brien", "García", "Nowak", "Østergård", "Sato", "van den Berg", "Kaya", "Smith", "Çelik"}
)

// populate makes the directory.
func (s *simOrg) populate() {
	n := s.o.Users
	if n <= 0 {
		n = 50
	}
	s.byID, s.id = map[string]*simUser{}, itoa(1_000_000+int(sim.Hash(s.o.Seed, 19)%9_000_000))
	s.service = s.addUser(20, 0, "user")
	s.service.name, s.service.login, s.service.service = "Longshore", "AutomationUser_2431_"+s.name(18, 0, 10)+"@boxdevedition.com", true
	for i := range max(n, 26) { // so that every status is there
		u := s.addUser(21, i, "user")
		u.n = i
		s.users = append(s.users, u)
	}
	s.users[0].role, s.users[1].role = "admin", "coadmin"
}

func (s *simOrg) addUser(kind, i int, role string) *simUser {
	rnd := sim.NewRand(s.o.Seed, uint64(kind), uint64(i))
	u := &simUser{id: s.number(kind, i), name: sim.Pick(rnd, simFirst) + " " + sim.Pick(rnd, simLast), login: "user" + itoa(i) + "@contoso.example",
		role: role, status: "active", created: s.o.Start.Add(-time.Duration(100+rnd.N(900)) * 24 * time.Hour)}
	u.changed = u.created
	s.byID[u.id] = u
	return u
}

func (s *simOrg) directoryRoutes(add simAdd) {
	add("GET /2.0/users/me", "", func(c *simCall) { c.json(http.StatusOK, c.user.mini()) })
}

var simStreams = []string{"events"}

func (s *simOrg) published(stream string, f func(key string) bool) { s.feed.Published(f) }

// owners are the managed users, to whom files belong.
func (s *simOrg) owners() []simPerson {
	var out []simPerson
	for _, u := range s.users {
		out = append(out, simPerson{u.id, u.name, u.login, u.status != "inactive"})
	}
	return out
}
