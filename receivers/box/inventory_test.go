package box

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

func TestDirectoryIsDeliveredOnce(t *testing.T) {
	o := sim.Options{Seed: 7, Users: 60, Files: 60, Events: 5}
	inLibrary(t, o, "users groups group_members privileges", nil, nil, func(l *library) {
		l.pass(13 * time.Hour)
		kinds := map[string]string{"users": "", "groups": "group", "group_members": "", "privileges": ""}
		for stream := range kinds {
			n := 0
			for key, docs := range l.got[stream] {
				if n++; len(docs) != 1 {
					t.Errorf("%s: %s came %d times", stream, key, len(docs))
				}
			}
			if want := len(l.published(stream)); n != want || want < 2 {
				t.Errorf("%s: %d came, %d are published", stream, n, want)
			}
			if s := l.status(stream); s.Off != "" || s.LastError != "" || !s.Complete || s.Gaps > 0 {
				t.Errorf("%s: off %q, error %q, complete %v, %d gaps", stream, s.Off, s.LastError, s.Complete, s.Gaps)
			}
		}
	})
}

// groups answers with numbered groups, n at first.
func groups(n func(from int) int) answer {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/2.0/groups" {
			return false
		}
		from, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		if from > maxOffset {
			sim.WriteJSON(w, http.StatusBadRequest, obj{"type": "error", "code": "bad_request"})
			return true
		}
		rows, total := []obj{}, n(from)
		for i := from; i < min(from+1000, total); i++ {
			rows = append(rows, obj{"type": "group", "id": itoa(i), "name": "g" + itoa(i)})
		}
		sim.WriteJSON(w, http.StatusOK, obj{"total_count": total, "offset": from, "limit": 1000, "entries": rows})
		return true
	}
}

func TestGroupsBeyondWhatBoxListsAreTold(t *testing.T) {
	f := func(n, came int, complete bool, gaps ...string) {
		t.Helper()
		inLibrary(t, small, "groups", nil, groups(func(int) int { return n }), func(l *library) {
			l.pass(5 * time.Hour)
			if s := l.status("groups"); len(l.got["groups"]) != came || s.Complete != complete || s.LastError != "" || s.Off != "" {
				t.Errorf("of %d groups %d came, complete %v, error %q", n, len(l.got["groups"]), s.Complete, s.LastError)
			}
			if !slices.Equal(l.gaps, gaps) {
				t.Errorf("of %d groups: reported %q, want %q", n, l.gaps, gaps)
			}
		})
	}
	f(0, 0, true)
	f(2000, 2000, true)
	f(11_000, 11_000, true)
	f(11_001, 11_000, false, "/groups: 11000 of 11001 are listed, Box gives no more")
}

func TestGroupsThatMoveWhileTheyAreListedAreNotDeleted(t *testing.T) {
	var mu sync.Mutex
	second := 0 // pages
	shrinking := func(from int) int {
		mu.Lock()
		defer mu.Unlock()
		if from == 1000 {
			second++
		}
		if second > 1 { // from the second page of the second walk on
			return 2999
		}
		return 3000
	}
	inLibrary(t, small, "groups", nil, groups(shrinking), func(l *library) {
		l.pass(90 * time.Minute)
		deleted := func() (n int) {
			for key := range l.got["groups"] {
				if strings.HasPrefix(key, "gone/") {
					n++
				}
			}
			return n
		}
		if n := deleted(); n > 0 {
			t.Errorf("%d groups are gone by a walk in which rows moved", n)
		}
		l.pass(time.Hour)
		if n := deleted(); n != 1 {
			t.Errorf("%d groups are gone by the walk after it, want 1", n)
		}
	})
}

func TestMarkerThatRepeatsEndsTheListingAndIsNamed(t *testing.T) {
	stuck := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/2.0/users" {
			return false
		}
		sim.WriteJSON(w, http.StatusOK, obj{"entries": []obj{{"type": "user", "id": "77", "role": "coadmin"}}, "next_marker": "JV9IRGZ"})
		return true
	}
	inLibrary(t, small, "users privileges", nil, stuck, func(l *library) {
		l.pass(10 * time.Minute)
		for _, stream := range []string{"users", "privileges"} {
			s, why := l.status(stream), "marker=JV9IRGZ: invalid: what is to be read next was read before"
			if !strings.Contains(s.Off, why) || len(l.got[stream]) != 1 {
				t.Errorf("%s: off %q, %d came", stream, s.Off, len(l.got[stream]))
			}
		}
		if n := l.asked["/2.0/users"]; n > 8 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestMarkerThatCameBeforeIsFound(t *testing.T) {
	f := func(head, round int) {
		t.Helper()
		var p place
		for i := 1; ; i++ {
			at := i
			if i > head+round {
				at = head + (i-head-1)%round + 1
			}
			if err := p.move("m" + itoa(at)); err != nil {
				return
			}
			if i > 4*(head+round)+2 {
				t.Fatalf("after %d pages a round of %d after %d is not noticed", i, round, head)
			}
		}
	}
	f(0, 1)
	f(1, 1)
	f(0, 2)
	f(5, 3)
	f(100, 7)
	f(3, 1000)
}

func TestOutsidersAreToldByTheirDomain(t *testing.T) {
	own := people{domains: map[string]bool{"contoso.example": true}, users: map[string]bool{"12": true}}
	f := func(kind, id, login, invited, owner, want string) {
		t.Helper()
		var c collaboration
		c.To.Type, c.To.ID, c.To.Login, c.Invited = kind, id, login, invited
		if got := own.outside(c, owner); got != want {
			t.Errorf("%s %s %s%s is of %q, want %q", kind, id, login, invited, got, want)
		}
	}
	f("user", "1", "a@contoso.example", "", "", "")
	f("user", "1", "A@Contoso.Example", "", "", "")
	f("user", "2", "b@agency.example", "", "", "agency.example")
	f("user", "2", "b@sub.contoso.example", "", "", "sub.contoso.example")
	f("", "", "", "new@agency.example", "", "agency.example")
	f("", "", "", "new@contoso.example", "", "")
	f("user", "12", "ana@gmail.com", "", "", "") // managed, with an address of her own
	f("user", "13", "bob@gmail.com", "", "ana@gmail.com", "gmail.com")
	f("user", "14", "c@other.example", "", "o@other.example", "")
	f("group", "15", "", "", "", "")
	f("user", "16", "", "", "", "")
}
