package box

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// setLink gives a file a link, or takes it away.
func setLink(ctx context.Context, conn *saas.Conn, d *document, link map[string]any) error {
	var body any = map[string]any{"shared_link": nil}
	if link != nil {
		body = map[string]any{"shared_link": link}
	}
	var now document
	err := send(ctx, conn, change(d.as, http.MethodPut, d.url()+"?fields=id,type,etag,shared_link", body), &now)
	if err == nil {
		d.Etag, d.Link = now.Etag, now.Link
	}
	return err
}

// bringLink gives a file the link it had, as far as Box lets one choose it.
func bringLink(ctx context.Context, conn *saas.Conn, was, now *document) (lost []string, err error) {
	if was.Link == nil {
		return nil, nil
	}
	link := map[string]any{"access": was.Link.Access}
	if was.Link.Expires != "" {
		link["unshared_at"] = was.Link.Expires
	}
	if was.Link.Access != "collaborators" {
		link["permissions"] = map[string]bool{"can_download": was.Link.May.Download, "can_edit": was.Link.May.Edit}
	}
	if was.Link.Vanity != "" {
		lost = append(lost, "the custom address "+was.Link.Vanity)
	}
	if was.Link.Password {
		lost = append(lost, "the password of the link: Box tells nobody")
	}
	if err := setLink(ctx, conn, now, link); err != nil {
		return nil, err
	}
	if now.Link == nil || now.Link.URL != was.Link.URL {
		lost = append(lost, "the address of the link, "+was.Link.URL)
	}
	return lost, nil
}

var removeLink = fileAction{verb: action.RemovePublicLink, docs: "put-files-id--remove-shared-link",
	done: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, _, now *document) (bool, error) {
		return now == nil || now.Link == nil, nil
	},
	do: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, _, now *document) error {
		return setLink(ctx, conn, now, nil)
	},
	undo: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was, now *document) ([]string, error) {
		return bringLink(ctx, conn, was, now)
	}}

// narrowness orders whom a link opens to.
var narrowness = []string{"open", "company", "collaborators"}

// wanted is whom the link is to open to.
func wanted(p *saas.Plan) string {
	if a := p.Target.Params["access"]; a != "" {
		return a
	}
	return "collaborators"
}

var restrictLink = fileAction{verb: action.RestrictLink, docs: "put-files-id--update-shared-link",
	plan: func(_ context.Context, _ *saas.Conn, p *saas.Plan, _ *document) error {
		if to := wanted(p); to != "company" && to != "collaborators" {
			return saas.Refuse("access: %q, want company or collaborators", to)
		}
		return nil
	},
	done: func(_ context.Context, _ *saas.Conn, p *saas.Plan, _, now *document) (bool, error) {
		return now == nil || now.Link == nil || slices.Index(narrowness, now.Link.Access) >= slices.Index(narrowness, wanted(p)), nil
	},
	do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, _, now *document) error {
		return setLink(ctx, conn, now, map[string]any{"access": wanted(p)})
	},
	undo: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was, now *document) ([]string, error) {
		return bringLink(ctx, conn, was, now)
	}}

// removeCollaborator ends the collaborations of one person at a file, or of everybody from outside.
func removeCollaborator() fileAction {
	var f files
	return fileAction{verb: action.RemoveCollaborator, docs: "delete-collaborations-id",
		plan: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was *document) (err error) {
			if was.Grants, err = f.meant(ctx, conn, p, was, was.url()); err != nil || len(was.Grants) > 0 {
				return err
			}
			for _, folder := range was.Path.Entries { // where nobody is found at the file itself
				if folder.ID == "0" {
					continue
				}
				through, err := f.meant(ctx, conn, p, was, "/folders/"+folder.ID)
				if err != nil {
					return err
				}
				if len(through) > 0 {
					return saas.Refuse("%s comes through folder %q (%s): the collaboration is to be removed there",
						through[0].who(), folder.Name, folder.ID)
				}
			}
			return nil
		},
		done: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was, now *document) (bool, error) {
			if now == nil || len(was.Grants) == 0 {
				return true, nil
			}
			list, err := grants(ctx, conn, now.as, now.url())
			return !slices.ContainsFunc(list, func(g grant) bool { return slices.ContainsFunc(was.Grants, g.same) }), err
		},
		do: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was, now *document) error {
			return dismiss(ctx, conn, now, was.Grants)
		},
		undo: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was, now *document) ([]string, error) {
			return invite(ctx, conn, was, now)
		}}
}

// meant are the collaborations of an item that a target means.
func (f *files) meant(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document, item string) ([]grant, error) {
	list, err := grants(ctx, conn, d.as, item)
	if err != nil {
		return nil, err
	}
	name := p.Target.Params["collaborator"]
	if name == "" {
		return f.outsiders(ctx, conn, d, list)
	}
	return slices.DeleteFunc(list, func(g grant) bool { return !g.is(name) }), nil
}

// outsiders says who of a list is not of the enterprise, as the records of files say it.
func (f *files) outsiders(ctx context.Context, conn *saas.Conn, d *document, list []grant) ([]grant, error) {
	own, err := f.staff.load(ctx, conn, time.Now())
	return slices.DeleteFunc(list, func(g grant) bool {
		c := collaboration{Role: g.Role, Status: g.Status, Invited: g.Email}
		c.To.ID, c.To.Type, c.To.Login = g.To.ID, g.To.Type, g.To.Login
		return own.outside(c, d.Owner.Login) == ""
	}), err
}

// dismiss ends collaborations. One that is not there any more is ended.
func dismiss(ctx context.Context, conn *saas.Conn, d *document, list []grant) error {
	for _, g := range list {
		if err := gone(ctx, conn, change(d.as, http.MethodDelete, "/collaborations/"+g.ID, nil)); err != nil {
			return err
		}
	}
	return nil
}

// invite brings back the collaborators that a file had and lacks, and gives those that Box does not take.
func invite(ctx context.Context, conn *saas.Conn, was, now *document) (lost []string, err error) {
	if len(was.Grants) == 0 {
		return nil, nil
	}
	list, err := grants(ctx, conn, now.as, now.url())
	if err != nil {
		return nil, err
	}
	for _, g := range was.Grants {
		if slices.ContainsFunc(list, g.same) {
			continue
		}
		err := send(ctx, conn, g.invite(now.as, "file", now.ID), nil)
		if hard(err) || err != nil && len(was.Grants) == 1 {
			return nil, err
		}
		if err != nil {
			lost = append(lost, "collaborator "+g.who()+" ("+g.Role+"): "+err.Error())
		}
	}
	return lost, nil
}

const (
	classTemplate = "enterprise/securityClassification-6VMVochwUWo"
	classKey      = "Box__Security__Classification__Key"
)

// label classifies a file by the name of a classification, or by the id of the label that stands for it.
func label(c *Config) fileAction {
	name := func(p *saas.Plan) string {
		want := p.Target.Params["label"]
		for class, id := range c.Labels {
			if strings.EqualFold(id, want) {
				return class
			}
		}
		return want
	}
	return fileAction{verb: action.ApplyLabel, docs: "post-files-id-metadata-enterprise-security-classification-6-vm-vochw-u-wo",
		plan: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, _ *document) error {
			var t struct {
				Fields []struct{ Options []struct{ Key string } }
			}
			if err := saas.Get(ctx, conn, "/metadata_templates/"+classTemplate+"/schema", &t); err != nil {
				return err
			}
			var allowed []string
			for _, f := range t.Fields {
				for _, o := range f.Options {
					allowed = append(allowed, o.Key)
				}
			}
			if want := name(p); !slices.Contains(allowed, want) {
				return saas.Refuse("label: there is no classification %q: known are %s", want, strings.Join(allowed, ", "))
			}
			return nil
		},
		done: func(_ context.Context, _ *saas.Conn, p *saas.Plan, _, now *document) (bool, error) {
			return now == nil || now.Class != nil && now.Class.Name == name(p), nil
		},
		do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, _, now *document) error {
			return classify(ctx, conn, now, name(p))
		},
		undo: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was, now *document) ([]string, error) {
			if was.Class == nil {
				return nil, gone(ctx, conn, change(now.as, http.MethodDelete, now.url()+"/metadata/"+classTemplate, nil))
			}
			return nil, classify(ctx, conn, now, was.Class.Name)
		}}
}

// classify gives a file a classification, in the place of any other.
func classify(ctx context.Context, conn *saas.Conn, d *document, class string) error {
	at := d.url() + "/metadata/" + classTemplate
	err := send(ctx, conn, change(d.as, http.MethodPost, at, map[string]string{classKey: class}), nil)
	if saas.HTTPStatus(err) != http.StatusConflict {
		return err
	}
	patch := []map[string]string{{"op": "replace", "path": "/" + classKey, "value": class}}
	return send(ctx, conn, change(d.as, http.MethodPut, at, patch, "Content-Type", "application/json-patch+json"), nil)
}
