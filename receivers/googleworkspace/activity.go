package googleworkspace

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	day       = 24 * time.Hour
	module    = "google_workspace"
	inventory = module + ".inventory"
	alertSet  = module + ".alert"
	retention = 180 * day // of the Reports API
	settled   = 30 * time.Second
	reference = "https://developers.google.com/workspace/"
)

// late are the applications whose events may come six hours late; those of others come within three.
// https://support.google.com/a/answer/7061566
var late = []string{"login", "saml", "token", "drive", "calendar"}

// datasets are the names of those that are not called as the application.
var datasets = map[string]string{"mobile": "device", "groups_enterprise": "group_enterprise", "gemini_in_workspace_apps": "gemini"}

// datasetOf is the dataset of an application's events.
func datasetOf(app string) string {
	if name := datasets[app]; name != "" {
		app = name
	}
	return module + "." + app
}

// activity is one stream for each application of the Reports API, named by it: newest events first, each object with several of
// them, and late.
func (c *Config) activity() (all []saas.Stream) {
	for _, app := range c.Applications {
		longest := day // of a piece; of what many do all day, shorter
		s := saas.Stream{Name: app, Kind: saas.Audit, Dataset: datasetOf(app), Every: time.Minute, Keep: 49 * time.Hour, Lag: 3 * time.Hour,
			Needs: []string{readReports}, Docs: reference + "admin/reports/v1/appendix/activity/" + strings.ReplaceAll(app, "_", "-"),
			Fields: activityFields, Key: activityKey, Map: mapActivity, Items: c.touched}
		if slices.Contains(late, app) {
			s.Lag, longest = 6*time.Hour, 7*time.Hour
		}
		for capability, list := range apps {
			if slices.Contains(list, app) && capability != "other" {
				s.Gives = []saas.Capability{capability}
			}
		}
		if app == "drive" {
			s.Gives = append(s.Gives, saas.RealTimeDLP)
		}
		if slices.Contains(apps[saas.LogOnActivity], app) {
			s.Kind = saas.SignIn
		}
		s.Poll = saas.Window{Lag: s.Lag, Settle: settled, Max: longest, Sweep: 2 * day, Back: retention, Read: c.reader(app)}.Poll
		all = append(all, s)
	}
	return append(all, saas.Stream{Name: "alerts", Kind: saas.Audit, Dataset: alertSet, Every: 5 * time.Minute, Keep: 49 * time.Hour,
		Lag: time.Hour, Needs: []string{readAlerts}, Gives: []saas.Capability{saas.AdminActivity},
		Docs:   reference + "admin/alertcenter/reference/rest",
		Fields: alertFields, Key: saas.KeyOf(1), Map: mapAlert,
		Poll: saas.Window{Lag: time.Hour, Settle: settled, Max: day, Sweep: 2 * day, Back: retention, Read: c.readAlerts}.Poll})
}

// read is what Window reads a piece with.
type read = func(ctx context.Context, r *saas.Run, from, to time.Time) error

// reader reads the activity of an application. Of what apps do with their tokens only what is granted and taken back is read,
// unless all is asked for: there is no filter for several names, so each is read alone.
func (c *Config) reader(app string) read {
	names := []string{""}
	if app == "token" && !c.TokenActivity {
		names = []string{"authorize", "revoke", "request"}
	}
	return func(ctx context.Context, r *saas.Run, from, to time.Time) (err error) {
		for i := 0; i < len(names) && err == nil; i++ {
			q := url.Values{"startTime": {stamp(from)}, "endTime": {stamp(to)}, "maxResults": {"1000"}}
			set(q, "eventName", names[i])
			set(q, "customerId", c.Auth.CustomerID)
			at := "/admin/reports/v1/activity/users/all/applications/" + app + "?" + q.Encode()
			err = saas.Pages(ctx, r, saas.Req{URL: at}, rows("items"), following(at, ""))
		}
		return err
	}
}

func (c *Config) readAlerts(ctx context.Context, r *saas.Run, from, to time.Time) error {
	q := url.Values{"filter": {`createTime >= "` + stamp(from) + `" AND createTime < "` + stamp(to) + `"`}, "orderBy": {"createTime asc"},
		"pageSize": {"500"}}
	at := c.URLs.Alerts + "/v1beta1/alerts?" + q.Encode()
	return saas.Pages(ctx, r, saas.Req{URL: at}, rows("alerts"), following(at, ""))
}

func set(q url.Values, name, val string) {
	if val != "" {
		q.Set(name, val)
	}
}

// stamp writes a time as Google takes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func rows(path string) func(*saas.Reply) saas.Rows {
	return func(p *saas.Reply) saas.Rows { return p.JSON(path) }
}

// following is the Next of a list whose pages differ by pageToken. The URL has parameters.
func following(at, as string) saas.Next {
	return func(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
		token := p.Field("nextPageToken")
		return saas.Req{URL: at + "&pageToken=" + url.QueryEscape(token), As: as}, token != ""
	}
}

// touched says what an event makes due: the content of a file, and lists of accounts, groups, roles and grants.
func (c *Config) touched(v *event.Values) (items []saas.Item) {
	for e := range eventsOf(v) {
		items = append(items, c.dueBy(v, e)...)
	}
	return items
}

// keys are streams without parts.
func keys(names ...string) (items []saas.Item) {
	for _, name := range names {
		items = append(items, saas.Item{Stream: name})
	}
	return items
}

func (c *Config) dueBy(v *event.Values, e activityEvent) []saas.Item {
	switch app := v.Str(aApp); app {
	case "drive":
		return c.fileTouched(e)
	case "token":
		if id := v.Str(aID); (e.name == "authorize" || e.name == "revoke") && id != "" && id != nobody {
			return []saas.Item{{Stream: "grants", Key: strings.Clone(id)}}
		}
	case "groups_enterprise":
		return keys("groups")
	case "admin":
		switch classOf(app, e.name).Activity {
		case "user_create", "user_delete", "user_suspend", "user_restore", "user_update":
			return keys("users")
		case "role_grant", "role_revoke", "role_change":
			return keys("roles", "role_assignments", "users")
		case "group_create", "group_delete", "group_member_add", "group_member_remove":
			return keys("groups")
		}
	}
	return nil
}

// silent are the events of Drive after which neither the content nor the exposure of a file is another.
var silent = []string{"view", "preview", "print", "download", "sheets_import_range", "source_copy", "delete", "trash", "request_access",
	"deny_access_request", "approval_requested", "approval_canceled", "approval_comment_added", "approval_reviewer_responded",
	"access_item_content", "access_url", "sync_item_content", "script_trigger_created", "script_trigger_deleted"}

// fileTouched asks for the content of a file that the log of Drive names, which is read as its owner.
func (c *Config) fileTouched(e activityEvent) []saas.Item {
	id := e.str("doc_id")
	if id == "" || slices.Contains(silent, e.name) || e.str("doc_type") == "folder" {
		return nil
	}
	l := lead{As: e.str("owner"), Drive: e.first("shared_drive_id", "team_drive_id")}
	if e.str("owner_is_shared_drive") == "true" || !strings.Contains(l.As, "@") {
		l.As = ""
	}
	if l.As == "" && l.Drive == "" {
		return nil
	}
	return []saas.Item{contentItem(id, l)}
}

const nobody = "105250506097979753968" // the profile of an actor whom Google does not know

// change is a request that changes something on behalf of a user.
func change(as, method, at string, body any) saas.Req {
	q := saas.Req{Method: method, URL: at, As: as}
	if body != nil {
		q.Body = encode(body)
	}
	if q.Body == "" && method == http.MethodPost {
		q.Body = "{}"
	}
	return q
}
