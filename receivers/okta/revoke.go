package okta

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// found is what a removal removes: nothing left = done.
type found struct {
	things []json.RawMessage
	steps  []saas.Req
	back   []saas.Req
}

// removal is an action that deletes what find finds.
func removal(verb, docs, final string, find func(context.Context, *saas.Conn, saas.Target) (found, error), needs ...string) saas.Action {
	a := saas.Action{Verb: verb, Needs: needs, Docs: reference + docs, Irreversible: final}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		f, err := find(ctx, conn, t)
		if err != nil {
			return nil, err
		}
		if len(f.things) == 0 {
			return nil, saas.Settled("%s %s is not there", t.Type, t.ID)
		}
		return &saas.Plan{Verb: verb, Target: t, Steps: f.steps, Back: f.back, Before: saas.Array(f.things)}, nil
	}
	return saas.Guarded(a, func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		f, err := find(ctx, conn, p.Target)
		return len(f.things) == 0, err
	})
}

// among finds the rows of a list with this id; "" = all.
func among(ctx context.Context, conn *saas.Conn, path, id string) ([]json.RawMessage, error) {
	rows, err := reader{}.all(ctx, conn, path, "")
	return slices.DeleteFunc(rows, func(row json.RawMessage) bool { return id != "" && saas.TextAt(row, "id") != id }), err
}

func remove(path string) []saas.Req { return []saas.Req{{Method: http.MethodDelete, URL: path}} }

// holders are the parameters that name who holds a role, and where his roles are. The id of an assignment begins alike.
var holders = [...]struct{ kind, param, path string }{{"user", "user.id", "/api/v1/users/"}, {"group", "group.id", "/api/v1/groups/"},
	{"client", "client.id", "/oauth2/v1/clients/"}}

// assignment is where a holder's roles are, and the id of the one that is meant, "" = it is named.
func assignment(t saas.Target) (at, id string) {
	id = t.Params["role.id"]
	if kind, rest, ok := strings.Cut(t.ID, "/"); ok {
		holder, role, _ := strings.Cut(rest, "/")
		for _, h := range holders {
			if h.kind == kind {
				return h.path + url.PathEscape(holder) + "/roles", role
			}
		}
	}
	for _, h := range holders {
		if holder := t.Params[h.param]; holder != "" {
			return h.path + url.PathEscape(holder) + "/roles", id
		}
	}
	return "", id
}

// letters are what names of one role have in common: "Super administrator", SUPER_ADMIN, "Super Organization Administrator".
func letters(name string) string {
	name = strings.Map(func(c rune) rune {
		if c |= 0x20; c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, name)
	return strings.TrimSuffix(strings.Replace(name, "superorganization", "super", 1), "istrator")
}

// findRole finds the assignment of an administrator role by its id or, as events have them, several by their names.
func findRole(ctx context.Context, conn *saas.Conn, t saas.Target) (f found, err error) {
	at, id := assignment(t)
	if at == "" || id == "" && t.Name == "" {
		return f, saas.Refuse("the id or the name of the role, and one of user.id, group.id and client.id, are needed")
	}
	if f.things, err = among(ctx, conn, at, id); err != nil {
		return f, err
	}
	f.things = slices.DeleteFunc(f.things, func(role json.RawMessage) bool {
		return id == "" && !slices.ContainsFunc(strings.Split(t.Name, ","), func(name string) bool {
			named := letters(name)
			return named != "" && (named == letters(saas.TextAt(role, "type")) || named == letters(saas.TextAt(role, "label")))
		})
	})
	whole := true // given back without its limits a role would be more than it was
	for _, role := range f.things {
		one, kind := url.PathEscape(saas.TextAt(role, "id")), saas.TextAt(role, "type")
		if saas.TextAt(role, "assignmentType") == "GROUP" && strings.HasPrefix(at, holders[0].path) {
			return f, saas.Refuse("role %s comes through a group: take the user out of the group, or the role from it", one)
		}
		if where := limitedTo[kind]; where != "" {
			limits, err := among(ctx, conn, at+"/"+one+"/targets/"+where+"?limit=200", "")
			if err != nil {
				return f, err
			}
			whole = whole && len(limits) == 0
		}
		body := saas.Join("type role resource-set", saas.Member(role, "type"), saas.Member(role, "role"), saas.Member(role, "resource-set"))
		f.steps = append(f.steps, remove(at+"/"+one)...)
		f.back = append(f.back, saas.Req{Method: http.MethodPost, URL: at, Body: string(body)})
	}
	if !whole {
		f.back = nil
	}
	return f, nil
}

// ofClient are the user and the client of a grant or token. The id of a user's client names both.
func ofClient(t saas.Target) (user, client, id string) {
	user, client, id = t.Params["user.id"], t.Params["client.id"], t.ID
	if u, c, ok := strings.Cut(id, "/"); ok {
		user, client, id = cmp.Or(user, u), cmp.Or(client, c), ""
	}
	return url.PathEscape(user), url.PathEscape(client), url.PathEscape(id)
}

// findGrant finds a consent of a user, all of his for a client, or one that an administrator gave for an app.
func findGrant(ctx context.Context, conn *saas.Conn, t saas.Target) (f found, err error) {
	at := ""
	switch user, client, id := ofClient(t); {
	case user != "" && id != "":
		at, t.ID = "/api/v1/users/"+user+"/grants", id
		f.steps = remove(at + "/" + id)
	case user != "" && client != "":
		at, t.ID = "/api/v1/users/"+user+"/clients/"+client+"/grants", ""
		f.steps = remove(at)
	case client != "" && id != "":
		at, t.ID = "/api/v1/apps/"+client+"/grants", id
		f.steps = remove(at + "/" + id)
	default:
		return f, saas.Refuse("two of user.id, client.id and the id of the grant are needed")
	}
	f.things, err = among(ctx, conn, at, t.ID)
	return f, err
}

// findTokens finds the refresh tokens that a client holds: of one user, or of all.
func findTokens(ctx context.Context, conn *saas.Conn, t saas.Target) (f found, err error) {
	user, client, _ := ofClient(t)
	at := "/api/v1/apps/" + client + "/tokens"
	if user != "" {
		at = "/api/v1/users/" + user + "/clients/" + client + "/tokens"
	}
	if client == "" {
		return f, saas.Refuse("client.id is missing")
	}
	f.steps = remove(at)
	f.things, err = among(ctx, conn, at, "")
	return f, err
}

// findToken finds an API token, or a refresh token, for which the clients of its user are searched.
func findToken(ctx context.Context, conn *saas.Conn, t saas.Target) (f found, err error) {
	user, client, id := ofClient(t)
	kind := t.Params["credential.type"]
	switch {
	case id == "":
		return f, saas.Refuse("the target names no token")
	case kind == "api_token", kind == "" && strings.HasPrefix(id, "00T"):
		f.steps = remove("/api/v1/api-tokens/" + id)
		f.things, err = among(ctx, conn, "/api/v1/api-tokens", id)
		return f, err
	case kind != "refresh_token" && kind != "":
		return f, saas.Refuse("token %s is a %s: Okta revokes API tokens and refresh tokens", id, kind)
	case user == "" && client == "":
		return f, saas.Refuse("user.id and client.id are missing")
	}
	clients := []string{client}
	if client == "" {
		rows, err := reader{}.all(ctx, conn, "/api/v1/users/"+user+"/clients", "")
		if err != nil {
			return f, err
		}
		clients = nil
		for _, row := range rows {
			clients = append(clients, url.PathEscape(saas.TextAt(row, "client_id")))
		}
	}
	for _, c := range clients {
		at := "/api/v1/apps/" + c + "/tokens"
		if user != "" {
			at = "/api/v1/users/" + user + "/clients/" + c + "/tokens"
		}
		if f.things, err = among(ctx, conn, at, id); err != nil || len(f.things) > 0 {
			f.steps = remove(at + "/" + id)
			return f, err
		}
	}
	return f, nil
}
