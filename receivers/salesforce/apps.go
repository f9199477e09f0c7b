package salesforce

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	usageDocs = "https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/connect_resources_usage_resources.htm"
	usage     = "/apps/oauth/usage"
	allTokens = 2500 // that a question about OauthToken gives

	// tokenColumns leave out the tokens themselves; the object has no id.
	tokenColumns = "AppName,AppMenuItemId,UserId,User.Username,CreatedDate,LastUsedDate,UseCount"
)

// Slots of the tables below.
const (
	gUser = iota
	gApp
	gTokens
)

const (
	cScopes = iota + 1
	cLabel
	cDeveloper
)

const (
	tURL = iota
	tUser
	tApp
)

var (
	appFields = event.Table{
		{"app.identifier", "saas.app.id application.id"}, cScopes: {"settings", ""}, cLabel: {"app.label", ""},
		cDeveloper: {"app.developerName", ""},
	}
	appUserFields = event.Table{
		tURL: {"token.revocationUrl", ""}, tUser: {"token.userIdentifier", "user.id"}, tApp: {"app", "saas.app.id"},
		{"label", "saas.app.name entity.name"}, {"token.username", "user.name"}, {"token.accessTokenFormat", "saas.credential.type"},
		{"token.initialConnectionAt", "entity.lifecycle.created"}, {"token.lastUsedAt", "entity.lifecycle.last_activity saas.entity.last_used"},
	}
	grantFields = event.Table{
		gUser: {"user", "user.id"}, gApp: {"app", "saas.app.id"}, gTokens: {"tokens", ""}, {"name", "saas.app.name entity.name"},
		{"username", "user.name"},
	}
)

// apps are external client apps, with their scopes and the tokens that users gave them, and the grants to connected apps.
func (o *org) apps() []saas.Stream {
	list := []saas.Stream{
		{Name: "apps", Every: 6 * time.Hour, Needs: []string{"ExternalClientAppViewer"}, Docs: usageDocs, Poll: o.listApps, Fields: appFields,
			Key: saas.KeyOf(1), Map: mapApp, Items: ofApp},
		{Name: "app_users", Over: "apps", Every: day, Needs: []string{"ExternalClientAppViewer"}, Docs: usageDocs, Poll: o.listTokens,
			Fields: appUserFields, Key: tokenID, Map: mapAppUser},
		{Name: "app_grants", Every: 6 * time.Hour, Needs: []string{"CustomizeApplication|ManageUsers"}, Docs: reference + "oauthtoken.htm",
			Poll: o.listGrants, Fields: grantFields, Key: saas.KeyOf(2), Map: mapGrant},
	}
	for i := range list {
		list[i].Kind, list[i].Dataset, list[i].Gives = saas.Grants, inventorySet, []saas.Capability{saas.ViewAppRights}
	}
	return list
}

// pages calls each for the rows of a listing of the use of apps, whose last page is empty.
func (o *org) pages(ctx context.Context, d saas.Doer, path, name string, each func(json.RawMessage) error) error {
	for n := 0; ; n++ {
		rows := 0
		p, err := saas.Each(ctx, d, saas.Req{URL: o.at(fmt.Sprintf("%s?page=%d&pageSize=100", path, n))}, name, func(row json.RawMessage) error {
			rows++
			return each(row)
		})
		if err != nil || rows == 0 || p.Field("nextPageUrl") == "" {
			return err
		}
	}
}

// listApps lists the external client apps that hold tokens.
func (o *org) listApps(ctx context.Context, r *saas.Run) error {
	settings, err := o.scopes(ctx, r)
	if err != nil {
		return err
	}
	return r.Whole(o.pages(ctx, r, usage, "apps", func(row json.RawMessage) error {
		return r.Emit("", saas.Join("app settings", row, settings[saas.TextAt(row, "identifier")]))
	}))
}

// scopes are the settings of external client apps by app: a column each. Who may not see them sees apps without scopes.
// Each release has some columns more, so the object says which it has.
func (o *org) scopes(ctx context.Context, d saas.Doer) (map[string]json.RawMessage, error) {
	var about struct{ Fields []struct{ Name string } }
	const object = "ExtlClntAppOauthSettings"
	err := saas.Get(ctx, d, o.at("/sobjects/"+object+"/describe"), &about)
	columns := "Id,DeveloperName,ExternalClientApplicationId"
	for _, f := range about.Fields {
		if strings.HasPrefix(f.Name, oauthScope) && word(f.Name) {
			columns += "," + f.Name
		}
	}
	var rows []json.RawMessage
	if err == nil {
		rows, err = o.all(ctx, d, o.query("SELECT "+columns+" FROM "+object))
	}
	if saas.Is(err, saas.Denied) || saas.Is(err, saas.Missing) {
		return nil, nil
	}
	found := map[string]json.RawMessage{}
	for _, row := range rows {
		found[saas.TextAt(row, "ExternalClientApplicationId")] = row
	}
	return found, err
}

// oauthScope begins the name of each scope's column.
const oauthScope = "OauthScopes"

func mapApp(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "application", v.Str(0), "configuration", "info")
	r.Str("entity.sub_type", "external_client_app")
	name := cmp.Or(v.Str(cLabel), v.Str(cDeveloper))
	for _, field := range [...]string{"saas.app.name", "application.name", "entity.name"} {
		r.Str(field, name)
	}
	for column, on := range event.Members(v.Bytes(cScopes)) {
		if scope, ok := strings.CutPrefix(column, oauthScope); ok && string(on) == "true" {
			r.Strs("saas.grant.scopes", strings.ToLower(scope))
		}
	}
	return nil
}

// ofApp: the tokens of an app hang on it.
func ofApp(v *event.Values) []saas.Item {
	return []saas.Item{{Stream: "app_users", Key: strings.Clone(v.Str(0)), Data: saas.Quote(cmp.Or(v.Str(cLabel), v.Str(cDeveloper)))}}
}

// listTokens lists who uses an app, and the tokens that it holds of each.
func (o *org) listTokens(ctx context.Context, r *saas.Run) error {
	app := r.Item().Key
	path := usage + "/" + url.PathEscape(app)
	var users []string
	err := o.pages(ctx, r, path+"/users", "users", func(row json.RawMessage) error {
		users = append(users, saas.TextAt(row, "userIdentifier"))
		return nil
	})
	for i := 0; i < len(users) && err == nil; i++ {
		err = o.pages(ctx, r, path+"/"+url.PathEscape(users[i])+"/tokens", "tokens", func(row json.RawMessage) error {
			return r.Emit("", saas.Join("app label token", saas.Quote(app), r.Item().Data, row))
		})
		if saas.Is(err, saas.Missing) { // they were revoked meanwhile
			err = nil
		}
	}
	return r.Whole(err)
}

// tokenID is the id of a token of an external client app: the last step of the URL that revokes it.
func tokenID(v *event.Values) string {
	url := v.Str(tURL)
	return strings.Clone(url[strings.LastIndexByte(url, '/')+1:])
}

func mapAppUser(v *event.Values, add func() *event.Record) error {
	r := saas.NewEntity(add, "app_grant", tokenID(v), "iam", "user", "info")
	r.Str("entity.sub_type", "external_client_app")
	r.Str("saas.credential.id", tokenID(v))
	r.Relate("granted_to", "application", strings.Clone(v.Str(tApp)))
	r.Relate("part_of", "user", strings.Clone(v.Str(tUser)))
	return nil
}

// listGrants lists the tokens that connected apps hold, those of one user for one app together: each on its own has no identity.
// A question gives no more than 2500 of them, so it goes on from the last user of whom it gave all.
func (o *org) listGrants(ctx context.Context, r *saas.Run) error {
	at := place{leastID}
	r.Mark(&at)
	for {
		rows, err := o.all(ctx, r, o.query(fmt.Sprintf("SELECT %s FROM OauthToken WHERE UserId > %s ORDER BY UserId, CreatedDate LIMIT %d",
			tokenColumns, quote(at.Last), allTokens)))
		if err != nil {
			return err
		}
		last, more := "", len(rows) >= allTokens
		if len(rows) > 0 {
			last = saas.TextAt(rows[len(rows)-1], "UserId")
		}
		grants := map[[2]string][]json.RawMessage{}
		var order [][2]string
		for _, row := range rows {
			g := [2]string{saas.TextAt(row, "UserId"), cmp.Or(saas.TextAt(row, "AppMenuItemId"), saas.TextAt(row, "AppName"))}
			if more && g[0] == last && saas.TextAt(rows[0], "UserId") != last { // of whom more may follow
				continue
			}
			if at.Last = g[0]; grants[g] == nil {
				order = append(order, g)
			}
			grants[g] = append(grants[g], row)
		}
		for _, g := range order {
			of := grants[g]
			err := r.Emit("", saas.Join("user app name username tokens", saas.Quote(g[0]), saas.Quote(g[1]), saas.Member(of[0], "AppName"),
				saas.Member(of[0], "User", "Username"), saas.Array(of)))
			if err != nil {
				return err
			}
		}
		if !more {
			return r.Whole(nil)
		}
		if err := r.Commit(at); err != nil {
			return err
		}
	}
}

// mapGrant maps a grant to a connected app. Its scopes are known to nobody but the app's metadata.
func mapGrant(v *event.Values, add func() *event.Record) error {
	app, user := strings.Clone(v.Str(gApp)), strings.Clone(v.Str(gUser))
	r := saas.NewEntity(add, "app_grant", user+"/"+app, "iam", "user", "info")
	r.Str("entity.sub_type", "connected_app")
	created, used := "", ""
	for t := range event.Elems(v.Bytes(gTokens)) {
		if at := saas.TextAt(t, "CreatedDate"); created == "" || at < created {
			created = at
		}
		used = max(used, saas.TextAt(t, "LastUsedDate"))
	}
	r.Str("entity.lifecycle.created", created)
	r.Str("entity.lifecycle.last_activity", used)
	r.Str("saas.entity.last_used", used)
	r.Relate("granted_to", "application", app)
	r.Relate("part_of", "user", user)
	return nil
}
