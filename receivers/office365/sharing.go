package office365

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// opens says whether a permission is a link of one of the scopes.
func (p *permission) opens(scopes ...string) bool {
	return p.Link != nil && slices.Contains(scopes, p.Link.Scope)
}

// keep puts the file's own permissions into the plan. What a folder gives is to be removed there.
func keep(wide func(p *permission) bool) func(ctx context.Context, h *hand) error {
	return func(ctx context.Context, h *hand) error {
		own, inherited, err := h.permissions(ctx, h.now)
		if err != nil {
			return err
		}
		h.was.Permissions = own
		for _, p := range inherited {
			if !slices.ContainsFunc(own, func(p permission) bool { return wide(&p) }) && wide(&p) {
				return saas.Refuse("file %s has it from the folder at %s: it is to be removed there", h.now.ID, p.Inherited.Path)
			}
		}
		return nil
	}
}

// without removes permissions of the file.
func (h *hand) without(ctx context.Context, which func(p *permission) bool) error {
	own, _, err := h.permissions(ctx, h.now)
	for _, p := range own {
		if err == nil && which(&p) {
			err = h.change(ctx, http.MethodDelete, "/permissions/"+step(p.ID), "", nil)
		}
	}
	return err
}

// none says whether the file has no such permission any more.
func (h *hand) none(ctx context.Context, which func(p *permission) bool) (bool, error) {
	if h.now == nil {
		return true, nil
	}
	own, _, err := h.permissions(ctx, h.now)
	return !slices.ContainsFunc(own, func(p permission) bool { return which(&p) }), err
}

// link makes a link; one that is there already is given.
func (h *hand) link(ctx context.Context, kind, scope string) (p permission, err error) {
	body, err := json.Marshal(map[string]any{"type": kind, "scope": scope, "retainInheritedPermissions": true})
	if err == nil {
		err = h.change(ctx, http.MethodPost, "/createLink", string(body), &p)
	}
	return p, err
}

// bringBack gives the file again what it had and lacks.
func (h *hand) bringBack(ctx context.Context, which func(p *permission) bool) (lost []string, err error) {
	if h.now == nil {
		return nil, saas.Refuse("file %s is gone", h.was.ID)
	}
	own, _, err := h.permissions(ctx, h.now)
	for _, p := range h.was.Permissions {
		if err != nil {
			return lost, err
		}
		if !which(&p) || slices.ContainsFunc(own, func(o permission) bool { return o.ID == p.ID }) {
			continue
		}
		if p.Link == nil || p.Link.Scope == "users" {
			err = h.invite(ctx, p.who(), p.Roles)
			continue
		}
		var made permission
		if made, err = h.link(ctx, p.Link.Type, p.Link.Scope); err != nil {
			continue
		}
		if made.Link != nil && made.Link.URL != p.Link.URL {
			lost = append(lost, "the address of the link, "+p.Link.URL)
		}
		if p.Password {
			lost = append(lost, "the password of the link: Microsoft tells nobody")
		}
		if p.Expires != "" && p.Link.Scope == "anonymous" {
			err = h.change(ctx, http.MethodPatch, "/permissions/"+step(made.ID), string(saas.Join("expirationDateTime", saas.Quote(p.Expires))), nil)
		}
	}
	return lost, err
}

// invite gives people a role again, without a mail to them.
func (h *hand) invite(ctx context.Context, who, roles []string) error {
	var to []map[string]string
	for _, name := range who {
		if strings.Contains(name, "@") {
			to = append(to, map[string]string{"email": name})
		}
	}
	role := "read"
	if slices.Contains(roles, "write") {
		role = "write"
	}
	if len(to) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"recipients": to, "roles": []string{role}, "requireSignIn": true, "sendInvitation": false})
	if err != nil {
		return err
	}
	return h.change(ctx, http.MethodPost, "/invite", string(body), nil)
}

func isPublic(p *permission) bool { return p.opens("anonymous") }

var removeLink = fileAction{verb: action.RemovePublicLink, docs: graphDocs + "permission-delete", plan: keep(isPublic),
	done: func(ctx context.Context, h *hand) (bool, error) { return h.none(ctx, isPublic) },
	do:   func(ctx context.Context, h *hand) error { return h.without(ctx, isPublic) },
	undo: func(ctx context.Context, h *hand) ([]string, error) { return h.bringBack(ctx, isPublic) }}

// wider are links that open to more than is wanted: company or, by default, those who are named.
func wider(h *hand) func(p *permission) bool {
	if h.p.Target.Params["access"] == "company" {
		return isPublic
	}
	return func(p *permission) bool { return p.opens("anonymous", "organization") }
}

// restrictLink lets links open to fewer: a link's scope cannot be changed, so that another takes its place.
var restrictLink = fileAction{verb: action.RestrictLink, docs: graphDocs + "driveitem-createlink",
	plan: func(ctx context.Context, h *hand) error {
		if to := cmp.Or(h.p.Target.Params["access"], "collaborators"); to != "company" && to != "collaborators" {
			return saas.Refuse("access: %q, want company or collaborators", to)
		}
		return keep(wider(h))(ctx, h)
	},
	done: func(ctx context.Context, h *hand) (bool, error) { return h.none(ctx, wider(h)) },
	do: func(ctx context.Context, h *hand) error {
		for _, p := range h.was.Permissions {
			if !isPublic(&p) || h.p.Target.Params["access"] != "company" {
				continue
			}
			if _, err := h.link(ctx, p.Link.Type, "organization"); err != nil {
				return err
			}
		}
		return h.without(ctx, wider(h))
	},
	undo: func(ctx context.Context, h *hand) ([]string, error) {
		lost, err := h.bringBack(ctx, wider(h))
		had := func(p permission) bool { return p.opens("organization") }
		if err == nil && !slices.ContainsFunc(h.was.Permissions, had) {
			err = h.without(ctx, func(p *permission) bool { return had(*p) })
		}
		return lost, err
	}}

// meant says whether a permission is for somebody whom a target means: one by his name, or everybody from outside.
func (h *hand) meant(ctx context.Context) (func(p *permission) bool, error) {
	name := h.p.Target.Params["collaborator"]
	var own []string
	if name == "" {
		var err error
		if own, err = h.domains(ctx, h.conn); err != nil {
			return nil, err
		}
		if len(own) == 0 {
			return nil, saas.Refuse("the tenant's domains are not known, by which those from outside are told: consent to Directory.Read.All")
		}
	}
	return func(p *permission) bool {
		if p.Link != nil && p.Link.Scope != "users" || slices.Contains(p.Roles, "owner") {
			return false
		}
		return slices.ContainsFunc(p.who(), func(who string) bool {
			_, domain, ok := strings.Cut(strings.ToLower(who), "@")
			return name == "" && ok && !slices.Contains(own, domain) || name != "" && (strings.EqualFold(who, name) || p.of(name))
		})
	}, nil
}

// of says whether a permission is for the one with this id.
func (p *permission) of(id string) bool { return p.To != nil && p.To.User != nil && p.To.User.ID == id }

// removeCollaborator ends what one person may do with a file, or everybody from outside. Who else was let in by the same link is
// invited anew.
var removeCollaborator = fileAction{verb: action.RemoveCollaborator, docs: graphDocs + "permission-delete",
	plan: func(ctx context.Context, h *hand) error {
		is, err := h.meant(ctx)
		if err != nil {
			return err
		}
		return keep(is)(ctx, h)
	},
	done: func(ctx context.Context, h *hand) (bool, error) {
		is, err := h.meant(ctx)
		if err != nil {
			return false, err
		}
		return h.none(ctx, is)
	},
	do: func(ctx context.Context, h *hand) error {
		is, err := h.meant(ctx)
		if err != nil {
			return err
		}
		for _, p := range h.was.Permissions {
			if !is(&p) || len(p.who()) < 2 {
				continue
			}
			rest := slices.DeleteFunc(p.who(), func(who string) bool {
				one := p
				one.To, one.Many, one.Invited = &grantee{User: &person{Mail: who}}, nil, nil
				return is(&one)
			})
			if err := h.invite(ctx, rest, p.Roles); err != nil {
				return err
			}
		}
		return h.without(ctx, is)
	},
	undo: func(ctx context.Context, h *hand) ([]string, error) {
		is, err := h.meant(ctx)
		if err != nil {
			return nil, err
		}
		return h.bringBack(ctx, is)
	}}
