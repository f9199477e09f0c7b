package salesforce

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// unpublish are the requests that take public links away.
func (o *org) unpublish(d *document) (steps []saas.Req) {
	for _, p := range d.Public {
		steps = append(steps, remove(o.object("ContentDistribution", p.ID)))
	}
	return steps
}

// publish are the requests that make public links again which a file lacks. Each has another address then, and no password.
func (o *org) publish(d *document, public []distribution) (steps []saas.Req) {
	for _, p := range public {
		if slices.ContainsFunc(d.Public, func(q distribution) bool { return q.Name == p.Name }) {
			continue
		}
		fields := map[string]any{"ContentVersionId": p.ContentVersionID, "Name": p.Name, "PreferencesExpires": p.PreferencesExpires,
			"PreferencesAllowOriginalDownload": p.PreferencesAllowOriginalDownload, "PreferencesPasswordRequired": p.PreferencesPasswordRequired,
			"PreferencesLinkLatestVersion": p.PreferencesLinkLatestVersion}
		if p.PreferencesExpires {
			fields["ExpiryDate"] = p.ExpiryDate
		}
		steps = append(steps, o.post("ContentDistribution", fields))
	}
	return steps
}

func (o *org) removeLink() fileAction {
	return fileAction{verb: action.RemovePublicLink,
		steps: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, _, now *document) ([]saas.Req, error) {
			return o.unpublish(now), nil
		},
		back: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, was, now *document) ([]saas.Req, error) {
			return o.publish(now, was.Public), nil
		}}
}

// restrictLink lets public links expire, which keeps their addresses, and hides what is shared with records and groups from customers
// and partners.
func (o *org) restrictLink() fileAction {
	const all, inside = "AllUsers", "InternalUsers"
	open := func(l link) bool { return l.Visibility == all && !strings.HasPrefix(l.LinkedEntityID, ofLibrary) }
	return fileAction{verb: action.RestrictLink,
		steps: func(_ context.Context, _ *saas.Conn, p *saas.Plan, _, now *document) (steps []saas.Req, err error) {
			if to := p.Target.Params["access"]; to != "" && to != "company" && to != "collaborators" {
				return nil, saas.Refuse("access: %q, want company or collaborators", to)
			}
			at := o.cred.setup.Now()
			for _, d := range now.Public {
				if !d.expires(at) {
					steps = append(steps, patch(o.object("ContentDistribution", d.ID), map[string]any{"PreferencesExpires": true,
						"ExpiryDate": at.UTC().Truncate(time.Second).Format(time.RFC3339)}))
				}
			}
			for _, l := range now.Links {
				if open(l) {
					steps = append(steps, patch(o.object("ContentDocumentLink", l.ID), map[string]any{"Visibility": inside}))
				}
			}
			return steps, nil
		},
		back: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, was, now *document) (steps []saas.Req, err error) {
			for _, d := range was.Public {
				i := slices.IndexFunc(now.Public, func(e distribution) bool { return e.ID == d.ID })
				if i < 0 || now.Public[i].PreferencesExpires == d.PreferencesExpires && now.Public[i].ExpiryDate == d.ExpiryDate {
					continue
				}
				fields := map[string]any{"PreferencesExpires": d.PreferencesExpires, "ExpiryDate": nil}
				if d.ExpiryDate != "" {
					fields["ExpiryDate"] = d.ExpiryDate
				}
				steps = append(steps, patch(o.object("ContentDistribution", d.ID), fields))
			}
			for _, l := range was.Links {
				if slices.ContainsFunc(now.Links, func(m link) bool { return m.ID == l.ID && m.Visibility == inside }) && open(l) {
					steps = append(steps, patch(o.object("ContentDocumentLink", l.ID), map[string]any{"Visibility": all}))
				}
			}
			return steps, nil
		}}
}

// removeCollaborator ends what a file is shared with: with one that a target names, by id, user name or address, else with everybody
// from outside: customers, partners and guests.
func (o *org) removeCollaborator() fileAction {
	return fileAction{verb: action.RemoveCollaborator,
		prepare: func(ctx context.Context, conn *saas.Conn, t saas.Target, was *document) error {
			meant := t.Params["collaborator"]
			var ids []string
			for _, l := range was.Links {
				if strings.HasPrefix(l.LinkedEntityID, ofUser) {
					ids = append(ids, l.LinkedEntityID)
				}
			}
			of := map[string]bool{longID(meant): true}
			if len(ids) > 0 && !isID(meant) {
				rows, err := o.all(ctx, conn, o.query("SELECT Id,Username,Email,UserType FROM User WHERE Id"+in(ids)))
				if err != nil {
					return err
				}
				for _, row := range rows {
					named := strings.EqualFold(meant, saas.TextAt(row, "Username")) || strings.EqualFold(meant, saas.TextAt(row, "Email"))
					of[saas.TextAt(row, "Id")] = meant != "" && named || meant == "" && outsider(saas.TextAt(row, "UserType"))
				}
			}
			was.Links = slices.DeleteFunc(was.Links, func(l link) bool { return !of[l.LinkedEntityID] })
			return nil
		},
		steps: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, was, now *document) (steps []saas.Req, err error) {
			for _, l := range now.Links {
				if slices.ContainsFunc(was.Links, func(m link) bool { return m.LinkedEntityID == l.LinkedEntityID }) {
					steps = append(steps, remove(o.object("ContentDocumentLink", l.ID)))
				}
			}
			return steps, nil
		},
		back: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, was, now *document) ([]saas.Req, error) {
			return o.share(now, was.Links), nil
		}}
}

// quarantine takes away all that a file is shared by and gives it another owner, the configured user or the agent's own. Nothing is
// copied: the file keeps its id and versions, and the plan what it was shared by.
func (o *org) quarantine() fileAction {
	own := func(d *document, user string) saas.Req {
		return patch(o.object("ContentDocument", d.ID), map[string]any{"OwnerId": user})
	}
	return fileAction{verb: action.QuarantineFile,
		steps: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, _, now *document) ([]saas.Req, error) {
			steps := o.unpublish(now)
			for _, l := range now.Links {
				steps = append(steps, remove(o.object("ContentDocumentLink", l.ID)))
			}
			keeper := longID(o.QuarantineUser)
			if keeper == "" {
				keeper = o.cred.me().user
			}
			if now.OwnerID != keeper {
				steps = append(steps, own(now, keeper))
			}
			return steps, nil
		},
		back: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, was, now *document) ([]saas.Req, error) {
			if now.OwnerID != was.OwnerID {
				return []saas.Req{own(now, was.OwnerID)}, nil
			}
			return append(o.share(now, was.Links), o.publish(now, was.Public)...), nil
		}}
}
