package box

import (
	"cmp"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// touched says what an event makes due: the content of a file, the files of a user whose folder was shared or moved, and lists of
// accounts, groups and roles.
func touched(v *event.Values) []saas.Item {
	kind := v.Str(eKind)
	switch kind {
	case "NEW_USER", "EDIT_USER", "DELETE_USER":
		return []saas.Item{{Stream: "users"}}
	case "CHANGE_ADMIN_ROLE":
		return []saas.Item{{Stream: "users"}, {Stream: "privileges"}}
	case "GROUP_CREATION", "GROUP_DELETION", "GROUP_EDITED":
		return []saas.Item{{Stream: "groups"}}
	case "GROUP_ADD_USER", "GROUP_REMOVE_USER":
		id := cmp.Or(v.Str(sGroup), v.Str(dGroup))
		if v.Str(sType) == "group" {
			id = v.Str(sID)
		}
		if id == "" {
			return nil
		}
		return []saas.Item{{Stream: "group_members", Key: strings.Clone(id)}}
	}
	item, id, _ := itemOf(v)
	owner := v.Str(sOwner)
	switch {
	case !rescans[kind] && !strings.HasPrefix(kind, "COLLABORATION_"):
		return nil
	case item == "file" && id != "":
		return []saas.Item{contentItem(id, lead{As: owner})}
	case item == "folder" && owner != "" && !moves[kind]: // what a folder gives others, all in it does: its owner's files are walked
		return []saas.Item{{Stream: "files", Key: strings.Clone(owner)}}
	}
	return nil
}

// moves are those of the events below that do not change whom a folder is open to.
var moves = map[string]bool{"UPLOAD": true, "EDIT": true, "RENAME": true, "ITEM_MODIFY": true}

// rescans are the events after which the content or the exposure of a file may be another, beside those of collaborations.
var rescans = map[string]bool{"UPLOAD": true, "EDIT": true, "COPY": true, "MOVE": true, "UNDELETE": true, "RENAME": true,
	"FILE_VERSION_RESTORE": true, "ITEM_MODIFY": true, "ITEM_SHARED_UPDATE": true, "SHARE": true, "UNSHARE": true, "SHARE_EXPIRATION": true,
	"UPDATE_SHARE_EXPIRATION": true, "METADATA_INSTANCE_CREATE": true, "METADATA_INSTANCE_UPDATE": true, "METADATA_INSTANCE_DELETE": true}
