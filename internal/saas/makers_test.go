package saas_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// A listing that is led back ends, says by what, and hands on what it had read.
func TestAListingThatIsLedBackEndsWithTheMarker(t *testing.T) {
	next := func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
		at := p.Field("next")
		return saas.Req{URL: "/list?at=" + at}, at != ""
	}
	body := func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
		at := p.Field("next")
		return saas.Req{URL: "/list", Method: http.MethodPost, Body: "at=" + at}, at != ""
	}
	first := func(*saas.Run) saas.Req { return saas.Req{URL: "/list?at=a"} }
	// pages are "place>next", each with one row; one with an exclamation mark has none.
	f := func(poll saas.PollFunc, kind saas.Kind, pages, want string, most int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			t.Helper()
			s, asked := newStage(t), 0
			s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				at := r.FormValue("at")
				for page := range strings.FieldsSeq(pages) {
					place, to, _ := strings.Cut(page, ">")
					if place, empty := strings.CutSuffix(place, "!"); place == at {
						row := fmt.Sprintf(`{"id":"row of %s"}`, place)
						if empty {
							row = ""
						}
						_, _ = fmt.Fprintf(w, `{"rows":[%s],"next":"%s"}`, row, to)
					}
				}
			}))
			s.open = func() *saas.Instance {
				st := saas.Stream{Name: "list", Kind: kind, Dataset: "list", Every: time.Minute, Keep: day, Key: by("id"), Map: plain, Poll: poll}
				if kind == saas.Files {
					st.Map = thing("file", "id")
				}
				return &saas.Instance{Streams: []saas.Stream{st}}
			}
			s.live(30 * time.Second)
			got := s.status("list").Off
			if want == "" && got != "" || want != "" && (!strings.Contains(got, want) || !strings.Contains(got, "read before in this listing")) {
				t.Errorf("%s: off because %q, want %q", pages, got, want)
			}
			if asked > most {
				t.Errorf("%s: %d requests, want at most %d", pages, asked, most)
			}
			var rows []string
			for page := range strings.FieldsSeq(pages) {
				if place, _, _ := strings.Cut(page, ">"); !strings.HasSuffix(place, "!") {
					rows = append(rows, "row of "+place)
				}
			}
			came := s.ids("list")
			if kind == saas.Files {
				came = s.entities("list")
			}
			if slices.Sort(rows); !slices.Equal(came, rows) {
				t.Errorf("%s: %q came out, want %q", pages, came, rows)
			}
		})
	}
	list, delta, feed := saas.List(first, rows("rows"), next), saas.Delta(first, rows("rows"), next), saas.Feed(first, rows("rows"), next)
	long := "a>b"
	for c := 'b'; c < 'z'; c++ {
		long += fmt.Sprintf(" %c>%c", c, c+1)
	}
	f(list, saas.Files, "a>b b>", "", 2)
	f(list, saas.Files, "a>a", "at=a", 1)
	f(list, saas.Files, "a>b b>b", "at=b", 2)
	f(list, saas.Files, "a>b b>a", "at=", 4)
	f(list, saas.Files, "a>b b>c c>b", "at=", 6)
	f(list, saas.Files, long+" z>", "", 26)
	f(list, saas.Files, long+" z>k", "at=", 80)
	f(saas.List(first, rows("rows"), body), saas.Files, "a>b b>c c>b", "at=", 6)

	f(delta, saas.Files, "a>a", "at=a", 1)
	f(delta, saas.Files, "a>b b>a", "at=", 4)
	f(delta, saas.Files, "a!>b b!>a", "at=", 4)

	f(feed, saas.Audit, "a>b b>c c!>c", "", 3)
	f(feed, saas.Audit, "a!>a", "", 1)
	f(feed, saas.Audit, "a>a", "at=a", 1)
	f(feed, saas.Audit, "a>b b>b", "at=b", 2)
	f(feed, saas.Audit, "a>b b>a", "at=", 4)
	f(feed, saas.Audit, "a>b b>c c>b", "at=", 6)
}

// What a listing remembers of its way is in its mark: one that is cut after every page is seen to be led back as well.
func TestAListingThatIsCutAfterEveryPageIsSeenToBeLedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(40 * time.Second)
			at := r.FormValue("at")
			_, _ = fmt.Fprintf(w, `{"rows":[{"id":"%s"}],"next":"%s"}`, at, map[string]string{"": "a", "a": "b", "b": "c", "c": "a"}[at])
		}))
		s.keys = map[string]any{"run_timeout": "50s"} // no second page in one reading
		s.open = func() *saas.Instance {
			return &saas.Instance{Streams: []saas.Stream{{Name: "list", Kind: saas.Files, Dataset: "list", Every: time.Hour, Key: by("id"),
				Map: thing("file", "id"), Poll: saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: "/list?"} }, rows("rows"),
					token("/list?", "next", "at"))}}}
		}
		s.live(20 * time.Minute)
		if off := s.status("list").Off; !strings.Contains(off, "at=") || !strings.Contains(off, "read before") {
			t.Errorf("off because %q", off)
		}
	})
}
