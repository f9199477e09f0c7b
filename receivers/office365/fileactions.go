package office365

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// document is what actions read of a file, and what a plan keeps of it.
type document struct {
	Drive  string `json:"drive,omitempty"`
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
	ETag   string `json:"etag,omitempty"`
	CTag   string `json:"ctag,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Folder string `json:"folder,omitempty"` // that it lies in
	Site   string `json:"site,omitempty"`   // the URL of its site
	Unique string `json:"unique,omitempty"` // its id at the site
	Bin    string `json:"bin,omitempty"`    // its id in the recycle bin, when it is there
	// What the object lacks, as far as an action changes it.
	Permissions []permission `json:"permissions,omitempty"`
	Label       string       `json:"label,omitempty"`
}

func (d *document) url() string { return "/drives/" + step(d.Drive) + "/items/" + step(d.ID) }

// hand is an action on a file under way: the file as it was planned with and as it is; nil = it is gone from where it was.
type hand struct {
	*tenant
	conn     *saas.Conn
	p        *saas.Plan
	was, now *document
}

// fileAction is an action on a file. do and undo go on where a crash cut them off; undo gives what it could not bring back.
type fileAction struct {
	verb, docs string
	final      string   // why there is no undo
	needs      []string // beside the right to change files
	binned     bool     // its target may lie in a recycle bin
	plan       func(ctx context.Context, h *hand) error
	done       func(ctx context.Context, h *hand) (bool, error)
	do         func(ctx context.Context, h *hand) error
	undo       func(ctx context.Context, h *hand) (lost []string, err error)
}

const writeFiles = "Files.ReadWrite.All|Sites.ReadWrite.All"

func (t *tenant) fileActions() (all []saas.Action) {
	for _, f := range []fileAction{removeLink, restrictLink, removeCollaborator, quarantine, restoreFile, tombstone, deleteFile, purgeFile,
		applyLabel} {
		all = append(all, t.onFile(f))
	}
	return all
}

func (t *tenant) onFile(f fileAction) saas.Action {
	take := func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (*hand, error) {
		h := &hand{tenant: t, conn: conn, p: p, was: &document{}}
		err := json.Unmarshal(p.Before, h.was)
		if err == nil {
			h.now, err = t.find(ctx, conn, p.Target)
		}
		return h, err
	}
	a := saas.Action{Verb: f.verb, Needs: append([]string{writeFiles}, f.needs...), Docs: f.docs, Irreversible: f.final,
		Plan: func(ctx context.Context, conn *saas.Conn, target saas.Target) (*saas.Plan, error) {
			return t.planned(ctx, conn, target, f)
		},
		Done: func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
			h, err := take(ctx, conn, p)
			if err != nil {
				return false, err
			}
			return f.done(ctx, h)
		}}
	a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
		h, err := take(ctx, conn, p)
		if err != nil {
			return err
		}
		if ok, err := f.done(ctx, h); ok || err != nil {
			return err
		}
		return f.do(ctx, h)
	}
	if f.undo == nil {
		return a
	}
	a.Undo = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
		h, err := take(ctx, conn, p)
		if err != nil {
			return err
		}
		lost, err := f.undo(ctx, h)
		if err == nil && len(lost) > 0 {
			p.After, err = json.Marshal(map[string]any{"not_brought_back": lost})
		}
		return err
	}
	return a
}

func (t *tenant) planned(ctx context.Context, conn *saas.Conn, target saas.Target, f fileAction) (*saas.Plan, error) {
	d, err := t.find(ctx, conn, target)
	if err != nil {
		return nil, err
	}
	switch {
	case d == nil: // from the bin too, when it was there
		return nil, saas.Settled("file %s is gone", target.ID)
	case d.Bin != "" && !f.binned:
		return nil, saas.Refuse("file %s lies in the recycle bin", target.ID)
	}
	p := &saas.Plan{Verb: f.verb, Target: target}
	if p.Target.Name == "" {
		p.Target.Name = d.Name
	}
	if d.Bin == "" {
		p.Target.ID = d.Drive + "/" + d.ID
	}
	h := &hand{tenant: t, conn: conn, p: p, was: d, now: d}
	if f.plan != nil {
		if err := f.plan(ctx, h); err != nil {
			return nil, err
		}
	}
	if ok, err := f.done(ctx, h); err != nil {
		return nil, err
	} else if ok {
		return nil, saas.Settled("file %s is so already", target.ID)
	}
	p.Before, err = json.Marshal(d)
	return p, err
}

// find reads a file by its drive and id, by its address, or in a recycle bin; nil = it is not there.
func (t *tenant) find(ctx context.Context, conn *saas.Conn, target saas.Target) (*document, error) {
	if id, ok := strings.CutPrefix(target.ID, inBin); ok {
		return t.inBinOf(ctx, conn, target.Params["container.id"], func(row json.RawMessage) bool { return saas.TextAt(row, "Id") == id })
	}
	at := "/shares/" + step(target.ID) + "/driveItem"
	if drive, id, ok := strings.Cut(target.ID, "/"); ok {
		at = (&document{Drive: drive, ID: id}).url()
	} else if !strings.HasPrefix(target.ID, "u!") {
		return nil, saas.Refuse("%q names no file by its drive and its id", target.ID)
	}
	var it struct {
		ID, Name, ETag, CTag string
		Size                 int64
		Parent               struct{ DriveID, ID string } `json:"parentReference"`
		SharePoint           struct {
			Site   string `json:"siteUrl"`
			Unique string `json:"listItemUniqueId"`
		} `json:"sharepointIds"`
	}
	err := saas.Get(ctx, conn, at+"?"+itemFields, &it)
	if saas.Is(err, saas.Missing) {
		return nil, nil
	}
	return &document{Drive: it.Parent.DriveID, ID: it.ID, Name: it.Name, ETag: it.ETag, CTag: it.CTag, Size: it.Size, Folder: it.Parent.ID,
		Site: it.SharePoint.Site, Unique: it.SharePoint.Unique}, err
}

// inBinOf finds something in the recycle bin of a site; nil = it is not there. The newest comes first.
func (t *tenant) inBinOf(ctx context.Context, conn *saas.Conn, site string, is func(json.RawMessage) bool) (found *document, err error) {
	q, err := t.atSite(site, "site/RecycleBin?$top=1000&$orderby=DeletedDate%20desc")
	if err != nil {
		return nil, err
	}
	for q.URL != "" && found == nil {
		p, err := conn.Do(ctx, q)
		if err != nil {
			return nil, err
		}
		for row, err := range values(p) {
			if err != nil {
				return nil, err
			}
			if found == nil && is(row) {
				found = &document{Bin: saas.TextAt(row, "Id"), Name: saas.TextAt(row, "LeafName"), Site: site}
			}
		}
		q.URL = binLink(p)
	}
	return found, nil
}

// permissions are those of the file itself and those that folders give it.
func (h *hand) permissions(ctx context.Context, d *document) (own, inherited []permission, err error) {
	err = eachRow(ctx, h.conn, d.url()+"/permissions", func(row json.RawMessage) error {
		var p permission
		if err := json.Unmarshal(row, &p); err != nil {
			return err
		}
		if p.Inherited != nil {
			inherited = append(inherited, p)
		} else {
			own = append(own, p)
		}
		return nil
	})
	return own, inherited, err
}

// change sends one request that changes the file, unless somebody else did meanwhile, and reads its small answer.
func (h *hand) change(ctx context.Context, method, path, body string, into any) error {
	q := saas.Req{Method: method, URL: h.now.url() + path, Body: body, Header: map[string]string{"If-Match": h.now.ETag}}
	if method == http.MethodPut {
		q.Header["Content-Type"] = "text/plain"
	}
	if strings.Contains(path, "permissions") || method == http.MethodPost { // which leave the file as it is
		delete(q.Header, "If-Match")
	}
	rep, err := h.conn.Do(ctx, q)
	if method == http.MethodDelete && saas.Is(err, saas.Missing) {
		return nil
	}
	if err != nil {
		return err
	}
	return rep.Into(into)
}
