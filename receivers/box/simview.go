package box

import (
	"path"
	"strings"
	"time"
)

// simView is how a user sees items. It is good for one request.
type simView struct {
	t    *simTree
	user string

	paths map[string][]obj // of folders, by the folder
	of    *simItem         // the file that sum and size are of
	sum   string
	size  int
}

// What is shown of items in lists, and besides that of one item.
var (
	simMini = map[string][]string{"file": {"sequence_id", "name", "sha1", "file_version"}, "folder": {"sequence_id", "name"},
		"web_link": {"sequence_id", "name", "url"}}
	simUsual = strings.Fields(`description size path_collection created_at modified_at trashed_at purged_at content_created_at
		content_modified_at created_by modified_by owned_by shared_link parent item_status`)
	simStandard = map[string][]string{"file": simUsual, "folder": append([]string{"folder_upload_email"}, simUsual...),
		"web_link": strings.Fields(`description path_collection created_at modified_at trashed_at purged_at created_by modified_by
		owned_by shared_link parent item_status`)}
)

func simTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return simStamp(t)
}

// item shows the fields of an item; what it has not is left out.
func (v *simView) item(it *simItem, fields []string) obj {
	out := obj{"type": it.kind, "id": it.id, "etag": itoa(it.etag)}
	if it.id == "0" {
		out["etag"] = nil
	}
	for _, name := range fields {
		x, ok := v.field(it, name)
		if !ok && it.kind == "file" {
			x, ok = v.fileField(it, name)
		}
		if ok {
			out[name] = x
		}
	}
	return out
}

// field is a field that all items have.
func (v *simView) field(it *simItem, name string) (any, bool) {
	switch name {
	case "name":
		return it.name, true
	case "sequence_id":
		if it.id == "0" {
			return nil, true
		}
		return itoa(it.etag), true
	case "description":
		return "", true
	case "size":
		return 0, it.kind == "folder"
	case "url":
		return "https://intranet.contoso.example/" + it.id, it.kind == "web_link"
	case "folder_upload_email":
		return nil, true
	case "created_by":
		return v.t.person(it.maker), true
	case "modified_by":
		return v.t.person(it.by), true
	case "owned_by":
		return v.t.person(v.t.ownerOf(it)), true
	case "shared_link":
		if !it.trashed.IsZero() {
			return nil, true
		}
		return it.link.json(it), true
	case "item_status":
		if it.trashed.IsZero() {
			return "active", true
		}
		return "trashed", true
	case "has_collaborations":
		return len(v.t.collabs(it)) > 0, it.kind != "web_link"
	case "is_externally_owned":
		return v.t.ownerOf(it) == simPartner.id, it.kind != "web_link"
	case "classification":
		return simClassShown(it.class), it.kind != "web_link"
	case "permissions":
		return v.permissions(it), it.kind != "web_link"
	case "parent":
		if it.id == "0" {
			return nil, true
		}
		way := v.path(it.parent)
		return way[len(way)-1], true
	case "path_collection":
		way := []obj{}
		if !it.trashed.IsZero() {
			way = []obj{{"type": "folder", "id": "1", "sequence_id": nil, "etag": nil, "name": "Trash"}}
		} else if it.id != "0" {
			way = v.path(it.parent)
		}
		return obj{"total_count": len(way), "entries": way}, true
	}
	return v.timeField(it, name)
}

func (v *simView) timeField(it *simItem, name string) (any, bool) {
	switch name {
	case "created_at", "content_created_at":
		return simStamp(it.made), true
	case "modified_at", "content_modified_at":
		return simStamp(it.edited), true
	case "trashed_at":
		return simTime(it.trashed), true
	case "purged_at":
		return nil, true
	}
	return nil, false
}

// fileField is a field that only files have.
func (v *simView) fileField(it *simItem, name string) (any, bool) {
	last := len(it.versions) - 1
	switch name {
	case "sha1", "size", "file_version":
		if v.of != it {
			v.of = it
			v.sum, v.size = simSum(it.versions[last].bytes())
		}
		switch name {
		case "sha1":
			return v.sum, true
		case "size":
			return v.size, true
		}
		return obj{"type": "file_version", "id": it.versions[last].id, "sha1": v.sum}, true
	case "version_number":
		return itoa(last + 1), true
	case "extension":
		return strings.TrimPrefix(path.Ext(it.name), "."), true
	case "comment_count":
		return 0, true
	case "lock":
		return nil, true
	case "uploader_display_name":
		return v.t.people[it.versions[last].by].name, true
	}
	return nil, false
}

// version shows a version of a file in full.
func (v *simView) version(it *simItem, i int) obj {
	at := it.versions[i]
	sum, size := simSum(at.bytes())
	return obj{"type": "file_version", "id": at.id, "sha1": sum, "name": it.name, "size": size, "created_at": simStamp(at.at),
		"modified_at": simStamp(at.at), "modified_by": v.t.person(at.by), "trashed_at": simTime(at.trashed), "purged_at": nil,
		"uploader_display_name": v.t.people[at.by].name, "version_number": itoa(i + 1)}
}

// path is the way from the user's root to a folder, the folder included: what he cannot see is left out.
func (v *simView) path(folder string) []obj {
	if way, ok := v.paths[folder]; ok {
		return way
	}
	if v.paths == nil {
		v.paths = map[string][]obj{}
	}
	way := []obj{{"type": "folder", "id": "0", "sequence_id": nil, "etag": nil, "name": "All Files"}}
	if f := v.t.get(folder); f != nil && v.t.role(v.user, f) != "" {
		up := v.path(f.parent)
		way = append(up[:len(up):len(up)], v.item(f, simMini["folder"]))
	}
	v.paths[folder] = way
	return way
}

// permissions are what the user may do.
func (v *simView) permissions(it *simItem) obj {
	rank := simRank(v.t.role(v.user, it))
	edit, read, all := rank >= simRank("editor"), rank >= simRank("viewer"), rank >= simRank("co-owner")
	out := obj{"can_delete": edit, "can_download": read, "can_invite_collaborator": edit, "can_rename": edit, "can_set_share_access": all,
		"can_share": edit, "can_upload": edit}
	if it.kind == "file" {
		for _, name := range []string{"can_annotate", "can_comment", "can_preview", "can_view_annotations_all", "can_view_annotations_self"} {
			out[name] = read
		}
	}
	return out
}

// source is the item as events name it.
func (v *simView) source(it *simItem) obj {
	out := obj{"item_type": it.kind, "item_id": it.id, "item_name": it.name, "owned_by": v.t.person(v.t.ownerOf(it))}
	out["parent"], _ = v.field(it, "parent")
	if parent, ok := out["parent"].(obj); ok {
		out["parent"] = obj{"type": "folder", "id": parent["id"], "name": parent["name"]}
	}
	if it.class != "" {
		out["classification"] = obj{"name": it.class}
	}
	return out
}
