package googleworkspace

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// What is asked of files and permissions. What changes by looking at a file is not among it.
const (
	permissionFields = "id,type,role,emailAddress,domain,allowFileDiscovery,expirationTime,deleted,view,permissionDetails"
	fileFieldsWanted = "id,name,mimeType,size,md5Checksum,sha1Checksum,sha256Checksum,createdTime,modifiedTime,version,headRevisionId," +
		"fileExtension,trashed,explicitlyTrashed,shared,ownedByMe,driveId,parents,webViewLink,owners(emailAddress,permissionId,displayName)," +
		"hasAugmentedPermissions,copyRequiresWriterPermission,writersCanShare,contentRestrictions,labelInfo,permissions(" + permissionFields + ")"
	google = "application/vnd.google-apps."
	folder = google + "folder"
)

// files reads the files of users and shared drives, each as somebody who may.
type files struct {
	*Config
	domains saas.Kept[map[string]bool]
}

// lead is what files are found by: on whose behalf, and in which shared drive.
type lead struct {
	As    string `json:"as,omitempty"`
	Drive string `json:"drive,omitempty"`
}

func (l lead) item(stream, key string) saas.Item {
	return saas.Item{Stream: stream, Key: strings.Clone(key), As: l.As, Data: json.RawMessage(encode(l))}
}

// contentItem asks for the content of a file, whoever found it.
func contentItem(id string, l lead) saas.Item {
	l.As, l.Drive = strings.Clone(l.As), strings.Clone(l.Drive)
	return l.item("content", id)
}

// of is the lead of the part being read.
func of(r *saas.Run) (l lead) {
	_ = json.Unmarshal(r.Item().Data, &l) // which item wrote
	return l
}

func (f *files) streams() []saas.Stream {
	drive := reference + "drive/api/reference/rest/v3/"
	need := []string{readDrive + "|" + editDrive}
	ofFiles := func(s saas.Stream) saas.Stream {
		s.Kind, s.Needs, s.Fields, s.Key, s.Map, s.Items = saas.Files, need, fileFields, saas.KeyOf(1), f.mapFile, contentOf
		return s
	}
	all := []saas.Stream{
		{Name: "drives", Kind: saas.Grants, Every: 6 * time.Hour, Needs: need, Gives: []saas.Capability{saas.PeriodicDLP, saas.SharingControl},
			Docs: drive + "drives/list", Fields: driveFields, Key: saas.KeyOf(1), Map: mapDriveEntity, Items: f.ofDrive, Poll: f.readDrives},
		ofFiles(saas.Stream{Name: "files", Over: "users", Every: f.Files.ScanEvery, Width: 8, Docs: drive + "files/list",
			Gives: []saas.Capability{saas.PeriodicDLP, saas.SharingControl}, Poll: perUser(f.readOwned)}),
		ofFiles(saas.Stream{Name: "drive_files", Over: "drives", Every: f.Files.ScanEvery, Width: 8, Docs: drive + "files/list",
			Gives: []saas.Capability{saas.PeriodicDLP, saas.SharingControl}, Poll: perUser(f.readDrive)}),
		ofFiles(saas.Stream{Name: "content", Over: "files", Width: 24, Abreast: 4, Docs: drive + "files/get",
			Gives: []saas.Capability{saas.PeriodicDLP, saas.RealTimeDLP}, Poll: f.readOne}),
	}
	all[3].Kind, all[3].Items = saas.Content, nil
	if len(f.Files.Follow) > 0 {
		all = append(all, ofFiles(saas.Stream{Name: "changes", Over: "users", Every: 5 * time.Minute, Width: 8, Docs: drive + "changes/list",
			Gives: []saas.Capability{saas.RealTimeDLP}, Poll: f.followed}))
	}
	if f.Files.FollowDrives {
		all = append(all, ofFiles(saas.Stream{Name: "drive_changes", Over: "drives", Every: 5 * time.Minute, Width: 8,
			Docs: drive + "changes/list", Gives: []saas.Capability{saas.RealTimeDLP}, Poll: f.followed}))
	}
	return all
}

func (c *Config) drive(path string) string { return c.URLs.Drive + "/drive/v3" + path }

func (c *Config) fileURL(id string) string { return c.drive("/files/" + url.PathEscape(id)) }

// wanted are the fields of a file, with the labels that the configuration names.
func (f *files) wanted(of string) string {
	q := url.Values{"fields": {of}, "supportsAllDrives": {"true"}}
	var ids []string
	for _, name := range f.Labels {
		id, _, _ := strings.Cut(name, "/")
		ids = append(ids, id)
	}
	slices.Sort(ids)
	set(q, "includeLabels", strings.Join(slices.Compact(ids), ","))
	return q.Encode()
}

// list is the request for files; more are its parameters.
func (f *files) list(more url.Values) string {
	if f.Files.SkipTrash {
		more.Set("q", strings.TrimPrefix(more.Get("q")+" and trashed = false", " and "))
	}
	more.Set("spaces", "drive")
	more.Set("pageSize", "1000")
	return f.drive("/files?" + more.Encode() + "&" + f.wanted("nextPageToken,incompleteSearch,files("+fileFieldsWanted+")"))
}

// readOwned reads what a user owns, his trash with it.
// https://developers.google.com/workspace/drive/api/guides/search-files
func (f *files) readOwned(ctx context.Context, r *saas.Run) error {
	l := of(r)
	return f.walk(ctx, r, l, f.list(url.Values{"corpora": {"user"}, "q": {"'me' in owners"}}), nil)
}

// readDrive reads a shared drive as one of its members, with what its membership gives.
func (f *files) readDrive(ctx context.Context, r *saas.Run) error {
	l, members, err := f.reader(ctx, r, r.Item().Key)
	if err != nil {
		return err
	}
	return f.walk(ctx, r, l, f.list(url.Values{"corpora": {"drive"}, "driveId": {l.Drive}, "includeItemsFromAllDrives": {"true"}}), members)
}

// walk reads a list of files.
func (f *files) walk(ctx context.Context, r *saas.Run, l lead, at string, members []json.RawMessage) error {
	own, err := f.own(ctx, r, r.Now())
	if err != nil {
		return err
	}
	return saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: at, As: l.As} }, func(p *saas.Reply) saas.Rows {
		var kept []json.RawMessage // for the requests in between the page is read to its end
		return func(yield func(json.RawMessage, error) bool) {
			for row, err := range p.JSON("files") {
				if err != nil {
					yield(nil, err)
					return
				}
				kept = append(kept, row)
			}
			for _, row := range kept {
				row, err := f.joined(ctx, r, l, row, members, own)
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}, following(at, l.As))(ctx, r)
}

// joined is a file with what its own object lacks: who of a shared drive reaches it, and what that means.
func (f *files) joined(ctx context.Context, d saas.Doer, l lead, row json.RawMessage, members []json.RawMessage,
	own map[string]bool) (json.RawMessage, error) {
	grants := members
	var perms json.RawMessage
	if saas.TextAt(row, "driveId") == "" {
		grants = slices.Collect(event.Elems(saas.Member(row, "permissions")))
	} else if string(saas.Member(row, "hasAugmentedPermissions")) == "true" {
		list, err := f.permissions(ctx, d, saas.TextAt(row, "id"), l.As)
		if err != nil && !saas.Is(err, saas.Missing) && !saas.Is(err, saas.Denied) {
			return nil, err
		}
		if err == nil {
			grants, perms = list, saas.Array(list)
		}
	}
	return saas.Join("file permissions share as", row, perms, json.RawMessage(encode(shareOf(grants, own))), saas.Quote(l.As)), nil
}

// permissions are those of a file or shared drive. as "" = as an administrator of the domain.
func (f *files) permissions(ctx context.Context, d saas.Doer, id, as string) (list []json.RawMessage, err error) {
	at := f.fileURL(id) + "/permissions?supportsAllDrives=true&pageSize=100&fields=nextPageToken,permissions(" + permissionFields + ")"
	if as == "" {
		at += "&useDomainAdminAccess=true"
	}
	err = each(ctx, d, at, as, "permissions", func(row json.RawMessage) { list = append(list, row) })
	return list, err
}

// readDrives reads the shared drives with their members.
func (f *files) readDrives(ctx context.Context, r *saas.Run) error {
	at := f.drive("/drives?useDomainAdminAccess=true&pageSize=100" +
		"&fields=nextPageToken,drives(id,name,createdTime,hidden,orgUnitId,restrictions)")
	own, err := f.own(ctx, r, r.Now())
	if err != nil {
		return err
	}
	return saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: at} }, func(p *saas.Reply) saas.Rows {
		return func(yield func(json.RawMessage, error) bool) {
			var kept []json.RawMessage
			for row, err := range p.JSON("drives") {
				if err != nil {
					yield(nil, err)
					return
				}
				kept = append(kept, row)
			}
			for _, row := range kept {
				list, err := f.permissions(ctx, r, saas.TextAt(row, "id"), "")
				if saas.Is(err, saas.Missing) {
					continue // it went while the list came
				}
				row := saas.Join("drive permissions share", row, saas.Array(list), json.RawMessage(encode(shareOf(list, own))))
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}, following(at, ""))(ctx, r)
}

// reader finds who reads a shared drive: a member who is a user of the customer's, an organizer first, or somebody of a group that
// is a member.
func (f *files) reader(ctx context.Context, d saas.Doer, drive string) (l lead, members []json.RawMessage, err error) {
	if members, err = f.permissions(ctx, d, drive, ""); err != nil {
		return l, nil, err
	}
	own, err := f.own(ctx, d, time.Now())
	if err != nil {
		return l, nil, err
	}
	l.Drive = drive
	ranks := []string{"organizer", "fileOrganizer", "writer", "commenter", "reader"}
	for _, kind := range []string{"user", "group"} {
		for _, role := range ranks {
			for _, m := range members {
				who := saas.TextAt(m, "emailAddress")
				if saas.TextAt(m, "type") != kind || saas.TextAt(m, "role") != role || !own[domainOf(who)] {
					continue
				}
				if kind == "user" {
					l.As = who
					return l, members, nil
				}
				if l.As, err = oneOf(ctx, d, who); l.As != "" || err != nil {
					return l, members, err
				}
			}
		}
	}
	return l, members, &saas.Error{Outcome: saas.Missing, Code: "no_member", Msg: "shared drive " + drive + " has no member to read it as"}
}

// oneOf is a user in a group.
func oneOf(ctx context.Context, d saas.Doer, group string) (who string, err error) {
	err = each(ctx, d, directory+"groups/"+url.PathEscape(group)+"/members?maxResults=200", "", "members", func(row json.RawMessage) {
		if who == "" && saas.TextAt(row, "type") == "USER" && saas.TextAt(row, "status") != "SUSPENDED" {
			who = saas.TextAt(row, "email")
		}
	})
	if saas.Is(err, saas.Missing) || saas.Is(err, saas.Denied) {
		err = nil
	}
	return who, err
}

// own are the customer's own domains, by the addresses of its users. Where these may not be listed, the administrator's own is all
// that is known.
func (f *files) own(ctx context.Context, d saas.Doer, now time.Time) (map[string]bool, error) {
	return f.domains.Get(ctx, now, 6*time.Hour, func() (map[string]bool, error) {
		list := map[string]bool{domainOf(f.Auth.Admin): true}
		at := directory + "users?maxResults=500&fields=nextPageToken,users(primaryEmail,aliases)&customer=" + f.customer()
		err := each(ctx, d, at, "", "users", func(row json.RawMessage) {
			list[domainOf(saas.TextAt(row, "primaryEmail"))] = true
			for alias := range event.Elems(saas.Member(row, "aliases")) {
				list[domainOf(saas.Text(alias))] = true
			}
		})
		delete(list, "")
		if saas.Is(err, saas.Denied) {
			err = nil
		}
		return list, err
	})
}

// domainOf is the domain of an address, in small letters.
func domainOf(email string) string {
	_, domain, _ := strings.Cut(email, "@")
	return strings.ToLower(domain)
}
