package office365

import (
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// leads says which streams an activity makes due.
var leads = map[string]string{"user": "users", "password": "", "role": "roles", "group": "groups", "owner": "groups", "app": "app_grants"}

// touched says which parts a record of the feed makes due: what it changed of accounts, groups, privileges and grants, and the file
// that was shared. That a file changed its drive tells sooner; of shares a library's drive may say nothing.
func touched(v *event.Values) (items []saas.Item) {
	class := classOf(v.Str(rOperation))
	if stream := leadOf(class.Activity); stream != "" && v.Str(rWorkload) == "AzureActiveDirectory" {
		items = append(items, saas.Item{Stream: stream})
		if group := changed(v.Bytes(rModified), "Group.ObjectID"); strings.HasPrefix(class.Activity, "group_member") && group != "" {
			items = append(items, saas.Item{Stream: "group_members", Key: strings.Clone(group)})
		}
	}
	if at := v.Str(rObject); shares[class.Activity] && strings.HasPrefix(at, "https://") && v.Str(rItemType) == "File" {
		items = append(items, saas.Item{Stream: "content", Key: shareOf(at)})
	}
	return items
}

// touchedByAudit says the same of an audit of the directory.
func touchedByAudit(v *event.Values) []saas.Item {
	if stream := leadOf(classOf(v.Str(dName)).Activity); stream != "" {
		return []saas.Item{{Stream: stream}}
	}
	return nil
}

func leadOf(activity string) string {
	what, _, _ := strings.Cut(activity, "_")
	return leads[what]
}

// shares are the activities that change whom a file is open to.
var shares = map[string]bool{"share_public": true, "link_create": true, "link_change": true, "link_remove": true, "collab_add": true,
	"collab_remove": true}

// shareOf is a URL as Graph takes it for an id. https://learn.microsoft.com/graph/api/shares-get
func shareOf(at string) string { return "u!" + saas.Base64URL([]byte(at)) }
