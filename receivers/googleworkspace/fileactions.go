package googleworkspace

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	driveDocs = reference + "drive/api/reference/rest/v3/"
	docFields = "id,name,mimeType,trashed,driveId,parents,version,headRevisionId,md5Checksum,owners(emailAddress,permissionId)"
)

// document is what actions read of a file, and what a plan keeps of it.
type document struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	MIME    string   `json:"mimeType"`
	Trashed bool     `json:"trashed"`
	Drive   string   `json:"driveId,omitempty"`
	Parents []string `json:"parents,omitempty"`
	Head    string   `json:"headRevisionId,omitempty"`
	MD5     string   `json:"md5Checksum,omitempty"`
	Owners  []struct {
		Email      string `json:"emailAddress"`
		Permission string `json:"permissionId,omitempty"`
	} `json:"owners,omitempty"`
	Grants []permission `json:"grants,omitempty"`
	As     string       `json:"as"` // who acts
}

func (d *document) owner() string {
	if len(d.Owners) > 0 {
		return d.Owners[0].Email
	}
	return ""
}

// find reads a file as its owner, as a member of its shared drive, or as the administrator, to whom quarantine moves it; nil = none of
// them sees it.
func (f *files) find(ctx context.Context, conn *saas.Conn, t saas.Target) (*document, error) {
	if t.ID == "" {
		return nil, saas.Refuse("the target names no file")
	}
	as := []string{t.Params["owner.email"], f.Auth.Admin}
	if drive := t.Params["container.id"]; as[0] == "" && drive != "" {
		l, _, err := f.reader(ctx, conn, drive)
		if err = ofOne(err); err != nil && !saas.Is(err, saas.Missing) {
			return nil, err
		}
		as[0] = l.As
	}
	for _, who := range as {
		if who == "" {
			continue
		}
		d := &document{As: who}
		err := send(ctx, conn, saas.Req{URL: f.fileURL(t.ID) + "?supportsAllDrives=true&fields=" + docFields, As: who}, d)
		if saas.Is(ofOne(err), saas.Missing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list, err := f.permissions(ctx, conn, t.ID, who)
		for _, raw := range list {
			var p permission
			if json.Unmarshal(raw, &p) == nil {
				d.Grants = append(d.Grants, p)
			}
		}
		if saas.Is(err, saas.Denied) { // who may only read is not told
			err = nil
		}
		return d, err
	}
	return nil, nil
}

// fileAction is an action on a file: what it sends and takes back is known when it is planned.
type fileAction struct {
	verb, docs, final string
	buried            bool // a file in the trash can be its target
	needs             []string
	plan              func(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) error
	done              func(ctx context.Context, conn *saas.Conn, p *saas.Plan, now *document) (bool, error)
}

func (f *files) action(fa fileAction) saas.Action {
	a := saas.Action{Verb: fa.verb, Needs: append([]string{readDrive + "|" + editDrive, editDrive}, fa.needs...), Docs: driveDocs + fa.docs,
		Irreversible: fa.final}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		d, err := f.find(ctx, conn, t)
		switch {
		case err != nil:
			return nil, err
		case d == nil && fa.verb == action.PurgeFile:
			return nil, saas.Settled("file %s is gone", t.ID)
		case d == nil:
			return nil, saas.Refuse("file %s is gone, or nobody can act for its owner", t.ID)
		case d.Trashed && !fa.buried:
			return nil, saas.Refuse("file %s is in the trash", t.ID)
		}
		p := &saas.Plan{Verb: fa.verb, Target: f.target(t, d), Before: json.RawMessage(encode(d))}
		if err := fa.plan(ctx, conn, p, d); err != nil {
			return nil, err
		}
		if ok, err := fa.done(ctx, conn, p, d); err != nil || ok {
			return nil, cmp.Or(err, saas.Settled("file %s is so already", t.ID))
		}
		return p, nil
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		now, err := f.find(ctx, conn, p.Target)
		if err != nil {
			return false, err
		}
		if now == nil && fa.verb != action.PurgeFile {
			return false, &saas.Error{Outcome: saas.Missing, Msg: "file " + p.Target.ID + " is gone"}
		}
		return fa.done(ctx, conn, p, now)
	})
}

// target is the target with what only the file itself says.
func (f *files) target(t saas.Target, d *document) saas.Target {
	params := map[string]string{"owner.email": cmp.Or(t.Params["owner.email"], d.owner()),
		"container.id": cmp.Or(d.Drive, t.Params["container.id"])}
	for _, key := range []string{"collaborator", "access", "label"} {
		params[key] = t.Params[key]
	}
	for key, val := range params {
		if val == "" {
			delete(params, key)
		}
	}
	t.Name, t.Params = cmp.Or(t.Name, d.Name), params
	return t
}

// patch changes a file.
func (f *files) patch(d *document, query string, body any) saas.Req {
	return change(d.As, http.MethodPatch, f.fileURL(d.ID)+"?supportsAllDrives=true"+query, body)
}

func (f *files) permissionURL(file string) string { return f.fileURL(file) + "/permissions" }

// drop takes a permission away, and give gives it again, telling nobody.
func (f *files) drop(as, file, id string) saas.Req {
	return saas.Req{Method: http.MethodDelete, URL: f.permissionURL(file) + "/" + url.PathEscape(id) + "?supportsAllDrives=true", As: as}
}

func (f *files) give(as, file string, p permission) saas.Req {
	at := f.permissionURL(file) + "?supportsAllDrives=true"
	if p.Type == "user" || p.Type == "group" {
		at += "&sendNotificationEmail=false"
	}
	body := map[string]any{"type": p.Type, "role": p.Role}
	for name, val := range map[string]string{"emailAddress": p.Email, "domain": p.Domain, "expirationTime": p.Expires, "view": p.View} {
		if val != "" {
			body[name] = val
		}
	}
	if p.Type == "domain" || p.Type == "anyone" {
		body["allowFileDiscovery"] = p.Discovery
	}
	return change(as, http.MethodPost, at, body)
}

// inherited says whether a permission comes from a folder, and from which.
func (p *permission) inherited() (from string, is bool) {
	for _, d := range p.Details {
		if !d.Inherited {
			return "", false
		}
		from, is = d.From, true
	}
	return from, is
}

// unshare takes away the permissions that are meant.
func (f *files) unshare(verb string, meant func(p *saas.Plan, d *document, g *permission, own map[string]bool) bool,
	instead func(p *saas.Plan, d *document) []permission) saas.Action {
	of := func(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) (list []permission, err error) {
		own, err := f.own(ctx, conn, time.Now())
		for _, g := range d.Grants {
			if g.Role != "owner" && !g.Deleted && meant(p, d, &g, own) {
				list = append(list, g)
			}
		}
		return list, err
	}
	return f.action(fileAction{verb: verb, docs: "permissions/delete",
		plan: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) error {
			if a := p.Target.Params["access"]; a != "" && a != "company" && a != "collaborators" {
				return saas.Refuse("access: %q, want company or collaborators", a)
			}
			list, err := of(ctx, conn, p, d)
			if err != nil {
				return err
			}
			var other []permission
			if len(list) > 0 && instead != nil {
				other = instead(p, d)
			}
			for _, g := range other { // it is there before the wider one goes
				p.Steps = append(p.Steps, f.give(d.As, d.ID, g))
			}
			for _, g := range list {
				if from, is := g.inherited(); is {
					return saas.Refuse("permission %s of %s comes from folder %s, where it is to be taken away", g.ID,
						cmp.Or(g.Email, g.Domain, g.Type), from)
				}
				p.Steps = append(p.Steps, f.drop(d.As, d.ID, g.ID))
				p.Back = append(p.Back, f.give(d.As, d.ID, g))
			}
			return nil
		},
		done: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, now *document) (bool, error) {
			list, err := of(ctx, conn, p, now)
			return len(list) == 0, err
		}})
}

// actions are what the agent can change of files.
func (f *files) actions() []saas.Action {
	trash := func(verb string, to bool) saas.Action {
		return f.action(fileAction{verb: verb, docs: "files/update", buried: true,
			plan: func(_ context.Context, _ *saas.Conn, p *saas.Plan, d *document) error {
				p.Steps = []saas.Req{f.patch(d, "", map[string]bool{"trashed": to})}
				p.Back = []saas.Req{f.patch(d, "", map[string]bool{"trashed": !to})}
				return nil
			},
			done: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, now *document) (bool, error) {
				return now.Trashed == to, nil
			}})
	}
	open := func(g *permission) bool { return g.Type == "anyone" }
	return []saas.Action{
		f.unshare(action.RemovePublicLink, func(_ *saas.Plan, _ *document, g *permission, _ map[string]bool) bool { return open(g) }, nil),
		f.unshare(action.RestrictLink, func(p *saas.Plan, _ *document, g *permission, _ map[string]bool) bool {
			return open(g) || g.Type == "domain" && p.Target.Params["access"] != "company"
		}, f.forCompany),
		f.unshare(action.RemoveCollaborator, func(p *saas.Plan, d *document, g *permission, own map[string]bool) bool {
			if who := p.Target.Params["collaborator"]; who != "" {
				return g.ID == who || strings.EqualFold(g.Email, who) || strings.EqualFold(g.Domain, who)
			}
			return g.outside(own)
		}, nil),
		trash(action.DeleteFile, true), trash(action.RestoreFile, false), f.purge(), f.tombstone(), f.quarantine(), f.label(),
	}
}

// forCompany is what takes the place of a link that opens to everybody: one for the owner's domain.
func (f *files) forCompany(p *saas.Plan, d *document) []permission {
	if p.Target.Params["access"] != "company" {
		return nil
	}
	role := "reader"
	for _, g := range d.Grants {
		if g.Type == "anyone" {
			role = g.Role
		}
	}
	return []permission{{Type: "domain", Domain: cmp.Or(domainOf(d.owner()), domainOf(d.As)), Role: role}}
}

func (f *files) purge() saas.Action {
	return f.action(fileAction{verb: action.PurgeFile, docs: "files/delete", buried: true,
		final: "what is deleted so skips the trash; an administrator may bring it back in the console within 25 days",
		plan: func(_ context.Context, _ *saas.Conn, p *saas.Plan, d *document) error {
			p.Steps = []saas.Req{{Method: http.MethodDelete, URL: f.fileURL(d.ID) + "?supportsAllDrives=true", As: d.As}}
			return nil
		},
		done: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, now *document) (bool, error) {
			return now == nil, nil
		}})
}

// notice is what a file that was removed holds.
const notice = "The content of this file was removed under the data protection policy of your organization.\r\n" +
	"Please ask your administrator.\r\n"

// tombstone puts a notice in the place of the content, and deletes the old revisions, which else stay to be downloaded.
func (f *files) tombstone() saas.Action {
	sum := md5.Sum([]byte(notice))
	is := hex.EncodeToString(sum[:])
	old := func(ctx context.Context, conn *saas.Conn, d *document) (ids []string, err error) {
		err = each(ctx, conn, f.fileURL(d.ID)+"/revisions?pageSize=1000&fields=nextPageToken,revisions(id,md5Checksum)", d.As, "revisions",
			func(row json.RawMessage) {
				if saas.TextAt(row, "md5Checksum") != is {
					ids = append(ids, saas.TextAt(row, "id"))
				}
			})
		return ids, err
	}
	return f.action(fileAction{verb: action.TombstoneFile, docs: "files/update",
		final: "the content and its old revisions are deleted for good",
		plan: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) error {
			if strings.HasPrefix(d.MIME, google) {
				return saas.Refuse("file %s is a %s, whose revisions cannot be deleted: quarantine or delete it", d.ID, d.MIME)
			}
			ids, err := old(ctx, conn, d)
			if err != nil {
				return err
			}
			if d.MD5 != is {
				p.Steps = append(p.Steps, saas.Req{Method: http.MethodPatch, As: d.As, Body: notice,
					URL:    f.URLs.Drive + "/upload/drive/v3/files/" + url.PathEscape(d.ID) + "?uploadType=media&supportsAllDrives=true",
					Header: map[string]string{"Content-Type": cmp.Or(d.MIME, "text/plain")}})
			}
			for _, id := range ids {
				at := f.fileURL(d.ID) + "/revisions/" + url.PathEscape(id)
				p.Steps = append(p.Steps, saas.Req{Method: http.MethodDelete, URL: at, As: d.As})
			}
			return nil
		},
		done: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, now *document) (bool, error) {
			if now.MD5 != is {
				return false, nil
			}
			ids, err := old(ctx, conn, now)
			return len(ids) == 0, err
		}})
}
