package office365

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simJob is something that the tenant works at, until done.
type simJob struct {
	done     time.Time
	kind, id string // what it is, and what came of it
}

const simWorks = 2 * time.Second // how long a copy or a label takes

// simOn registers a route about an item.
type simOn func(pattern, rights string, h func(c *simCall, it *simItem) (int, any))

// itemRoutes are what shows and changes items.
func (s *simOrg) itemRoutes(add simAdd) {
	on := s.onItem(add)
	on("GET ", simReadFiles, func(c *simCall, it *simItem) (int, any) { return s.showItem(c, it) })
	on("GET /children", simReadFiles, func(c *simCall, it *simItem) (int, any) {
		return s.list(c, "Collection(driveItem)", simAll(s.children(it), func(x *simItem) simObj { return s.item(c.base, x) }), 200, 999)
	})
	on("POST /children", simWriteFiles, s.makeFolder)
	on("PATCH ", simWriteFiles, s.patchItem)
	on("DELETE ", simWriteFiles, func(_ *simCall, it *simItem) (int, any) {
		if it.parent == "" {
			return 0, simNo{http.StatusForbidden, "accessDenied", "Access denied"}
		}
		s.discard(it, "app@sharepoint", s.o.Now())
		return http.StatusNoContent, nil
	})
	on("POST /permanentDelete", simWriteFiles, func(_ *simCall, it *simItem) (int, any) {
		it.gone = true
		s.changedItem(it, false)
		return http.StatusNoContent, nil
	})
	on("POST /restore", simWriteFiles, func(*simCall, *simItem) (int, any) {
		return 0, simNo{http.StatusBadRequest, "notSupported", "Operation not supported"}
	})
	on("POST /copy", simWriteFiles, s.copyItem)
	s.contentRoutes(on, add)
	s.labelRoutes(on, add)
}

// onItem finds the item of a route.
func (s *simOrg) onItem(add simAdd) simOn {
	return func(pattern, rights string, h func(c *simCall, it *simItem) (int, any)) {
		method, rest, _ := strings.Cut(pattern, " ")
		add(method+" /v1.0/drives/{drive}/items/{item}"+rest, rights, func(c *simCall) (int, any) {
			it := s.items[strings.TrimSuffix(c.path("item"), ":")]
			if c.path("item") == "root" && s.driveOf(c.path("drive")) != nil {
				it = s.items[s.driveOf(c.path("drive")).root]
			}
			if it == nil || it.drive.id != c.path("drive") || !s.live(it) {
				return 0, simMissing
			}
			etag, ctag := it.tags()
			match, write := c.r.Header.Get("If-Match"), method != http.MethodGet && rest != "/extractSensitivityLabels"
			switch {
			case write && match != "" && match != "*" && match != etag && match != ctag:
				return 0, simNo{http.StatusPreconditionFailed, "resourceModified", "ETag does not match current item's value"}
			case write && s.odd.locked[it.id] && !strings.Contains(rest, "permissions"):
				return 0, simNo{http.StatusLocked, "resourceLocked", "The resource you are attempting to access is locked"}
			}
			return h(c, it)
		})
	}
}

func (s *simOrg) showItem(c *simCall, it *simItem) (int, any) {
	status, v := s.one(c, "drives('"+it.drive.id+"')/items/$entity", s.item(c.base, it), nil)
	if strings.Contains(c.query("$expand"), "permissions") {
		v.(simObj)["permissions"] = s.permissions(it)
	}
	return status, v
}

// discard puts an item into the recycle bin of its site.
func (s *simOrg) discard(it *simItem, by string, at time.Time) {
	it.binned = true
	s.made++
	s.bin = append(s.bin, &simBinned{id: s.uuid(57, s.made), item: it, by: by, at: at.UTC().Truncate(time.Second)})
	s.changedItem(it, false)
}

// touch says that the item changed now.
func (s *simOrg) touch(it *simItem, content bool) {
	it.etag++
	if it.modified = s.o.Now().UTC().Truncate(time.Second); content {
		it.ctag++
	}
	s.changedItem(it, false)
}

// free says whether the folder has no such name.
func (s *simOrg) free(folder *simItem, name string, itself *simItem) any {
	if name == "" || simName(name) != name {
		return simNo{http.StatusBadRequest, "invalidRequest", "The provided name cannot contain any of the invalid characters"}
	}
	if slices.ContainsFunc(s.children(folder), func(it *simItem) bool { return it != itself && strings.EqualFold(it.name, name) }) {
		return simNo{http.StatusConflict, "nameAlreadyExists", "An item with the same name already exists under the parent"}
	}
	return nil
}

// simMove is the body of a request that moves, renames or copies.
type simMove struct {
	Name      string
	Parent    *struct{ DriveID, ID string } `json:"parentReference"`
	Folder    *struct{}
	Conflict  string `json:"@microsoft.graph.conflictBehavior"`
	Versions  bool   `json:"includeAllVersionHistory"`
	ChildOnly bool   `json:"childrenOnly"`
}

func (s *simOrg) makeFolder(c *simCall, folder *simItem) (int, any) {
	in, no := simRead[simMove](c)
	switch {
	case no != nil:
		return 0, no
	case in.Folder == nil:
		return 0, simBad("A folder or file facet is required")
	}
	if no = s.free(folder, in.Name, nil); no != nil {
		i := slices.IndexFunc(s.children(folder), func(it *simItem) bool { return strings.EqualFold(it.name, in.Name) })
		if i >= 0 && in.Conflict == "replace" {
			return http.StatusOK, s.item(c.base, s.children(folder)[i])
		}
		return 0, no
	}
	it := s.place(folder.drive, &simItem{name: in.Name, parent: folder.id, folder: true, by: folder.by, created: s.o.Now().UTC()})
	s.changedItem(it, false)
	return http.StatusCreated, s.item(c.base, it)
}

// patchItem renames and moves within a drive.
func (s *simOrg) patchItem(c *simCall, it *simItem) (int, any) {
	in, no := simRead[simMove](c)
	if no != nil {
		return 0, no
	}
	folder, name := s.items[it.parent], it.name
	if in.Name != "" {
		name = in.Name
	}
	if in.Parent != nil && in.Parent.ID != "" {
		folder = s.items[in.Parent.ID]
		switch {
		case folder == nil || !folder.folder || !s.live(folder):
			return 0, simMissing
		case folder.drive != it.drive:
			return 0, simNo{http.StatusBadRequest, "notSupported", "Moving items between drives is not supported"}
		}
	}
	if folder == nil {
		return 0, simBad("The root cannot be changed")
	}
	if no = s.free(folder, name, it); no != nil {
		return 0, no
	}
	it.name, it.parent = name, folder.id
	s.touch(it, false)
	return s.showItem(c, it)
}

// copyItem begins to copy, and says where to ask how far it is. The copy has the permissions of its place.
func (s *simOrg) copyItem(c *simCall, it *simItem) (int, any) {
	in, no := simRead[simMove](c)
	if no != nil {
		return 0, no
	}
	folder, name := s.items[it.parent], it.name
	if in.Name != "" {
		name = in.Name
	}
	if in.Parent != nil && in.Parent.ID != "" {
		folder = s.items[in.Parent.ID]
	}
	if folder == nil || !folder.folder || !s.live(folder) || in.Parent != nil && in.Parent.DriveID != "" &&
		in.Parent.DriveID != folder.drive.id {
		return 0, simMissing
	}
	job := &simJob{done: s.o.Now().Add(simWorks), kind: "itemCopy"}
	if s.free(folder, name, nil) == nil {
		made := &simItem{name: name, parent: folder.id, folder: it.folder, by: folder.by, created: s.o.Now().UTC().Truncate(time.Second),
			label: it.label}
		versions := it.versions
		if !in.Versions && len(versions) > 0 {
			versions = versions[len(versions)-1:]
		}
		for i, v := range versions {
			one := *v
			one.id = strconv.Itoa(i+1) + ".0"
			made.versions = append(made.versions, &one)
		}
		s.changedItem(s.place(folder.drive, made), false)
		job.id = made.id
	}
	c.w.Header().Set("Location", s.work(c, job))
	return http.StatusAccepted, nil
}

// work gives the URL at which to ask for a job.
func (s *simOrg) work(c *simCall, job *simJob) string {
	id := s.fresh()
	s.jobs[id] = job
	return c.base + "/_api/v2.0/monitor/" + id
}

// monitor tells how far a job is. A token is none of its business.
func (s *simOrg) monitor(c *simCall) (int, any) {
	job := s.jobs[c.path("id")]
	switch {
	case job == nil:
		return 0, simMissing
	case s.o.Now().Before(job.done):
		return http.StatusAccepted, simObj{"operation": job.kind, "percentageComplete": 27.8, "status": "inProgress"}
	case job.id == "":
		return http.StatusOK, simObj{"operation": job.kind, "percentageComplete": 0, "status": "failed", "errorCode": "nameAlreadyExists",
			"error": simObj{"code": "nameAlreadyExists", "message": "Name already exists"}}
	}
	return http.StatusOK, simObj{"operation": job.kind, "percentageComplete": 100.0, "resourceId": job.id, "status": "completed"}
}

// signed is where a version can be downloaded without a token, for a while.
func (s *simOrg) signed(base string, it *simItem, version int) string {
	host := base
	if s.odd.downloads != "" {
		host = s.odd.downloads
	}
	until := s.o.Now().Add(time.Hour).Truncate(time.Hour).Add(time.Hour).Unix()
	return fmt.Sprintf("%s/download/%s/%s?until=%d&tempauth=%s", host, it.id, it.versions[version].id, until,
		s.signature(it.id+it.versions[version].id, until))
}

func (s *simOrg) signature(what string, until int64) string {
	return fmt.Sprintf("v1.%016x", sim.Hash(s.o.Seed, 65, sim.KeySum(what), uint64(until)))
}

// contentRoutes are what files hold.
func (s *simOrg) contentRoutes(on simOn, add simAdd) {
	version := func(c *simCall, it *simItem) int {
		return slices.IndexFunc(it.versions, func(v *simVersion) bool { return v.id == c.path("version") })
	}
	get := func(c *simCall, it *simItem, i int) (int, any) {
		if it.folder || i < 0 {
			return 0, simMissing
		}
		c.w.Header().Set("Location", s.signed(c.base, it, i))
		return http.StatusFound, nil
	}
	on("GET /content", simReadFiles, func(c *simCall, it *simItem) (int, any) { return get(c, it, len(it.versions)-1) })
	on("PUT /content", simWriteFiles, s.overwrite)
	on("PUT /{name}/content", simWriteFiles, s.upload)
	on("GET /versions", simReadFiles, func(c *simCall, it *simItem) (int, any) {
		rows := []simObj{}
		for _, v := range slices.Backward(it.versions) {
			_, size := v.measure()
			rows = append(rows, simObj{"id": v.id, "lastModifiedDateTime": simStamp(v.at), "size": size,
				"lastModifiedBy": simObj{"user": s.identity(it.by)}})
		}
		return s.list(c, "Collection(driveItemVersion)", rows, 200, 999)
	})
	on("GET /versions/{version}/content", simReadFiles, func(c *simCall, it *simItem) (int, any) { return get(c, it, version(c, it)) })
	on("POST /versions/{version}/restoreVersion", simWriteFiles, func(c *simCall, it *simItem) (int, any) {
		i := version(c, it)
		if i < 0 {
			return 0, simMissing
		}
		old := *it.versions[i]
		s.newVersion(it, &old)
		return http.StatusNoContent, nil
	})
	on("DELETE /versions/{version}", simWriteFiles, func(c *simCall, it *simItem) (int, any) {
		switch i := version(c, it); {
		case i < 0:
			return 0, simMissing
		case i == len(it.versions)-1:
			return 0, simBad("The current version cannot be deleted")
		default:
			it.versions = slices.Delete(it.versions, i, i+1)
		}
		return http.StatusNoContent, nil
	})
	add("GET /download/{item}/{version}", "", s.download)
}

func (s *simOrg) newVersion(it *simItem, v *simVersion) {
	last, _, _ := strings.Cut(it.versions[len(it.versions)-1].id, ".")
	n, _ := strconv.Atoi(last)
	v.id, v.at = strconv.Itoa(n+1)+".0", s.o.Now().UTC()
	it.versions = append(it.versions, v)
	s.touch(it, true)
}

// overwrite is a simple upload: a new version of the file, with the same id and the same shares.
func (s *simOrg) overwrite(c *simCall, it *simItem) (int, any) {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, 64<<20))
	if err != nil || it.folder {
		return 0, simBad("The content cannot be read, or the item is a folder")
	}
	s.newVersion(it, &simVersion{data: append([]byte{}, b...)})
	return s.showItem(c, it)
}

// upload puts a new file, or a new version of one, into a folder that the path names by its id.
func (s *simOrg) upload(c *simCall, folder *simItem) (int, any) {
	name, ok := strings.CutSuffix(c.path("name"), ":")
	if !ok || !folder.folder || !strings.HasSuffix(c.path("item"), ":") {
		return 0, simMissing
	}
	if i := slices.IndexFunc(s.children(folder), func(it *simItem) bool { return strings.EqualFold(it.name, name) }); i >= 0 {
		return s.overwrite(c, s.children(folder)[i])
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, 64<<20))
	if no := s.free(folder, name, nil); err != nil || no != nil {
		return 0, no
	}
	it := s.place(folder.drive, &simItem{name: name, parent: folder.id, by: folder.by, created: s.o.Now().UTC().Truncate(time.Second),
		versions: []*simVersion{{id: "1.0", data: append([]byte{}, b...), at: s.o.Now().UTC()}}})
	s.changedItem(it, false)
	_, v := s.showItem(c, it)
	return http.StatusCreated, v
}

// download is the content of a version.
func (s *simOrg) download(c *simCall) (int, any) {
	it := s.items[c.path("item")]
	until, _ := strconv.ParseInt(c.query("until"), 10, 64)
	i := -1
	if it != nil && !it.gone {
		i = slices.IndexFunc(it.versions, func(v *simVersion) bool { return v.id == c.path("version") })
	}
	switch {
	case c.r.Header.Get("Authorization") != "": // clients leave it at the host that sent them here
		return 0, simNo{http.StatusUnauthorized, "", "A token does not belong here."}
	case c.query("tempauth") != s.signature(c.path("item")+c.path("version"), until) || s.o.Now().Unix() > until:
		return 0, simNo{http.StatusUnauthorized, "", "The URL is wrong or has expired."}
	case i < 0:
		return 0, simMissing
	}
	b := it.versions[i].bytes()
	h := c.w.Header()
	h.Set("Content-Type", it.mime())
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": it.name}))
	var from, to int
	if n, _ := fmt.Sscanf(c.r.Header.Get("Range"), "bytes=%d-%d", &from, &to); n > 0 && from < len(b) {
		if to == 0 || to >= len(b) {
			to = len(b) - 1
		}
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(b)))
		return http.StatusPartialContent, append([]byte{}, b[from:to+1]...)
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	return http.StatusOK, append([]byte{}, b...)
}
