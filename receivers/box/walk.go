package box

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	maxDeep    = 200             // folders within each other
	maxMissed  = 10              // things that a walk could not read and names
	walkPages  = 20              // between two saves of a walk
	walkPeriod = 5 * time.Second // or this long
)

// files reads what the users of an enterprise own.
type files struct{ staff staff }

// item is what is looked at of a file, a folder or a web link.
type item struct {
	Type, ID string
	Owner    struct{ ID, Login string } `json:"owned_by"`
	Outside  bool                       `json:"is_externally_owned"`
	Shared   bool                       `json:"has_collaborations"`
	Link     *sharedLink                `json:"shared_link"`
	Path     struct{ Entries []item }   `json:"path_collection"`
}

// dir is an open folder: the page of it that is being read, or whose subfolders are.
type dir struct {
	ID string `json:"id"`
	place
	read  bool
	next  string // the marker of the page that follows
	share share  // what the folder and those above it give
	subs  []sub  // of the page, not yet walked
}

// sub is a folder to be walked: what it gives, or its own object, by which that is found.
type sub struct {
	id    string
	share share
	row   json.RawMessage
}

// trail is the mark of a walk: the open folders with the page of each, and nothing of what is on the pages. Who goes on
// reads these once more.
type trail struct {
	Path   []*dir   `json:"path,omitempty"`
	Told   string   `json:"told,omitempty"`   // what the last walk reported as not read
	Known  bool     `json:"known,omitempty"`  // a walk has ended before
	Missed []string `json:"missed,omitempty"` // what this walk could not read, as far as it is named
	More   int      `json:"more,omitempty"`   // and how much else
	Holes  bool     `json:"holes,omitempty"`  // what was not read may hold what was seen before
}

// walk is one reading of all that a user owns, or of his trash.
type walk struct {
	trail
	*files
	r       *saas.Run
	user    string
	root    string
	rest    []*dir // of the path in the mark, not yet open again
	known   int    // pages ahead that were read before the mark was saved
	read    int    // pages of this reading that are saved
	unsaved int    // and that are not
	saved   time.Time
	refused bool // nothing may be read as this user
}

// The roots of walks. What lies in a trash is one list: folders in it cannot be looked into.
const (
	everything = "0"
	bin        = "trash"
)

// from walks what lies below a root of the user's, as that user.
func (f *files) from(root string) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		w := &walk{files: f, r: r, user: r.Item().Key, root: root, saved: r.Now()}
		if r.Mark(&w.trail) && len(w.Path) > 0 {
			w.known, w.rest, w.Path = len(w.Path), w.Path[1:], w.Path[:1:1]
		} else {
			w.trail = trail{Path: []*dir{{ID: root}}, Told: w.Told, Known: w.Known}
		}
		return w.on(ctx)
	}
}

func (w *walk) on(ctx context.Context) error {
	for len(w.Path) > 0 {
		d := w.Path[len(w.Path)-1]
		var err error
		switch {
		case !d.read:
			err = w.readPage(ctx, d)
		case len(d.subs) > 0:
			err = w.enter(ctx, d)
		case d.next != "":
			d.read = false
			err = w.skip(d, d.move(d.next))
		default:
			w.leave()
		}
		if err != nil {
			return err
		}
	}
	return w.end()
}

func (w *walk) leave() { w.Path = w.Path[:len(w.Path)-1] }

// readPage reads a page of a folder. What was handed on before the mark was saved is not handed on again.
func (w *walk) readPage(ctx context.Context, d *dir) error {
	again := w.known > 0
	list := "/folders/" + url.PathEscape(d.ID) + "/items?usemarker=true&limit=1000&fields=" + itemFields
	rows, next, err := page(ctx, w.r, d.on(asUser(w.user, list)))
	if again && (saas.Is(err, saas.Invalid) || saas.Is(err, saas.Expired)) { // the marker was good when it was saved: begin anew
		w.Path, w.rest, w.known = []*dir{{ID: w.root}}, nil, 0
		return nil
	}
	if err != nil {
		return w.skip(d, err)
	}
	d.read, d.next = true, next
	for _, row := range rows {
		if err := w.see(ctx, d, row, again); err != nil {
			return err
		}
	}
	if again {
		w.known--
		return w.reopen(ctx, d)
	}
	w.unsaved++ // at first all is saved soon, so that the shortest reading gets on
	if w.unsaved < min(1+w.read/2, walkPages) && w.r.Now().Sub(w.saved) < walkPeriod {
		return nil
	}
	w.read, w.unsaved, w.saved = w.read+w.unsaved, 0, w.r.Now()
	return w.r.Commit(&w.trail)
}

// reopen enters the folder of the page that was open when the mark was saved. When it is no longer there, the walk goes on
// from the folder above it.
func (w *walk) reopen(ctx context.Context, d *dir) error {
	if len(w.rest) == 0 {
		return nil
	}
	next := w.rest[0]
	i := slices.IndexFunc(d.subs, func(s sub) bool { return s.id == next.ID })
	if i >= 0 {
		d.subs = d.subs[i:]
		if err := w.enter(ctx, d); err != nil {
			return err
		}
	}
	if top := w.Path[len(w.Path)-1]; top != d {
		top.place, w.rest = next.place, w.rest[1:]
	} else {
		w.rest, w.known = nil, 0
	}
	return nil
}

// see hands on one item of the user's and notes it when it is a folder to walk. What belongs to a colleague is walked there;
// what belongs to somebody outside is only told of: whose a folder is, his is all in it.
func (w *walk) see(ctx context.Context, d *dir, row json.RawMessage, again bool) error {
	var it item
	if err := json.Unmarshal(row, &it); err != nil {
		return w.r.Emit("", row) // as it is no item it is set aside, and nothing counts as deleted
	}
	folder := it.Type == "folder"
	switch {
	case it.Outside && !again && w.root != bin:
		return w.r.Emit("", saas.Join("item user", row, saas.Quote(w.user)))
	case it.Outside || it.Owner.ID != "" && it.Owner.ID != w.user:
		return nil
	case w.root == bin:
		if again {
			return nil
		}
		return w.r.Emit("", saas.Join("item", row))
	case again && folder:
		d.subs = append(d.subs, sub{id: strings.Clone(it.ID), row: slices.Clone(row)})
		return nil
	case again:
		return nil
	}
	collabs, own, err := w.shared(ctx, w.r, w.user, &it)
	if err = w.forgive(err, it.Type+" "+it.ID+" has collaborators who are not known", false); err != nil {
		return err
	}
	if folder {
		d.subs = append(d.subs, sub{id: strings.Clone(it.ID), share: d.share.and(own)})
	}
	return w.r.Emit("", joined(row, collabs, own, d.share))
}

// joined is an item with what its own object lacks.
func joined(row json.RawMessage, collabs []json.RawMessage, own, inherited share) json.RawMessage {
	var list json.RawMessage
	if len(collabs) > 0 {
		list = saas.Array(collabs)
	}
	return saas.Join("item collaborations own inherited", row, list, own.raw(), inherited.raw())
}

// enter opens the next subfolder.
func (w *walk) enter(ctx context.Context, d *dir) error {
	s := d.subs[0]
	d.subs = d.subs[1:]
	what := "folder " + s.id
	if slices.ContainsFunc(w.Path, func(d *dir) bool { return d.ID == s.id }) {
		w.miss(what + " lies in itself") // what is in it was seen where it was first met
		return nil
	}
	if len(w.Path) >= maxDeep {
		w.Holes = true
		w.miss(fmt.Sprintf("%s lies in more than %d others", what, maxDeep))
		return nil
	}
	if s.row != nil {
		var it item
		if err := json.Unmarshal(s.row, &it); err != nil {
			return err // it was read before
		}
		_, own, err := w.shared(ctx, w.r, w.user, &it)
		if err = w.forgive(err, what+" has collaborators who are not known", false); err != nil {
			return err
		}
		s.share = d.share.and(own)
	}
	w.Path = append(w.Path, &dir{ID: s.id, share: s.share})
	return nil
}

// skip ends the reading of a folder that cannot be read, and lets the walk go on.
func (w *walk) skip(d *dir, err error) error {
	if err == nil {
		return nil
	}
	what := "folder " + d.ID
	if w.refused = d.ID == w.root && d.Marker == ""; w.refused {
		what = "nothing can be read as this user"
	}
	if !saas.Is(err, saas.Missing) || w.refused { // else it went while the walk came
		if err := w.forgive(err, what, true); err != nil {
			return err
		}
	}
	w.rest, w.known = nil, 0
	w.leave()
	return nil
}

// forgive notes what will not be read by asking again; any other failure ends the reading.
func (w *walk) forgive(err error, what string, hole bool) error {
	if hard(err) || err == nil {
		return err
	}
	if saas.Is(err, saas.Missing) && !hole {
		return nil
	}
	w.Holes = w.Holes || hole
	w.miss(what + ": " + err.Error())
	return nil
}

func (w *walk) miss(what string) {
	if len(w.Missed) < maxMissed {
		w.Missed = append(w.Missed, what[:min(len(what), 400)])
	} else {
		w.More++
	}
}

// end reports, once, what could not be read, and ends the walk. What a hole may hide is not taken for deleted.
func (w *walk) end() error {
	why := strings.Join(w.Missed, "; ")
	if w.More > 0 {
		why += fmt.Sprintf("; and %d more", w.More)
	}
	if why != "" && why != w.Told && (w.root != bin || !w.refused) { // which the walk of his files tells
		w.r.Gap(w.r.Now(), w.r.Now(), "user "+w.user+": "+why)
	}
	if !w.Holes || w.refused && !w.Known {
		w.r.Done()
	}
	return w.r.Commit(&trail{Told: why, Known: true})
}
