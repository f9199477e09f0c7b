package office365

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

func (s *simOrg) site(t *simSite) simObj {
	return simObj{"id": s.host(t) + "," + t.id + "," + t.web, "name": t.path[strings.LastIndexByte(t.path, '/')+1:], "displayName": t.name,
		"createdDateTime": simStamp(t.created), "lastModifiedDateTime": simStamp(t.created), "webUrl": "https://" + s.host(t) + t.path,
		"isPersonalSite": t.owner != nil, "siteCollection": simObj{"hostname": s.host(t)}, "root": simObj{}}
}

// type of a drive, as Graph says it.
func (d *simDrive) kind() string {
	if d.site.owner != nil {
		return "business"
	}
	return "documentLibrary"
}

func (s *simOrg) drive(d *simDrive) simObj {
	t := d.site
	o := simObj{"id": d.id, "name": "Documents", "driveType": d.kind(), "createdDateTime": simStamp(t.created), "description": "",
		"lastModifiedDateTime": simStamp(t.created), "webUrl": "https://" + s.host(t) + t.path + "/" + url.PathEscape(d.library()),
		"quota": simObj{"deleted": 0, "remaining": 1 << 40, "state": "normal", "total": 1<<40 + 1<<20, "used": 1 << 20},
		"owner": simObj{"group": simObj{"displayName": t.name}}}
	if t.owner != nil {
		o["name"], o["owner"] = "OneDrive", simObj{"user": s.identity(t.owner.id)}
	}
	return o
}

// identity is a person as files name them.
func (s *simOrg) identity(id string) simObj {
	if u, ok := s.byID[id].(*simUser); ok {
		return simObj{"id": u.id, "displayName": u.name, "email": u.mail}
	}
	return simObj{"displayName": id, "email": id}
}

func (s *simOrg) place2(it *simItem) simObj { return s.reference(s.items[it.parent]) }

// reference names a folder.
func (s *simOrg) reference(it *simItem) simObj {
	d := it.drive
	path := "/drives/" + d.id + "/root:"
	for _, n := range s.names(it) {
		path += "/" + url.PathEscape(n)
	}
	return simObj{"driveId": d.id, "driveType": d.kind(), "id": it.id, "name": it.name, "path": path,
		"siteId": s.host(d.site) + "," + d.site.id + "," + d.site.web}
}

func (it *simItem) tags() (etag, ctag string) {
	uid := strings.ToUpper(it.uid)
	return fmt.Sprintf("%q", "{"+uid+"},"+strconv.Itoa(it.etag)), fmt.Sprintf("%q", "c:{"+uid+"},"+strconv.Itoa(it.ctag))
}

// item is a file or a folder as Graph shows it.
func (s *simOrg) item(base string, it *simItem) simObj {
	etag, ctag := it.tags()
	by := simObj{"user": s.identity(it.by)}
	o := simObj{"id": it.id, "name": it.name, "eTag": etag, "cTag": ctag, "createdDateTime": simStamp(it.created), "createdBy": by,
		"lastModifiedDateTime": simStamp(it.modified), "lastModifiedBy": by, "webUrl": s.url(it), "size": 0,
		"fileSystemInfo": simObj{"createdDateTime": simStamp(it.created), "lastModifiedDateTime": simStamp(it.modified)},
		"sharepointIds": simObj{"siteId": it.drive.site.id, "webId": it.drive.site.web, "listId": it.drive.list, "listItemUniqueId": it.uid,
			"siteUrl": "https://" + s.host(it.drive.site) + it.drive.site.path, "tenantId": s.id}}
	switch {
	case it.parent == "":
		o["root"] = simObj{}
		o["parentReference"] = simObj{"driveId": it.drive.id, "driveType": it.drive.kind()}
	default:
		o["parentReference"] = s.place2(it)
	}
	if it.folder {
		o["folder"] = simObj{"childCount": len(s.children(it))}
	} else {
		sum, size := it.versions[len(it.versions)-1].measure()
		o["size"], o["file"] = size, simObj{"mimeType": it.mime(), "hashes": simObj{"quickXorHash": sum}}
		o["@microsoft.graph.downloadUrl"] = s.signed(base, it, len(it.versions)-1)
	}
	if scope := s.scope(it); scope != "" {
		o["shared"] = simObj{"scope": scope}
	}
	return o
}

func (it *simItem) mime() string {
	if v := it.versions[len(it.versions)-1]; v.data == nil {
		return v.doc.Kind.MIME
	}
	return "application/octet-stream"
}

func (s *simOrg) children(folder *simItem) (out []*simItem) {
	for _, id := range folder.drive.items {
		if it := s.items[id]; it.parent == folder.id && !it.binned && !it.gone {
			out = append(out, it)
		}
	}
	return out
}

const (
	simReadFiles  = "Files.Read.All Files.ReadWrite.All Sites.Read.All"
	simWriteFiles = "Files.ReadWrite.All Sites.ReadWrite.All"
)

// driveRoutes are sites, drives and what changed in them.
func (s *simOrg) driveRoutes(add simAdd) {
	add("GET /v1.0/sites/getAllSites", "Sites.Read.All", func(c *simCall) (int, any) {
		return s.list(c, "sites", simAll(s.sites, s.site), 200, 999)
	})
	site := func(h func(c *simCall, t *simSite) (int, any)) func(c *simCall) (int, any) {
		return func(c *simCall) (int, any) {
			i := slices.IndexFunc(s.sites, func(t *simSite) bool {
				id := c.path("site")
				return id == t.id || id == s.host(t)+","+t.id+","+t.web
			})
			if i < 0 {
				return 0, simMissing
			}
			return h(c, s.sites[i])
		}
	}
	add("GET /v1.0/sites/{site}", "Sites.Read.All", site(func(c *simCall, t *simSite) (int, any) {
		return s.one(c, "sites/$entity", s.site(t), nil)
	}))
	add("GET /v1.0/sites/{site}/drives", simReadFiles, site(func(c *simCall, t *simSite) (int, any) {
		return s.list(c, "drives", []simObj{s.drive(t.drive)}, 200, 999)
	}))
	add("GET /v1.0/sites/{site}/drive", simReadFiles, site(func(c *simCall, t *simSite) (int, any) {
		return s.one(c, "drives/$entity", s.drive(t.drive), nil)
	}))
	for _, name := range []string{"drive", "drives"} {
		add("GET /v1.0/users/{id}/"+name, simReadFiles, func(c *simCall) (int, any) {
			u, _ := s.byID[c.path("id")].(*simUser)
			i := slices.IndexFunc(s.sites, func(t *simSite) bool { return u != nil && t.owner == u })
			switch {
			case i < 0 && u != nil:
				return 0, simNo{http.StatusNotFound, "ResourceNotFound", "User's mysite not found."}
			case i < 0:
				return 0, simNo{http.StatusNotFound, "ResourceNotFound", "Resource could not be discovered."}
			case name == "drives":
				return s.list(c, "drives", []simObj{s.drive(s.sites[i].drive)}, 200, 999)
			}
			return s.one(c, "drives/$entity", s.drive(s.sites[i].drive), nil)
		})
	}
	drive := func(h func(c *simCall, d *simDrive) (int, any)) func(c *simCall) (int, any) {
		return func(c *simCall) (int, any) {
			if d := s.driveOf(c.path("drive")); d != nil {
				return h(c, d)
			}
			return 0, simMissing
		}
	}
	add("GET /v1.0/drives/{drive}", simReadFiles, drive(func(c *simCall, d *simDrive) (int, any) {
		return s.one(c, "drives/$entity", s.drive(d), nil)
	}))
	add("GET /v1.0/drives/{drive}/root", simReadFiles, drive(func(c *simCall, d *simDrive) (int, any) {
		return s.one(c, "drives('"+d.id+"')/root/$entity", s.item(c.base, s.items[d.root]), nil)
	}))
	add("GET /v1.0/drives/{drive}/root/delta", simReadFiles, drive(s.driveDelta))
}

// simMissing is what SharePoint says of what is not there.
var simMissing = simNo{http.StatusNotFound, "itemNotFound", "The resource could not be found."}

func (s *simOrg) driveOf(id string) *simDrive {
	if i := slices.IndexFunc(s.drives, func(d *simDrive) bool { return d.id == id }); i >= 0 {
		return s.drives[i]
	}
	return nil
}

// simDeltaPage is how many items a page of a delta query holds.
const simDeltaPage = 200

// driveDelta lists everything, or what changed since a token or a moment. An item comes once for each change.
// https://learn.microsoft.com/graph/api/driveitem-delta
func (s *simOrg) driveDelta(c *simCall, d *simDrive) (int, any) {
	top, no := simTop(c, simDeltaPage, 1000)
	if no != nil {
		return 0, no
	}
	token, end := c.query("token"), d.gone+len(d.log)
	switch {
	case strings.Contains(c.query("$expand"), "permissions"):
		return 0, simNo{http.StatusBadRequest, "notSupported", "Operation not supported"}
	case token == "":
		return s.deltaPage(c, d, d.live(s), 0, top, end)
	case token == "latest":
		return s.deltaPage(c, d, nil, 0, top, end)
	}
	var kind string
	var from, offset, upTo int
	if since, err := time.Parse(time.RFC3339, token); err == nil {
		changed := slices.DeleteFunc(d.live(s), func(ch simChange) bool { return s.items[ch.id].modified.Before(since) })
		return s.deltaPage(c, d, changed, 0, top, end)
	}
	if n, err := fmt.Sscanf(token, "aTE0%1s%d.%d.%d", &kind, &from, &offset, &upTo); err != nil || n != 4 || from > end {
		return 0, simNo{http.StatusBadRequest, "invalidRequest", "The provided token is not valid."}
	}
	switch {
	case kind == "f": // the rest of a listing
		return s.deltaPage(c, d, d.live(s), offset, top, upTo)
	case from < d.gone || s.odd.resync:
		c.w.Header().Set("Location", c.base+c.r.URL.EscapedPath()+"?token=aTE0f0.0."+strconv.Itoa(end))
		return 0, simNo{http.StatusGone, "resyncRequired", "Resync required. Replace any local items with the server's version (including " +
			"deletes) if you're sure that the service was up to date with your local changes when you last sync'd. Upload any local changes " +
			"that the server doesn't know about."}
	}
	return s.deltaPage(c, d, d.log[from-d.gone:], offset, top, end)
}

// live are the items of the drive, as changes. It holds deleted ones too, so that offsets stay.
func (d *simDrive) live(*simOrg) (out []simChange) {
	for _, id := range d.items {
		out = append(out, simChange{id: id})
	}
	return out
}

// deltaPage shows changes from an offset on; upTo is the place in the log from which the query that follows begins.
func (s *simOrg) deltaPage(c *simCall, d *simDrive, changes []simChange, offset, top, upTo int) (int, any) {
	full := c.query("token") == "" || strings.HasPrefix(c.query("token"), "aTE0f")
	page, next := sim.Slice(changes, offset, top)
	rows, show := []simObj{}, simSelected(c, nil)
	marked := strings.Contains(strings.Join(c.r.Header.Values("Prefer"), ","), "deltashowsharingchanges") && !s.odd.unmarked
	for _, ch := range page {
		it := s.items[ch.id]
		switch {
		case s.live(it):
			row := show(s.item(c.base, it))
			for name := range row { // facets that an item does not have are absent
				if row[name] == nil {
					delete(row, name)
				}
			}
			if ch.shared && marked {
				row["@microsoft.graph.sharedChanged"] = true
			}
			rows = append(rows, row)
		case !full:
			rows = append(rows, simObj{"id": it.id, "deleted": simObj{"state": "deleted"}, "parentReference": simObj{"driveId": d.id,
				"driveType": d.kind(), "id": it.parent}})
		}
	}
	out := simObj{"@odata.context": simContext + "Collection(driveItem)", "value": rows}
	if next > 0 {
		kind, from := "f", 0
		if !full {
			kind = "d"
			_, _ = fmt.Sscanf(c.query("token"), "aTE0d%d.", &from)
		}
		out["@odata.nextLink"] = simLink(c, "token", fmt.Sprintf("aTE0%s%d.%d.%d", kind, from, next, upTo))
	} else {
		out["@odata.deltaLink"] = simLink(c, "token", fmt.Sprintf("aTE0d%d.0.0", upTo))
	}
	return http.StatusOK, out
}
