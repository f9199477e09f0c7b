package googleworkspace

import (
	"maps"
	"slices"
	"testing"

	"google.golang.org/api/drive/v3"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/saas/saastest"
	"github.com/longshore-dev/longshore/receivers/googleworkspace"
)

// quarantine is a shared drive that the administrator manages, as Google's own client finds it.
func (c *customer) quarantine(t *testing.T) string {
	t.Helper()
	api := c.drive(t, c.admin)
	for _, id := range c.published("drives") {
		list, err := api.Permissions.List(id).SupportsAllDrives(true).Fields("permissions(role,emailAddress)").Do()
		if err == nil && slices.ContainsFunc(list.Permissions, func(p *drive.Permission) bool {
			return p.EmailAddress == c.admin && p.Role == "organizer"
		}) {
			return id
		}
	}
	t.Fatal("the administrator manages no shared drive")
	return ""
}

// drive is Google's own client of Drive, for somebody.
func (c *customer) drive(t *testing.T, subject string) *drive.Service {
	t.Helper()
	d, err := drive.NewService(t.Context(), c.as(t, subject, "/drive/v3/", "drive.readonly")...)
	must(t, err)
	return d
}

// target is something that actions are tried on.
type target struct {
	id, owner string
}

// TestOurActionsAreAsGoogleDescribesThem does every action, on what it can be done to, and takes back what can be: each request and each
// answer is as the discovery documents say.
func TestOurActionsAreAsGoogleDescribesThem(t *testing.T) {
	c := serve(t, small)
	c.poll(t, map[string]any{"streams": saastest.Only(t, &googleworkspace.Provider, "labels"), "quarantine_drive": c.quarantine(t),
		"labels": map[string]string{"Internal": "zDNSensitivityLabelOfContoso4pQxFFFbbFcb/SensitivityFieldQ/ChoiceInternB"}})
	tenant := saastest.TenantOf(t, "google_workspace", "contoso")
	acts := &saastest.Acts{T: t, Tenant: tenant, Changes: func() int { return c.Seen.Writes() - c.Seen.Count("POST", "/token", 0) }}
	var files []target
	for _, id := range c.published("users") {
		var u struct{ PrimaryEmail string }
		must(t, saas.Get(t.Context(), tenant.Conn(), "/admin/directory/v1/users/"+id, &u))
		list, err := c.drive(t, u.PrimaryEmail).Files.List().Q("'me' in owners").Fields("files(id)").Do()
		if err != nil {
			continue // nobody can act for who is suspended
		}
		for _, f := range list.Files {
			files = append(files, target{f.Id, u.PrimaryEmail})
		}
	}
	try := func(verb string, of []target, params map[string]string) {
		t.Helper()
		for _, x := range of {
			to := saas.Target{ID: x.id, Params: map[string]string{"owner.email": x.owner}}
			maps.Copy(to.Params, params)
			if _, err := acts.Plan(verb, to); err != nil { // there is nothing to do to it
				continue
			}
			p := acts.Do(verb, to)
			if act, _ := tenant.Action(verb); act.Irreversible == "" {
				acts.Undo(p)
			}
			return
		}
		t.Errorf("%s could be done to none of %d", verb, len(of))
	}
	listed := func(stream string) (out []target) {
		for _, id := range c.published(stream) {
			out = append(out, target{id: id})
		}
		return out
	}
	for _, verb := range []string{action.SuspendUser, action.RestoreUser, action.ExpirePassword, action.ResetPassword, action.ResetFactors} {
		try(verb, listed("users"), nil)
	}
	try(action.RevokeGrant, listed("grants"), nil)
	try(action.RevokeToken, listed("app_passwords"), nil)
	try(action.RevokeSessions, listed("users"), nil)
	try(action.RestrictLink, files, map[string]string{"access": "company"})
	try(action.ApplyLabel, files, map[string]string{"label": "Internal"})
	for _, verb := range []string{action.RemovePublicLink, action.RemoveCollaborator, action.QuarantineFile, action.DeleteFile,
		action.RestoreFile, action.TombstoneFile, action.PurgeFile} {
		try(verb, files, nil)
	}
	c.conforms(t)
}
