package office365

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simBinned is what lies in the recycle bin of a site.
type simBinned struct {
	id, by string
	item   *simItem
	at     time.Time
}

// simKept is for how long a bin keeps what is in it.
const simKept = 93 * 24 * time.Hour

// inBin are the items in the bin of a site, newest first.
func (s *simOrg) inBin(t *simSite) (out []*simBinned) {
	for _, b := range slices.Backward(s.bin) {
		if b.item.drive.site == t && s.o.Now().Sub(b.at) < simKept {
			out = append(out, b)
		}
	}
	return out
}

func (s *simOrg) binned(b *simBinned) simObj {
	it := b.item
	size, kind := 0, 5
	if !it.folder {
		_, size = it.versions[len(it.versions)-1].measure()
		kind = 1
	}
	dir := strings.TrimPrefix(it.drive.site.path, "/") + "/" + it.drive.library()
	for _, n := range s.names(s.items[it.parent]) {
		dir += "/" + n
	}
	by, author := s.identity(b.by), s.identity(it.by)
	return simObj{"Id": b.id, "Title": it.name, "LeafName": it.name, "DirName": dir, "ItemType": kind, "ItemState": 1,
		"Size":        strconv.Itoa(size),
		"DeletedDate": simStamp(b.at), "DeletedByName": by["displayName"], "DeletedByEmail": by["email"], "AuthorName": author["displayName"],
		"AuthorEmail": author["email"], "DeletedDateLocalFormatted": b.at.Format("1/2/2006 3:04 PM"),
		"DirNamePath":  simObj{"DecodedUrl": dir},
		"LeafNamePath": simObj{"DecodedUrl": it.name}}
}

// binRoutes are the pieces of SharePoint's own API.
// https://learn.microsoft.com/previous-versions/office/developer/sharepoint-rest-reference/dn531432(v=office.15)
func (s *simOrg) binRoutes(add simAdd) {
	const right = "Sites.FullControl.All"
	for _, kind := range []string{"sites", "personal"} {
		at := "/" + kind + "/{name}/_api/"
		on := func(pattern string, h func(c *simCall, t *simSite) (int, any)) {
			method, rest, _ := strings.Cut(pattern, " ")
			add(method+" "+at+rest, right, func(c *simCall) (int, any) {
				i := slices.IndexFunc(s.sites, func(t *simSite) bool { return t.path == "/"+kind+"/"+c.path("name") })
				if i < 0 {
					return 0, simNoFile
				}
				return h(c, s.sites[i])
			})
		}
		for _, scope := range []string{"site", "web"} {
			on("GET "+scope+"/{bin}", s.listBin)
			on("POST "+scope+"/{bin}/{op}", s.binAction)
		}
		on("POST web/{file}/versions/{op}", s.dropVersions)
		on("GET web", func(c *simCall, t *simSite) (int, any) {
			return http.StatusOK, simSelected(c, nil)(simObj{"Id": t.web, "Title": t.name, "Url": "https://" + s.host(t) + t.path})
		})
	}
}

var (
	simNoFile = simNo{http.StatusNotFound, "-2147024894, System.IO.FileNotFoundException", "File Not Found."}
	simNoVerb = simNo{http.StatusBadRequest, "-1, Microsoft.SharePoint.Client.ResourceNotFoundException",
		"Cannot find resource for the request."}
)

// listBin lists the bin of a site. Without $top it is all in one answer.
func (s *simOrg) listBin(c *simCall, t *simSite) (int, any) {
	if !strings.EqualFold(c.path("bin"), "RecycleBin") {
		return 0, simNoVerb
	}
	keep, err := simFilter(c.query("$filter"))
	if err != nil {
		return 0, simNo{http.StatusBadRequest, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", err.Error()}
	}
	rows := slices.DeleteFunc(simAll(s.inBin(t), s.binned), func(o simObj) bool { return !keep(o) })
	top, offset := len(rows), 0
	if n, err := strconv.Atoi(c.query("$top")); err == nil && n > 0 {
		top = n
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(c.query("$skiptoken"), "Paged=TRUE&p_ID=")); err == nil {
		offset = n
	}
	page, next := sim.Slice(rows, offset, top)
	out := simObj{"odata.metadata": c.base + t.path + "/_api/$metadata#SP.ApiData.RecycleBinItems", "value": append([]simObj{},
		simAll(page, simSelected(c, nil))...)}
	if next > 0 {
		out["odata.nextLink"] = simLink(c, "$skiptoken", "Paged=TRUE&p_ID="+strconv.Itoa(next))
	}
	return http.StatusOK, out
}

// simArgument is what stands between the quotes of name('…').
func simArgument(call, name string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(call), strings.ToLower(name)+"('")
	return strings.Trim(strings.TrimSuffix(rest, "')"), "{}"), ok && strings.HasSuffix(rest, "')")
}

// binAction restores or removes what is in the bin.
func (s *simOrg) binAction(c *simCall, t *simSite) (int, any) {
	ids, op := []string{}, strings.ToLower(strings.TrimSuffix(c.path("op"), "()"))
	id, one := simArgument(c.path("bin"), "RecycleBin")
	switch {
	case one:
		ids = append(ids, id)
	case strings.EqualFold(c.path("bin"), "RecycleBin") && op == "restorebyids":
		var in struct{ IDs []string }
		if err := json.NewDecoder(c.r.Body).Decode(&in); err != nil {
			return 0, simNo{http.StatusBadRequest, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", "The body is no JSON."}
		}
		ids, op = in.IDs, "restore"
	default:
		return 0, simNoVerb
	}
	for _, id := range ids {
		i := slices.IndexFunc(s.bin, func(b *simBinned) bool { return b.id == id && b.item.drive.site == t })
		if i < 0 {
			return 0, simNoFile
		}
		it := s.bin[i].item
		switch {
		case op == "deleteobject":
			it.gone = true
		case op != "restore":
			return 0, simNoVerb
		case s.free(s.items[it.parent], it.name, it) != nil:
			return 0, simNo{http.StatusBadRequest, "-2147024713, System.IO.IOException", "A file or folder with the name already exists."}
		default:
			it.binned = false
			s.changedItem(it, false)
		}
		s.bin = slices.Delete(s.bin, i, i+1)
	}
	return http.StatusOK, simObj{"odata.metadata": c.base + t.path + "/_api/$metadata#Edm.Null", "odata.null": true}
}

// dropVersions removes the old versions of a file.
func (s *simOrg) dropVersions(c *simCall, t *simSite) (int, any) {
	uid, ok := simArgument(c.path("file"), "GetFileById")
	if !ok || !strings.EqualFold(strings.TrimSuffix(c.path("op"), "()"), "DeleteAll") {
		return 0, simNoVerb
	}
	for _, it := range s.items {
		if strings.EqualFold(it.uid, uid) && it.drive.site == t && s.live(it) && !it.folder {
			it.versions = it.versions[len(it.versions)-1:]
			return http.StatusOK, simObj{"odata.metadata": c.base + t.path + "/_api/$metadata#Edm.Null", "odata.null": true}
		}
	}
	return 0, simNoFile
}
