package salesforce

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// shape is what can be seen of a file, without the ids of what shares it.
func (o *tenancy) shape(id string) string {
	o.Helper()
	owner := o.text("SELECT OwnerId FROM ContentDocument WHERE Id = "+quote(id), "OwnerId")
	var shares []string
	const of = " WHERE ContentDocumentId = "
	for _, row := range o.rows("SELECT LinkedEntityId, ShareType, Visibility FROM ContentDocumentLink" + of + quote(id)) {
		if to := saas.TextAt(row, "LinkedEntityId"); to != owner {
			shares = append(shares, to+" "+saas.TextAt(row, "ShareType")+" "+saas.TextAt(row, "Visibility"))
		}
	}
	for _, row := range o.rows("SELECT Name, PreferencesExpires, ExpiryDate FROM ContentDistribution" + of + quote(id)) {
		shares = append(shares, fmt.Sprintf("link %s %s", saas.TextAt(row, "Name"), saas.Member(row, "PreferencesExpires")))
	}
	slices.Sort(shares)
	return owner + ": " + strings.Join(shares, ", ")
}

// file is a file of which a question about what shares it finds a row.
func (o *tenancy) file(from, where string) string {
	o.Helper()
	id := o.text("SELECT ContentDocumentId FROM "+from+" WHERE "+where, "ContentDocumentId")
	if id == "" {
		o.Fatalf("no %s with %s", from, where)
	}
	return id
}

func TestFileActionsReachTheirState(t *testing.T) {
	governed(t, func(o *tenancy) {
		public := o.file("ContentDistribution", "PreferencesPasswordRequired = false")
		f := func(verb, id string, params map[string]string, gone ...string) {
			o.Helper()
			before := o.shape(id)
			p := o.acts().Do(verb, saas.Target{ID: id, Params: params})
			after := o.shape(id)
			for _, what := range gone {
				if strings.Contains(after, what) || !strings.Contains(before, what) {
					o.Errorf("%s: %q was to go: %s became %s", verb, what, before, after)
				}
			}
			if o.acts().Undo(p); o.shape(id) != before {
				o.Errorf("%s: undone, %s became %s", verb, before, o.shape(id))
			}
		}
		f(action.RemovePublicLink, public, nil, "link ")
		f(action.RestrictLink, public, nil, "false")
		f(action.QuarantineFile, public, nil, "link ")
		group := o.file("ContentDocumentLink", "ShareType = 'V' AND Visibility = 'AllUsers'")
		f(action.RestrictLink, group, map[string]string{"access": "company"}, "AllUsers")
		f(action.QuarantineFile, group, nil, "0F9")
		everyone := o.file("ContentDocumentLink", "Visibility = 'InternalUsers'")
		f(action.QuarantineFile, everyone, nil, "00D")
		colleague := o.rows("SELECT ContentDocumentId, LinkedEntityId FROM ContentDocumentLink WHERE ShareType = 'C'")[0]
		to := saas.TextAt(colleague, "LinkedEntityId")
		f(action.RemoveCollaborator, saas.TextAt(colleague, "ContentDocumentId"), map[string]string{"collaborator": to}, to)
		name := o.text("SELECT Username FROM User WHERE Id = "+quote(to), "Username")
		f(action.RemoveCollaborator, saas.TextAt(colleague, "ContentDocumentId"), map[string]string{"collaborator": name}, to)
		f(action.DeleteFile, group, nil)
	})
}

func TestFilesAreDeletedRestoredAndPurged(t *testing.T) {
	governed(t, func(o *tenancy) {
		bin := func(id string) string {
			at := &org{Config: defaults()}
			object := map[string]string{ofFile: "ContentDocument", ofAttachment: "Attachment", ofDocument: "Document"}[id[:3]]
			rows, err := at.all(o.Context(), o.tenant().Conn(), strings.Replace(
				at.query("SELECT IsDeleted FROM "+object+" WHERE Id = "+quote(id)), "/query?", "/queryAll?", 1))
			if err != nil {
				o.Fatal(err)
			}
			if len(rows) == 0 {
				return "gone"
			}
			return string(saas.Member(rows[0], "IsDeleted"))
		}
		for _, object := range []string{"ContentDocument", "Attachment", "Document"} {
			id := o.text("SELECT Id FROM "+object, "Id")
			o.acts().Undo(o.acts().Do(action.DeleteFile, saas.Target{ID: id}))
			o.acts().Do(action.DeleteFile, saas.Target{ID: id})
			if bin(id) != "true" {
				o.Errorf("%s %s is deleted: %s", object, id, bin(id))
			}
			p := o.acts().Do(action.RestoreFile, saas.Target{ID: "trash/" + id})
			if bin(id) != "false" {
				o.Errorf("%s %s is restored: %s", object, id, bin(id))
			}
			o.acts().Undo(p)
			if o.acts().Do(action.PurgeFile, saas.Target{ID: id}); bin(id) != "gone" {
				o.Errorf("%s %s is purged: %s", object, id, bin(id))
			}
		}
	})
}

func TestATombstoneLeavesNoOldVersion(t *testing.T) {
	governed(t, func(o *tenancy) {
		id := o.file("ContentDocumentLink", "ShareType = 'C'")
		before, _, _ := strings.Cut(o.shape(id), ", link") // which opens nothing after it
		title := o.text("SELECT Title FROM ContentDocument WHERE Id = "+quote(id), "Title")
		p := o.acts().Do(action.TombstoneFile, saas.Target{ID: id})
		if n := len(o.rows("SELECT Id FROM ContentVersion WHERE ContentDocumentId = " + quote(id))); n != 0 {
			o.Errorf("%d versions can still be read", n)
		}
		const find = "SELECT ContentDocumentId, Title, VersionData FROM ContentVersion WHERE ReasonForChange != null"
		notice := o.text(find, "ContentDocumentId")
		if o.shape(notice) != before || o.text(find, "Title") != title {
			o.Errorf("the notice is %q, shared with %s, want %q and %s", o.text(find, "Title"), o.shape(notice), title, before)
		}
		if o.acts().Undo(p); !strings.HasPrefix(o.shape(id), before) || len(o.rows(find)) != 0 {
			o.Errorf("undone, the file is shared with %s, want %s; %d notices", o.shape(id), before, len(o.rows(find)))
		}
	})
}
