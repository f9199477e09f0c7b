package googleworkspace

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const maxNamed = 100 // recipients and domains that a record names

// share is who beside its owner reaches a file.
type share struct {
	Visibility string   `json:"visibility"`
	Role       string   `json:"role,omitempty"`       // the most that anybody may do
	Recipients []string `json:"recipients,omitempty"` // outsiders first
	Domains    []string `json:"domains,omitempty"`    // of outsiders
}

// permission is one of a file.
type permission struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Role      string `json:"role"`
	Email     string `json:"emailAddress,omitempty"`
	Domain    string `json:"domain,omitempty"`
	Discovery bool   `json:"allowFileDiscovery,omitempty"`
	Expires   string `json:"expirationTime,omitempty"`
	Deleted   bool   `json:"deleted,omitempty"`
	View      string `json:"view,omitempty"`
	Details   []struct {
		Inherited bool   `json:"inherited"`
		From      string `json:"inheritedFrom,omitempty"`
	} `json:"permissionDetails,omitempty"`
}

var (
	opens  = []string{"private", "org", "link", "public"}
	powers = []string{"", "viewer", "editor", "owner"}
)

func more(ranks []string, a, b string) string {
	if slices.Index(ranks, b) > slices.Index(ranks, a) {
		return b
	}
	return a
}

// shareOf is what permissions give, the owner's own left out.
func shareOf(list []json.RawMessage, own map[string]bool) share {
	s := share{Visibility: "private"}
	var insiders []string
	for _, raw := range list {
		var p permission
		if json.Unmarshal(raw, &p) != nil || p.Deleted || p.Role == "owner" {
			continue
		}
		s.Role = more(powers, s.Role, roles[p.Role])
		who, outside := cmp.Or(p.Email, p.Domain), p.outside(own)
		switch {
		case p.Type == "anyone" && p.Discovery:
			s.Visibility = more(opens, s.Visibility, "public")
		case p.Type == "anyone":
			s.Visibility = more(opens, s.Visibility, "link")
		case p.Type == "domain" && !outside:
			s.Visibility = more(opens, s.Visibility, "org")
		}
		switch {
		case who == "":
		case outside:
			s.Recipients = union(s.Recipients, who)
			s.Domains = union(s.Domains, cmp.Or(domainOf(p.Email), strings.ToLower(p.Domain)))
		case p.Type != "domain":
			insiders = union(insiders, who)
		}
	}
	for _, who := range insiders {
		s.Recipients = union(s.Recipients, who)
	}
	return s
}

func union(list []string, s string) []string {
	if len(list) >= maxNamed || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// outside says whether a permission is for somebody who is not of the customer.
func (p *permission) outside(own map[string]bool) bool {
	domain := cmp.Or(domainOf(p.Email), strings.ToLower(p.Domain))
	return domain != "" && !own[domain]
}

// Slots of the tables of files and shared drives. The key comes first.
const (
	fID = iota
	fName
	fMIME
	fSHA256
	fSHA1
	fMD5
	fHead
	fVersion
	fTrashed
	fDrive
	fOwner
	fParent
	fShare
	fAs
	fLabels
)

const (
	dID = iota
	dName
	dShare
	dHidden
)

var (
	fileFields = event.Table{
		fID: {"file.id", "saas.file.id"}, fName: {"file.name", "file.name entity.name"}, fMIME: {"file.mimeType", "file.mime_type"},
		fSHA256: {"file.sha256Checksum", "file.hash.sha256"}, fSHA1: {"file.sha1Checksum", "file.hash.sha1"},
		fMD5: {"file.md5Checksum", "file.hash.md5"}, fHead: {"file.headRevisionId", ""}, fVersion: {"file.version", ""},
		fTrashed: {"file.trashed", ""}, fDrive: {"file.driveId", ""}, fOwner: {"file.owners[0].emailAddress", "saas.file.owner.email"},
		fParent: {"file.parents[0]", ""}, fShare: {"share", ""}, fAs: {"as", ""}, fLabels: {"file.labelInfo.labels", ""},
		{"file.owners[0].displayName", "file.owner"}, {"file.size", "file.size"}, {"file.fileExtension", "file.extension"},
		{"file.createdTime", "file.created entity.lifecycle.created"}, {"file.modifiedTime", "file.mtime entity.lifecycle.changed"},
		{"file.webViewLink", "url.original"},
	}
	driveFields = event.Table{
		dID: {"drive.id", "saas.container.id"}, dName: {"drive.name", "saas.container.name entity.name"}, dShare: {"share", ""},
		dHidden: {"drive.hidden", ""}, {"drive.createdTime", "entity.lifecycle.created"}, {"drive.orgUnitId", "saas.entity.path"},
	}
)

func putShare(r *event.Record, raw json.RawMessage) {
	var s share
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return
	}
	r.Str("saas.share.visibility", s.Visibility)
	r.Str("saas.share.role", s.Role)
	r.Strs("saas.share.recipients", s.Recipients...)
	r.Strs("saas.share.external_domains", s.Domains...)
}

// mapFile maps a file or folder.
func (f *files) mapFile(v *event.Values, add func() *event.Record) error {
	mime := v.Str(fMIME)
	kind := "file"
	if mime == folder {
		kind = "container"
	}
	r := saas.NewEntity(add, kind, v.Str(fID), "file", "info")
	r.Str("entity.sub_type", strings.TrimPrefix(mime, google))
	if kind == "file" {
		r.Str("file.type", "file")
	} else {
		r.Str("file.type", "dir")
	}
	if hasContent(mime) {
		r.Str("saas.file.version", cmp.Or(v.Str(fHead), v.Str(fVersion)))
	}
	if trashed, _ := v.Bool(fTrashed); trashed {
		r.Str("saas.entity.status", "trashed")
	}
	parent := v.Str(fParent)
	if parent != "" {
		r.Relate("part_of", "container", parent)
	}
	if drive := v.Str(fDrive); drive != "" { // by which somebody is found who may act
		r.Str("saas.container.id", drive)
		r.Str("saas.container.type", "drive")
	} else if parent != "" {
		r.Str("saas.container.id", parent)
		r.Str("saas.container.type", "folder")
	}
	putShare(r, v.Bytes(fShare))
	for l := range event.Elems(v.Bytes(fLabels)) {
		r.Strs("saas.file.labels", f.labelNames(l)...)
	}
	return nil
}

// labelNames are the names in the configuration of a label on a file.
func (c *Config) labelNames(raw json.RawMessage) (names []string) {
	id := saas.TextAt(raw, "id")
	for name, s := range c.Labels {
		parts, err := readLabel(s)
		if err != nil || parts[0] != id {
			continue
		}
		if len(parts) == 1 || slices.ContainsFunc(slices.Collect(event.Elems(saas.Member(raw, "fields", parts[1], "selection"))),
			func(choice json.RawMessage) bool { return saas.Text(choice) == parts[2] }) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		names = []string{id}
	}
	slices.Sort(names)
	return names
}

// mapDriveEntity maps a shared drive.
func mapDriveEntity(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "container", v.Str(dID), "file", "info")
	r.Str("entity.sub_type", "shared_drive")
	r.Str("saas.container.type", "drive")
	putShare(r, v.Bytes(dShare))
	return nil
}

// ofDrive: its files and, where it is asked for, its changes.
func (f *files) ofDrive(v *event.Values) []saas.Item {
	l := lead{Drive: strings.Clone(v.Str(dID))}
	items := []saas.Item{l.item("drive_files", l.Drive)}
	if f.Files.FollowDrives {
		items = append(items, l.item("drive_changes", l.Drive))
	}
	return items
}

// contentOf asks for the content of a file that was listed, if it has any.
func contentOf(v *event.Values) []saas.Item {
	mime := v.Str(fMIME)
	if !hasContent(mime) {
		return nil
	}
	it := contentItem(v.Str(fID), lead{As: v.Str(fAs), Drive: v.Str(fDrive)})
	switch version := cmp.Or(v.Str(fHead), v.Str(fVersion)); {
	case v.Str(fSHA256) != "":
		it.Hash = "sha256:" + v.Str(fSHA256)
	case v.Str(fSHA1) != "":
		it.Hash = "sha1:" + v.Str(fSHA1)
	case v.Str(fMD5) != "":
		it.Hash = "md5:" + v.Str(fMD5)
	case version != "":
		it.Hash = v.Str(fID) + "@" + version
	}
	return []saas.Item{it}
}
