package googleworkspace

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	directory "google.golang.org/api/admin/directory/v1"
	reports "google.golang.org/api/admin/reports/v1"
	"google.golang.org/api/drive/v3"
	"google.golang.org/api/drivelabels/v2"
	"google.golang.org/api/googleapi"

	"github.com/longshore-dev/longshore/internal/sim"
)

var small = sim.Options{Seed: 17, Events: 3000, Users: 12, Files: 260, Late: 0.1, Start: time.Now().Add(-72 * time.Hour), Span: 24 * time.Hour,
	Limits: -1}

// TestGooglesClientsReadTheSame reads all that is published with Google's own clients.
func TestGooglesClientsReadTheSame(t *testing.T) {
	c, ctx := serve(t, small), t.Context()
	rep, err := reports.NewService(ctx, c.as(t, c.admin, "", "admin.reports.audit.readonly")...)
	must(t, err)
	for _, app := range []string{"login", "saml", "user_accounts", "drive", "chat", "meet", "calendar", "token", "takeout", "admin",
		"groups_enterprise", "rules", "context_aware_access", "access_evaluation"} {
		got := map[string]bool{}
		must(t, rep.Activities.List("all", app).MaxResults(100).Pages(ctx, func(p *reports.Activities) error {
			for _, a := range p.Items {
				got[a.Id.CustomerId+"/"+a.Id.ApplicationName+"/"+a.Id.Time+"/"+strings.TrimSpace(itoa(a.Id.UniqueQualifier))] = len(a.Events) > 0
			}
			return nil
		}))
		c.same(t, app, keys(got))
	}
	dir, err := directory.NewService(ctx, c.as(t, c.admin, "", "admin.directory.user.readonly", "admin.directory.group.readonly",
		"admin.directory.group.member.readonly", "admin.directory.rolemanagement.readonly", "admin.directory.user.security")...)
	must(t, err)
	users, grants, passwords, files := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	must(t, dir.Users.List().Customer("my_customer").Projection("full").OrderBy("email").MaxResults(5).Pages(ctx, func(p *directory.Users) error {
		for _, u := range p.Users {
			users[u.Id] = true
			tokens, err := dir.Tokens.List(u.Id).Do()
			must(t, err)
			for _, k := range tokens.Items {
				grants[u.Id+"/"+k.ClientId] = true
			}
			asps, err := dir.Asps.List(u.Id).Do()
			must(t, err)
			for _, k := range asps.Items {
				passwords[u.Id+"/"+itoa(k.CodeId)] = true
			}
			if !u.Suspended && !u.Archived {
				for _, f := range c.filesOf(t, u.PrimaryEmail, "") {
					files[f] = true
				}
			}
		}
		return nil
	}))
	groups, members := map[string]bool{}, map[string]bool{}
	must(t, dir.Groups.List().Customer("my_customer").MaxResults(3).Pages(ctx, func(p *directory.Groups) error {
		for _, g := range p.Groups {
			groups[g.Id] = true
			must(t, dir.Members.List(g.Id).MaxResults(2).Pages(ctx, func(p *directory.Members) error {
				for _, m := range p.Members {
					members[g.Id+"/"+m.Id] = true
				}
				return nil
			}))
		}
		return nil
	}))
	for stream, got := range map[string]map[string]bool{"users": users, "groups": groups, "group_members": members, "grants": grants,
		"app_passwords": passwords, "files": files} {
		c.same(t, stream, keys(got))
	}
	c.readDrives(t)
	c.conforms(t)
}

// readDrives reads the shared drives, as their managers, and the catalogue of labels.
func (c *customer) readDrives(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	d, err := drive.NewService(ctx, c.as(t, c.admin, "/drive/v3/", "drive.readonly")...)
	must(t, err)
	drives, files, labels := map[string]bool{}, map[string]bool{}, map[string]bool{}
	must(t, d.Drives.List().UseDomainAdminAccess(true).PageSize(1).Pages(ctx, func(p *drive.DriveList) error {
		for _, h := range p.Drives {
			drives[h.Id] = true
			perms, err := d.Permissions.List(h.Id).SupportsAllDrives(true).UseDomainAdminAccess(true).Fields("permissions(type,role,emailAddress)").Do()
			must(t, err)
			i := slices.IndexFunc(perms.Permissions, func(p *drive.Permission) bool { return p.Role == "organizer" && p.Type == "user" })
			if i < 0 {
				t.Fatalf("shared drive %s has no manager", h.Id)
			}
			for _, f := range c.filesOf(t, perms.Permissions[i].EmailAddress, h.Id) {
				files[f] = true
			}
		}
		return nil
	}))
	l, err := drivelabels.NewService(ctx, c.as(t, c.admin, "", "drive.admin.labels.readonly")...)
	must(t, err)
	must(t, l.Labels.List().UseAdminAccess(true).PublishedOnly(true).View("LABEL_VIEW_FULL").PageSize(1).Pages(ctx,
		func(p *drivelabels.GoogleAppsDriveLabelsV2ListLabelsResponse) error {
			for _, one := range p.Labels {
				labels[one.Id] = true
			}
			return nil
		}))
	c.same(t, "drives", keys(drives))
	c.same(t, "drive_files", keys(files))
	c.same(t, "labels", keys(labels))
}

// filesOf lists what a user owns, or what a shared drive holds, with all fields; and compares the content of some.
func (c *customer) filesOf(t *testing.T, subject, in string) (ids []string) {
	t.Helper()
	d, err := drive.NewService(t.Context(), c.as(t, subject, "/drive/v3/", "drive.readonly")...)
	must(t, err)
	list := d.Files.List().PageSize(4).Fields("*")
	if list = list.Q("'me' in owners"); in != "" {
		list = list.Q("").Corpora("drive").DriveId(in).IncludeItemsFromAllDrives(true).SupportsAllDrives(true)
	}
	must(t, list.Pages(t.Context(), func(p *drive.FileList) error {
		for i, f := range p.Files {
			if ids = append(ids, f.Id); i > 0 || f.Md5Checksum == "" {
				continue
			}
			resp, err := d.Files.Get(f.Id).SupportsAllDrives(true).Download()
			if e, ok := err.(*googleapi.Error); ok && e.Code == http.StatusForbidden {
				continue
			}
			must(t, err)
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if must(t, err); sum(b) != f.Md5Checksum || int64(len(b)) != f.Size {
				t.Errorf("the content of %s has another MD5 or size than the fake says", f.Id)
			}
		}
		return nil
	}))
	return ids
}

// same compares what was read with what was published.
func (c *customer) same(t *testing.T, stream string, got []string) {
	t.Helper()
	want := c.published(stream)
	if slices.Sort(got); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("%s: Google's client read %d, %d are published", stream, len(got), len(want))
	}
}

// TestGooglesClientsGovern does every action with Google's own clients.
func TestGooglesClientsGovern(t *testing.T) {
	c, ctx := serve(t, small), t.Context()
	dir, err := directory.NewService(ctx, c.as(t, c.admin, "", "admin.directory.user", "admin.directory.user.security")...)
	must(t, err)
	const user = "user4@contoso.example"
	for _, on := range []bool{true, false} {
		u, err := dir.Users.Update(user, &directory.User{Suspended: on, ForceSendFields: []string{"Suspended"}}).Do()
		if must(t, err); u.Suspended != on {
			t.Errorf("suspended is %v, want %v", u.Suspended, on)
		}
	}
	u, err := dir.Users.Update(user, &directory.User{ChangePasswordAtNextLogin: true}).Do()
	if must(t, err); !u.ChangePasswordAtNextLogin || u.PrimaryEmail != user {
		t.Errorf("the change of the password: %v of %s", u.ChangePasswordAtNextLogin, u.PrimaryEmail)
	}
	must(t, dir.Users.SignOut(user).Do())
	must(t, dir.TwoStepVerification.TurnOff(user).Do())
	c.revokeAll(t, dir)
	d, err := drive.NewService(ctx, c.as(t, "user3@contoso.example", "/drive/v3/", "drive")...)
	must(t, err)
	f, err := d.Files.Create(&drive.File{Name: "plan.txt", MimeType: "text/plain"}).Media(strings.NewReader("first")).Fields("*").Do()
	must(t, err)
	c.govern(t, d, f)
	c.conforms(t)
	for _, id := range []string{"directory.users.update", "directory.users.signOut", "directory.tokens.delete", "directory.asps.delete",
		"drive.files.create", "drive.files.update", "drive.files.copy", "drive.files.delete", "drive.permissions.create",
		"drive.permissions.update", "drive.permissions.delete", "drive.revisions.delete", "drive.files.modifyLabels", "drive.files.listLabels",
		"drive.changes.list"} {
		if c.done[id] == 0 {
			t.Errorf("%s was never answered with success", id)
		}
	}
}

// revokeAll takes all grants of apps and all app passwords.
func (c *customer) revokeAll(t *testing.T, dir *directory.Service) {
	t.Helper()
	for _, key := range c.published("grants") {
		id, client, _ := strings.Cut(key, "/")
		must(t, dir.Tokens.Delete(id, client).Do())
		if err := dir.Tokens.Delete(id, client).Do(); !is(err, http.StatusNotFound) {
			t.Errorf("a grant that is gone: %v, want 404", err)
		}
	}
	for _, key := range c.published("app_passwords") {
		id, code, _ := strings.Cut(key, "/")
		must(t, dir.Asps.Delete(id, number(code)).Do())
	}
	if n := len(c.published("grants")) + len(c.published("app_passwords")); n > 0 {
		t.Errorf("%d grants and passwords are left", n)
	}
}

// govern does all that is done to a file, as its owner.
func (c *customer) govern(t *testing.T, d *drive.Service, f *drive.File) {
	t.Helper()
	start, err := d.Changes.GetStartPageToken().Do()
	must(t, err)
	link, err := d.Permissions.Create(f.Id, &drive.Permission{Type: "anyone", Role: "writer"}).Do()
	must(t, err)
	if link.Id != "anyoneWithLink" {
		t.Errorf("a link has the permission %q", link.Id)
	}
	_, err = d.Permissions.Update(f.Id, link.Id, &drive.Permission{Role: "reader"}).Do()
	must(t, err)
	_, err = d.Permissions.Create(f.Id, &drive.Permission{Type: "domain", Domain: "contoso.example", Role: "reader"}).SendNotificationEmail(false).Do()
	must(t, err)
	must(t, d.Permissions.Delete(f.Id, link.Id).Do())
	if err := d.Permissions.Delete(f.Id, link.Id).Do(); !is(err, http.StatusNotFound) {
		t.Errorf("a permission that is gone: %v, want 404", err)
	}
	all, err := d.Permissions.List(f.Id).Fields("*").Do()
	if must(t, err); len(all.Permissions) != 2 {
		t.Errorf("%d permissions are left, want the owner's and the domain's", len(all.Permissions))
	}
	_, err = d.Files.Update(f.Id, &drive.File{CopyRequiresWriterPermission: true, ForceSendFields: []string{"WritersCanShare"},
		ContentRestrictions: []*drive.ContentRestriction{{ReadOnly: true, Reason: "held", OwnerRestricted: true}}}).Fields("*").Do()
	must(t, err)
	_, err = d.Files.Update(f.Id, &drive.File{ContentRestrictions: []*drive.ContentRestriction{{ReadOnly: false,
		ForceSendFields: []string{"ReadOnly"}}}}).Fields("*").Do()
	must(t, err)
	for _, on := range []bool{true, false} {
		now, err := d.Files.Update(f.Id, &drive.File{Trashed: on, ForceSendFields: []string{"Trashed"}}).Fields("trashed").Do()
		if must(t, err); now.Trashed != on {
			t.Errorf("trashed is %v, want %v", now.Trashed, on)
		}
	}
	_, err = d.Files.Update(f.Id, &drive.File{}).Media(strings.NewReader("withheld")).Fields("*").Do()
	must(t, err)
	revs, err := d.Revisions.List(f.Id).Fields("*").Do()
	if must(t, err); len(revs.Revisions) != 2 {
		t.Fatalf("%d revisions, want 2", len(revs.Revisions))
	}
	must(t, d.Revisions.Delete(f.Id, revs.Revisions[0].Id).Do())
	if err := d.Revisions.Delete(f.Id, revs.Revisions[1].Id).Do(); err == nil {
		t.Error("the only revision was deleted")
	}
	label := c.published("labels")
	_, err = d.Files.ModifyLabels(f.Id, &drive.ModifyLabelsRequest{LabelModifications: []*drive.LabelModification{{LabelId: label[0]}}}).Do()
	must(t, err)
	on, err := d.Files.ListLabels(f.Id).Do()
	if must(t, err); len(on.Labels) != 1 {
		t.Errorf("%d labels, want 1", len(on.Labels))
	}
	twin, err := d.Files.Copy(f.Id, &drive.File{Name: "twin.txt"}).Do()
	must(t, err)
	must(t, d.Files.Delete(twin.Id).Do())
	if _, err := d.Files.Get(twin.Id).Do(); !is(err, http.StatusNotFound) {
		t.Errorf("a deleted file: %v, want 404", err)
	}
	gone, there := 0, 0
	ch, err := d.Changes.List(start.StartPageToken).Fields("*").Do()
	must(t, err)
	for _, one := range ch.Changes {
		if one.Removed {
			gone++
		} else if one.FileId == f.Id && one.File.Name == "plan.txt" {
			there++
		}
	}
	if gone != 1 || there != 1 || ch.NewStartPageToken == "" {
		t.Errorf("changes: %d removed, %d of the file, want one each", gone, there)
	}
}
