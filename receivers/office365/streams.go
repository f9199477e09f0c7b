package office365

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
	day          = 24 * time.Hour
	auditSet     = "o365.audit"
	signInSet    = "o365.sign_ins"
	directorySet = "o365.directory_audits"
	feedDocs     = "https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-reference"
	graphDocs    = "https://learn.microsoft.com/graph/api/"
	stamp        = "2006-01-02T15:04:05"
)

// contents are the types of content of the feed.
var contents = []struct {
	name, kind, right string
	of                saas.Kind
	gives             []saas.Capability
}{
	{"audit_entra", "Audit.AzureActiveDirectory", "ActivityFeed.Read", saas.SignIn, []saas.Capability{saas.LogOnActivity, saas.AdminActivity}},
	{"audit_exchange", "Audit.Exchange", "ActivityFeed.Read", saas.Audit, []saas.Capability{saas.UserActivity, saas.AdminActivity}},
	{"audit_sharepoint", "Audit.SharePoint", "ActivityFeed.Read", saas.Audit, []saas.Capability{saas.UserActivity, saas.RealTimeDLP}},
	{"audit_general", "Audit.General", "ActivityFeed.Read", saas.Audit, []saas.Capability{saas.UserActivity, saas.AdminActivity}},
	{"dlp_all", "DLP.All", "ActivityFeed.ReadDlp", saas.Audit, []saas.Capability{saas.UserActivity}},
}

// listOf is the stream that lists the blobs of another.
func listOf(name string) string { return name + ".list" }

// streams are what a tenant has to read.
func (t *tenant) streams() []saas.Stream {
	return slices.Concat(t.activity(), t.reports(), t.directory(), t.storage())
}

// activity is the feed: for each type of content its list of blobs, and the blobs.
func (t *tenant) activity() (all []saas.Stream) {
	if t.URLs.Manage == "" {
		return nil
	}
	for _, c := range contents {
		all = append(all, saas.Stream{Name: listOf(c.name), Kind: c.of, Every: time.Minute, Needs: []string{c.right}, Docs: feedDocs,
			Poll: saas.Window{Lag: time.Hour, Max: 2 * time.Hour, Sweep: day, Back: 7*day - 5*time.Minute,
				Read: t.blobs(c.name, c.kind)}.Poll},
			saas.Stream{Name: c.name, Kind: c.of, Dataset: auditSet, Over: listOf(c.name), Width: 8, Keep: 8 * day, Lag: 90 * time.Minute,
				Needs: []string{c.right}, Gives: c.gives, Docs: feedDocs, Poll: t.blob, Fields: recordFields, Key: saas.KeyOf(1),
				Map: mapRecord, Items: touched})
	}
	return all
}

// blobs lists what became available in a window. A subscription that is not there is started, once.
func (t *tenant) blobs(stream, kind string) func(context.Context, *saas.Run, time.Time, time.Time) error {
	return func(ctx context.Context, r *saas.Run, from, to time.Time) error {
		from, to = from.UTC().Truncate(time.Second), to.UTC().Truncate(time.Second)
		if !from.Before(to) { // within a second, which the next window begins with
			return nil
		}
		q := url.Values{"contentType": {kind}, "startTime": {from.Format(stamp)}, "endTime": {to.Format(stamp)}}
		next, started := t.feed()+"subscriptions/content?"+q.Encode(), false
		for next != "" {
			p, err := r.Do(ctx, t.publish(next))
			if code := saas.Code(err); !started && (code == "AF20022" || code == "AF20023") {
				started = true
				if err := saas.Send(ctx, r.Conn, []saas.Req{t.start(kind)}); err != nil {
					return err
				}
				continue
			} else if err != nil {
				return err
			}
			for row, err := range p.JSON("") {
				if err != nil {
					return err
				}
				if err := putBlob(r, stream, row); err != nil {
					return err
				}
			}
			next = p.Field("Nextpageuri")
		}
		return nil
	}
}

// start is the request that subscribes to a type of content.
func (t *tenant) start(kind string) saas.Req {
	q := t.publish(t.feed() + "subscriptions/start?contentType=" + kind)
	q.Method = http.MethodPost
	return q
}

// publish is a request in the tenant's own name: what no publisher is named for draws on a quota that many share.
func (t *tenant) publish(at string) saas.Req {
	if !strings.Contains(at, "PublisherIdentifier=") {
		sep := "?"
		if strings.Contains(at, "?") {
			sep = "&"
		}
		at += sep + "PublisherIdentifier=" + t.Auth.TenantID
	}
	return saas.Req{URL: at}
}

// putBlob asks for a blob, until it expires. A row that names none is set aside.
func putBlob(r *saas.Run, stream string, row json.RawMessage) error {
	id, at := saas.TextAt(row, "contentId"), saas.TextAt(row, "contentUri")
	if id == "" || at == "" {
		return r.Emit("", row)
	}
	until, ok := event.ParseTime(saas.TextAt(row, "contentExpiration"))
	if !ok {
		until = r.Now().Add(7 * day)
	}
	r.Put(saas.Item{Stream: stream, Key: id, Data: saas.Quote(at), Until: until})
	return nil
}

// blob reads one blob.
func (t *tenant) blob(ctx context.Context, r *saas.Run) error {
	return saas.Pages(ctx, r, t.publish(saas.Text(r.Item().Data)), func(p *saas.Reply) saas.Rows { return p.JSON("") }, nil)
}

// reports are the logs that Graph has of what audit_entra tells of: an event is not to be counted twice, so that they are off
// while the feed is read. Each has a dataset of its own: the status of a sign-in is an object, where that of the feed is a text.
func (t *tenant) reports() []saas.Stream {
	const right = "AuditLog.Read.All"
	unless := listOf("audit_entra")
	if t.URLs.Manage == "" {
		unless = ""
	}
	report := func(name, set, path, field, order string, kind saas.Kind, of event.Table, gives saas.Capability) saas.Stream {
		return saas.Stream{Name: name, Kind: kind, Dataset: set, Every: time.Minute, Keep: 30 * time.Hour, Lag: 2 * time.Hour,
			Needs: []string{right}, Gives: []saas.Capability{gives}, Unless: unless, Docs: graphDocs + order,
			Poll: saas.Window{Lag: 2 * time.Hour, Settle: 2 * time.Minute, Max: 6 * time.Hour, Sweep: 26 * time.Hour, Back: 30 * day,
				Read: readReport(path, field)}.Poll, Fields: of, Key: saas.KeyOf(1)}
	}
	signs := report("sign_ins", signInSet, "/auditLogs/signIns", "createdDateTime", "signin-list", saas.SignIn, signInFields,
		saas.LogOnActivity)
	audits := report("directory_audits", directorySet, "/auditLogs/directoryAudits", "activityDateTime", "directoryaudit-list",
		saas.Audit, directoryFields, saas.AdminActivity)
	signs.Map, audits.Map, audits.Items = mapSignIn, mapDirectoryAudit, touchedByAudit
	return []saas.Stream{signs, audits}
}

// readReport reads what happened in a window, whose ends both belong to it.
func readReport(path, field string) func(context.Context, *saas.Run, time.Time, time.Time) error {
	return func(ctx context.Context, r *saas.Run, from, to time.Time) error {
		filter := field + " ge " + from.UTC().Format(time.RFC3339) + " and " + field + " le " + to.UTC().Format(time.RFC3339)
		return saas.Pages(ctx, r, saas.Req{URL: path + "?$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20") + "&$top=999"},
			values, nextLink)
	}
}

func values(p *saas.Reply) saas.Rows { return p.JSON("value") }

// nextLink leads to the page that follows.
func nextLink(p *saas.Reply, _ json.RawMessage) (saas.Req, bool) {
	u := p.Field("@odata.nextLink")
	return saas.Req{URL: u}, u != ""
}
