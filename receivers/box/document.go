package box

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

const documentFields = "id,type,etag,name,sha1,file_version,parent,path_collection,owned_by,shared_link,classification,trashed_at," +
	"is_externally_owned"

type (
	// document is what actions read of a file, and what a plan keeps of it.
	document struct {
		ID      string `json:"id"`
		Etag    string `json:"etag"`
		Name    string `json:"name"`
		SHA1    string `json:"sha1"`
		Version ref    `json:"file_version"`
		Parent  *ref   `json:"parent"`
		Path    struct {
			Entries []ref `json:"entries"`
		} `json:"path_collection"`
		Owner struct {
			ID    string `json:"id"`
			Login string `json:"login"`
		} `json:"owned_by"`
		Link    *docLink `json:"shared_link"`
		Class   *ref     `json:"classification"`
		Trashed string   `json:"trashed_at,omitempty"`
		Foreign bool     `json:"is_externally_owned,omitempty"`
		// What the object lacks, as far as an action changes it.
		Grants   []grant `json:"collaborations,omitempty"`
		Versions []ref   `json:"versions,omitempty"`

		as string // who sees it
	}
	ref struct {
		ID      string `json:"id,omitempty"`
		Name    string `json:"name,omitempty"`
		Trashed string `json:"trashed_at,omitempty"`
	}
	docLink struct {
		URL      string `json:"url,omitempty"`
		Access   string `json:"access"`
		Password bool   `json:"is_password_enabled,omitempty"`
		Expires  string `json:"unshared_at,omitempty"`
		Vanity   string `json:"vanity_name,omitempty"`
		May      struct {
			Download bool `json:"can_download"`
			Edit     bool `json:"can_edit"`
		} `json:"permissions"`
	}
	// grant is a collaboration: of a user, a group, or an address that is no user yet.
	grant struct {
		ID      string `json:"id"`
		Role    string `json:"role"`
		Status  string `json:"status,omitempty"`
		Email   string `json:"invite_email,omitempty"`
		Expires string `json:"expires_at,omitempty"`
		To      struct {
			ID    string `json:"id,omitempty"`
			Type  string `json:"type,omitempty"`
			Login string `json:"login,omitempty"`
		} `json:"accessible_by"`
	}
)

// find reads a file as its owner, where it is or in his trash, else as the agent's own account, to which quarantine moves it. nil =
// nobody of these sees it.
func find(ctx context.Context, conn *saas.Conn, t saas.Target) (*document, error) {
	if !number(t.ID) {
		return nil, saas.Refuse("the target names no file")
	}
	owner := t.Params["owner.id"]
	const fields = "?fields=" + documentFields
	for _, at := range []struct{ as, rest string }{{owner, fields}, {owner, "/trash"}, {"", fields}} { // the trash shows all or nothing
		if owner == "" && at.rest == "/trash" {
			continue
		}
		d := &document{as: at.as}
		err := send(ctx, conn, asUser(at.as, "/files/"+t.ID+at.rest), d)
		if err == nil || !saas.Is(err, saas.Missing) {
			return d, err
		}
	}
	return nil, nil
}

// target is the target with what only the file itself says.
func (d *document) target(t saas.Target) saas.Target {
	params := map[string]string{"owner.id": d.Owner.ID, "owner.email": d.Owner.Login}
	for _, key := range []string{"collaborator", "access", "label"} {
		if v := t.Params[key]; v != "" {
			params[key] = v
		}
	}
	t.Name, t.Params = cmp.Or(t.Name, d.Name), params
	return t
}

func (d *document) url() string { return "/files/" + d.ID }

// in says whether the file lies in a folder, at any depth.
func (d *document) in(folder string) bool {
	return slices.ContainsFunc(d.Path.Entries, func(r ref) bool { return folder != "" && r.ID == folder })
}

// change is a request that changes something, as a user.
func change(as, method, url string, body any, header ...string) saas.Req {
	q := asUser(as, url)
	q.Method = method
	if body != nil {
		text, _ := json.Marshal(body) // maps of texts have a JSON form
		q.Body = string(text)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if q.Header == nil {
			q.Header = map[string]string{}
		}
		q.Header[header[i]] = header[i+1]
	}
	return q
}

// send sends one request and reads its small answer.
func send(ctx context.Context, conn *saas.Conn, q saas.Req, into any) error {
	rep, err := conn.Do(ctx, q)
	if err != nil {
		return err
	}
	return rep.Into(into)
}

// gone is send for what is done when it finds nothing.
func gone(ctx context.Context, conn *saas.Conn, q saas.Req) error {
	if err := send(ctx, conn, q, nil); err != nil && saas.HTTPStatus(err) != http.StatusNotFound {
		return err
	}
	return nil
}

// current does what asks for the etag that the file has, and once more when somebody else was faster.
func (d *document) current(ctx context.Context, conn *saas.Conn, p *saas.Plan, do func(d *document) error) error {
	err := do(d)
	if saas.HTTPStatus(err) != http.StatusPreconditionFailed {
		return err
	}
	now, ferr := find(ctx, conn, p.Target)
	if ferr != nil || now == nil {
		return cmp.Or(ferr, err)
	}
	if err = do(now); saas.HTTPStatus(err) == http.StatusPreconditionFailed {
		return &saas.Error{Outcome: saas.Unavailable, Msg: "somebody changes the file at the same time", Err: err}
	}
	return err
}

// grants are the collaborations of an item itself, not of the folders it lies in.
func grants(ctx context.Context, conn *saas.Conn, as, item string) (list []grant, err error) {
	err = marked(ctx, conn, asUser(as, item+"/collaborations?limit=1000"), func(row json.RawMessage) {
		var g grant
		if json.Unmarshal(row, &g) == nil {
			list = append(list, g)
		}
	})
	return list, err
}

// who names whom a grant is for.
func (g grant) who() string { return cmp.Or(g.To.Login, g.Email, g.To.ID) }

func (g grant) is(name string) bool { // name is not empty
	return name == g.To.ID || strings.EqualFold(name, g.To.Login) || strings.EqualFold(name, g.Email)
}

// same says whether two grants are for the same.
func (g grant) same(o grant) bool {
	if g.To.ID != "" && o.To.ID != "" {
		return g.To.ID == o.To.ID
	}
	return strings.Contains(g.who(), "@") && strings.EqualFold(g.who(), o.who())
}

// invite is the request that gives a grant for an item again.
func (g grant) invite(as, kind, item string) saas.Req {
	to := map[string]string{"type": cmp.Or(g.To.Type, "user"), "id": g.To.ID}
	if g.To.ID == "" {
		to = map[string]string{"type": "user", "login": g.Email}
	}
	body := map[string]any{"item": map[string]string{"type": kind, "id": item}, "accessible_by": to, "role": g.Role}
	if g.Expires != "" {
		body["expires_at"] = g.Expires
	}
	return change(as, http.MethodPost, "/collaborations?notify=false", body)
}
