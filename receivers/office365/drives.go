package office365

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	sitesURL   = "/sites/getAllSites?$select=id,name,displayName,webUrl,createdDateTime,isPersonalSite&$top=200"
	driveQuery = "/drives?$select=id,name,driveType,webUrl,owner,quota,createdDateTime"
)

// Slots of the tables of sites and drives.
const (
	tID = iota
	tURL
	tName
)
const (
	vID = iota
	vURL
	vOwner
	vType
	vName
	vMail
)

var (
	siteFields = event.Table{
		tID: {"id", "saas.container.id"}, tURL: {"webUrl", "url.original"}, tName: {"displayName", "entity.name saas.container.name"},
		{"createdDateTime", "entity.lifecycle.created"},
	}
	driveFields = event.Table{
		vID: {"id", "saas.container.id"}, vURL: {"webUrl", "url.original"}, vOwner: {"owner.user.id", "saas.file.owner.id"},
		vType: {"driveType", "entity.sub_type"}, vName: {"owner.user.displayName", "file.owner"},
		vMail: {"owner.user.email", "saas.file.owner.email"}, {"name", "entity.name saas.container.name"},
		{"createdDateTime", "entity.lifecycle.created"},
	}
)

// teamSites leaves out the sites of people: their drives are found by their owners.
func teamSites(p *saas.Reply) saas.Rows {
	return saas.Sift(values(p), func(row json.RawMessage) json.RawMessage {
		if string(saas.Member(row, "isPersonalSite")) == "true" {
			return nil
		}
		return row
	})
}

func ofSite(v *event.Values) []saas.Item {
	return []saas.Item{{Stream: "site_drives", Key: strings.Clone(v.Str(tID))}}
}

func mapSite(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "container", v.Str(tID), "file", "info")
	r.Str("entity.sub_type", "site")
	r.Str("saas.container.type", "site")
	return nil
}

// pollDrives lists the drives of a person or a site. A person may have none.
func pollDrives(of string) saas.PollFunc {
	return func(ctx context.Context, r *saas.Run) error {
		err := saas.List(first("/"+of+"/"+step(r.Item().Key)+driveQuery), values, nextLink)(ctx, r)
		if saas.Is(err, saas.Missing) {
			return r.Whole(nil)
		}
		return err
	}
}

func mapDrive(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "container", v.Str(vID), "file", "info")
	r.Str("saas.container.type", "drive")
	if owner := v.Str(vOwner); owner != "" {
		r.Relate("owned_by", "user", owner)
	}
	return nil
}

// ofDrive are the files of a drive and the recycle bin of its site. owner is whose drive it is; nobody's for a team's.
func (t *tenant) ofDrive(v *event.Values) []saas.Item {
	data, _ := json.Marshal(owner{strings.Clone(v.Str(vOwner)), strings.Clone(v.Str(vMail)), strings.Clone(v.Str(vName))})
	items := []saas.Item{{Stream: "files", Key: strings.Clone(v.Str(vID)), Data: data}}
	if site := siteOf(v.Str(vURL)); site != "" && !t.Files.SkipTrash {
		items = append(items, saas.Item{Stream: "recycled", Key: site})
	}
	return items
}

// owner is whose drive it is, as far as items of it do not tell.
type owner struct {
	ID   string `json:"id,omitempty"`
	Mail string `json:"mail,omitempty"`
	Name string `json:"name,omitempty"`
}

// siteOf is the URL of the site that a drive belongs to: all but its last step.
func siteOf(webURL string) string {
	u, err := url.Parse(webURL)
	if err != nil || u.Host == "" {
		return ""
	}
	path := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	return "https://" + strings.Join(append([]string{u.Host}, path[:len(path)-1]...), "/")
}

// Slots of recycledFields.
const (
	bID = iota
	bType
	bName
	bDir
)

// recycledFields are of what lies in a recycle bin: {"item", "site"}.
var recycledFields = event.Table{
	bID: {"item.Id", ""}, bType: {"item.ItemType", ""}, bName: {"item.LeafName", "file.name entity.name"}, bDir: {"item.DirName", ""},
	{"item.Size", "file.size"}, {"item.DeletedDate", "entity.lifecycle.deleted"}, {"item.AuthorEmail", "saas.file.owner.email"},
	{"item.AuthorName", "file.owner"}, {"item.DeletedByEmail", "user.email"}, {"item.DeletedByName", "user.full_name"},
	{"site", "saas.container.id"},
}

// pollRecycled lists the recycle bin of a site.
func (t *tenant) pollRecycled(ctx context.Context, r *saas.Run) error {
	site := r.Item().Key
	q, err := t.atSite(site, "site/RecycleBin?$top=1000")
	if err != nil {
		return err
	}
	rows := func(p *saas.Reply) saas.Rows {
		return saas.Sift(values(p), func(row json.RawMessage) json.RawMessage { return saas.Join("item site", row, saas.Quote(site)) })
	}
	next := func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
		link := saas.Req{URL: binLink(p), As: q.As}
		return link, link.URL != ""
	}
	return saas.List(func(*saas.Run) saas.Req { return q }, rows, next)(ctx, r)
}

// binLink leads to the page that follows, as either version of the protocol writes it.
func binLink(p *saas.Reply) string {
	return cmp.Or(p.Field("odata.nextLink"), p.Field("@odata.nextLink"))
}

// inBin is before the id of what lies in a recycle bin.
const inBin = "bin/"

func mapRecycled(v *event.Values, add func() *event.Record) error {
	kind, file := "file", "file"
	if v.Str(bType) != "1" { // 5 a folder
		kind, file = "container", "dir"
	}
	r := saas.NewEntity(add, kind, inBin+v.Str(bID), "file", "info")
	r.Str("file.type", file)
	if kind == "file" {
		r.Str("saas.file.id", inBin+v.Str(bID))
		r.Str("file.extension", extension(v.Str(bName)))
	}
	r.Str("file.path", strings.TrimSuffix(v.Str(bDir), "/")+"/"+v.Str(bName))
	r.Str("saas.container.type", "site")
	r.Str("saas.entity.status", "trashed")
	return nil
}
