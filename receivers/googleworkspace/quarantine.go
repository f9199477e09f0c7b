package googleworkspace

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// quarantine moves a file into a shared drive of the administrator's, with nobody else's permissions. Its owner, or who acts in its
// shared drive, is let in for the move alone. Nothing is copied: the file keeps its id and its revisions.
func (f *files) quarantine() saas.Action {
	a := f.action(fileAction{verb: action.QuarantineFile, docs: "files/update", buried: true,
		plan: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) error {
			if f.QuarantineDrive == "" {
				return saas.Refuse("quarantine_drive is not set: there is no shared drive to move file %s to", d.ID)
			}
			if d.MIME == google+"folder" {
				return saas.Refuse("%s is a folder, which Google moves into no shared drive: quarantine what is in it", d.ID)
			}
			if len(d.Parents) == 0 && d.Drive == "" {
				return saas.Refuse("file %s lies in no folder, so that it could not be moved back", d.ID)
			}
			members, err := f.permissions(ctx, conn, f.QuarantineDrive, f.Auth.Admin)
			if err != nil {
				return err
			}
			visitor, who := "", cmp.Or(d.owner(), d.As)
			for _, g := range d.Grants {
				if strings.EqualFold(g.Email, who) {
					visitor = g.ID
				}
			}
			if len(d.Owners) > 0 {
				visitor = cmp.Or(visitor, d.Owners[0].Permission)
			}
			guest := !slices.ContainsFunc(members, func(m json.RawMessage) bool { return strings.EqualFold(saas.TextAt(m, "emailAddress"), who) })
			f.planMove(p, d, visitor, guest)
			return nil
		},
		done: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, now *document) (bool, error) {
			direct := slices.ContainsFunc(now.Grants, func(g permission) bool { _, in := g.inherited(); return !in && len(g.Details) > 0 })
			return now.Drive == f.QuarantineDrive && !now.Trashed && !direct, nil
		}})
	return a
}

// planMove plans the move and the way back.
func (f *files) planMove(p *saas.Plan, d *document, visitor string, guest bool) {
	q, from := f.QuarantineDrive, strings.Join(d.Parents, ",")
	invite := func(role string) []saas.Req {
		if !guest {
			return nil
		}
		return []saas.Req{f.give(f.Auth.Admin, q, permission{Type: "user", Role: role, Email: cmp.Or(d.owner(), d.As)})}
	}
	leave := func() []saas.Req {
		if !guest || visitor == "" {
			return nil
		}
		return []saas.Req{f.drop(f.Auth.Admin, q, visitor)}
	}
	move := func(to, out string) saas.Req {
		return f.patch(d, "&addParents="+url.QueryEscape(to)+"&removeParents="+url.QueryEscape(out), map[string]any{})
	}
	p.Steps, p.Back = invite("fileOrganizer"), append(invite("organizer"), move(from, q))
	if d.Trashed {
		p.Steps = append(p.Steps, f.patch(d, "", map[string]bool{"trashed": false}))
	}
	for _, g := range d.Grants {
		if _, in := g.inherited(); in || g.Role == "owner" || g.Deleted {
			continue
		}
		p.Steps = append(p.Steps, f.drop(d.As, d.ID, g.ID))
		p.Back = append(p.Back, f.give(d.As, d.ID, g))
	}
	p.Steps = slices.Concat(p.Steps, []saas.Req{move(q, from)}, leave())
	if d.Trashed {
		p.Back = append(p.Back, f.patch(d, "", map[string]bool{"trashed": true}))
	}
	p.Back = append(p.Back, leave()...)
}

// label puts a label of Google Drive on a file, by the name that the configuration gives it or by its own ids.
func (f *files) label() saas.Action {
	parts := func(p *saas.Plan) ([]string, error) {
		want := p.Target.Params["label"]
		parts, err := readLabel(cmp.Or(f.Labels[want], want))
		if want == "" || err != nil {
			return nil, saas.Refuse("label: %q is neither a name in labels nor <label>/<field>/<choice>", want)
		}
		return parts, nil
	}
	now := func(ctx context.Context, conn *saas.Conn, d *document, id string) (found json.RawMessage, err error) {
		err = each(ctx, conn, f.fileURL(d.ID)+"/listLabels?maxResults=100", d.As, "labels", func(row json.RawMessage) {
			if saas.TextAt(row, "id") == id {
				found = row
			}
		})
		return found, err
	}
	return f.action(fileAction{verb: action.ApplyLabel, docs: "files/modifyLabels", needs: []string{editDrive},
		plan: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) error {
			l, err := parts(p)
			if err != nil {
				return err
			}
			if d.MIME == google+"folder" || d.MIME == google+"shortcut" {
				return saas.Refuse("%s is a %s, on which there are no labels", d.ID, strings.TrimPrefix(d.MIME, google))
			}
			had, err := now(ctx, conn, d, l[0])
			if err != nil {
				return err
			}
			p.Steps = []saas.Req{f.modify(d, choose(l, l[max(0, len(l)-1):]))}
			if had == nil {
				p.Back = []saas.Req{f.modify(d, map[string]any{"labelId": l[0], "removeLabel": true})}
			} else {
				p.Back = []saas.Req{f.modify(d, choose(l, chosen(had, l)))}
			}
			return nil
		},
		done: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) (bool, error) {
			l, err := parts(p)
			if err != nil {
				return false, err
			}
			has, err := now(ctx, conn, d, l[0])
			return has != nil && (len(l) == 1 || slices.Contains(chosen(has, l), l[2])), err
		}})
}

// modify changes the labels of a file.
func (f *files) modify(d *document, m map[string]any) saas.Req {
	return change(d.As, http.MethodPost, f.fileURL(d.ID)+"/modifyLabels",
		map[string]any{"kind": "drive#modifyLabelsRequest", "labelModifications": []any{m}})
}

// choose is the modification that gives a label these choices; none = the field has no value.
func choose(l []string, choices []string) map[string]any {
	m := map[string]any{"labelId": l[0]}
	if len(l) == 3 {
		field := map[string]any{"fieldId": l[1], "setSelectionValues": choices}
		if len(choices) == 0 {
			field = map[string]any{"fieldId": l[1], "unsetValues": true}
		}
		m["fieldModifications"] = []any{field}
	}
	return m
}

// chosen are the choices that a label on a file has.
func chosen(row json.RawMessage, l []string) (list []string) {
	if len(l) == 3 {
		for c := range event.Elems(saas.Member(row, "fields", l[1], "selection")) {
			list = append(list, saas.Text(c))
		}
	}
	return list
}
