package box

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// shelter is the name of the folder for files in quarantine where the configuration names none.
const shelter = "Longshore quarantine"

// quarantine moves a file, by its owner's hand, to where only the agent's account sees it: each into a folder of its own
// within that of the quarantine, to which the owner is invited for the move alone. So he can take it back later, also into the root
// of all his files, where nobody else could put it. Nothing is copied: the file keeps its id and its versions.
type quarantine struct {
	folder string // "" = by name
}

func (q quarantine) action() fileAction {
	return fileAction{verb: action.QuarantineFile, docs: "put-files-id", buried: true, plan: q.plan, do: q.do, done: q.done, undo: q.undo}
}

func (q quarantine) plan(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was *document) (err error) {
	if was.Trashed == "" {
		was.Grants, err = grants(ctx, conn, was.as, was.url())
	}
	return err
}

// find gives the folder of the quarantine; "" = there is none yet.
func (q quarantine) find(ctx context.Context, conn *saas.Conn) (string, error) {
	if q.folder != "" {
		return q.folder, nil
	}
	return folderIn(ctx, conn, "0", shelter)
}

// folderIn finds a folder of the agent's own by its name.
func folderIn(ctx context.Context, conn *saas.Conn, parent, name string) (id string, err error) {
	items := saas.Req{URL: "/folders/" + parent + "/items?usemarker=true&limit=1000&fields=id,type,name"}
	err = marked(ctx, conn, items, func(row json.RawMessage) {
		if saas.TextAt(row, "type") == "folder" && saas.TextAt(row, "name") == name {
			id = saas.TextAt(row, "id")
		}
	})
	return id, err
}

// makeFolder makes a folder of the agent's own, or finds the one that is there.
func makeFolder(ctx context.Context, conn *saas.Conn, parent, name string) (string, error) {
	var made ref
	body := map[string]any{"name": name, "parent": map[string]string{"id": parent}}
	err := send(ctx, conn, change("", http.MethodPost, "/folders?fields=id,type,name", body), &made)
	if saas.HTTPStatus(err) == http.StatusConflict {
		return folderIn(ctx, conn, parent, name)
	}
	return made.ID, err
}

func (q quarantine) done(ctx context.Context, conn *saas.Conn, _ *saas.Plan, _, now *document) (bool, error) {
	if now == nil || now.as != "" || now.Trashed != "" || now.Link != nil {
		return false, nil
	}
	folder, err := q.find(ctx, conn)
	return now.in(folder), err
}

func (q quarantine) do(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) error {
	if now.Owner.ID != was.Owner.ID && now.Parent != nil { // it is there, and whoever was let in is to go
		now.as = ""
		if err := now.isolate(ctx, conn, now.url()); err != nil {
			return err
		}
		return now.isolate(ctx, conn, "/folders/"+now.Parent.ID)
	}
	if now.Trashed == "" {
		if err := now.isolate(ctx, conn, now.url()); err != nil {
			return err
		}
	}
	folder, err := q.find(ctx, conn)
	if err == nil && folder == "" {
		folder, err = makeFolder(ctx, conn, "0", shelter)
	}
	if err != nil {
		return err
	}
	if folder, err = makeFolder(ctx, conn, folder, now.ID); err != nil {
		return err
	}
	return q.visit(ctx, conn, folder, was.Owner.ID, func() error {
		to := map[string]any{"parent": map[string]string{"id": folder}}
		if now.Trashed != "" { // the folder counts only where the one that it was in is gone
			if err := send(ctx, conn, change(now.as, http.MethodPost, now.url(), to), nil); err != nil {
				return err
			}
			if err := q.surface(ctx, conn, p, now); err != nil || now.Owner.ID != was.Owner.ID {
				return err
			}
		}
		return now.current(ctx, conn, p, func(d *document) error {
			return send(ctx, conn, change(d.as, http.MethodPut, d.url()+"?fields=id,type,parent", to, "If-Match", d.Etag), nil)
		})
	})
}

// surface is for a file that has left the trash: only now it shows its link and its collaborators, which go, and which undo needs.
func (q quarantine) surface(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) error {
	again, err := find(ctx, conn, p.Target)
	if err != nil {
		return err
	}
	if again == nil {
		return &saas.Error{Outcome: saas.Unavailable, Msg: "file " + d.ID + " has left the trash and does not show yet"}
	}
	if again.Owner.ID != d.Owner.ID { // it is the agent's own by now
		again.as = ""
	}
	*d = *again
	if again.Grants, err = grants(ctx, conn, d.as, d.url()); err != nil {
		return err
	}
	if again.Link != nil || len(again.Grants) > 0 {
		if p.After, err = json.Marshal(again); err != nil {
			return err
		}
	}
	return d.isolate(ctx, conn, d.url())
}

// isolate takes the link of a file away, and the collaborators of an item.
func (d *document) isolate(ctx context.Context, conn *saas.Conn, item string) error {
	if d.Link != nil {
		if err := setLink(ctx, conn, d, nil); err != nil {
			return err
		}
	}
	list, err := grants(ctx, conn, d.as, item)
	if err != nil {
		return err
	}
	return dismiss(ctx, conn, d, list)
}

// visit lets a user into a folder of the agent's own while something is done.
func (q quarantine) visit(ctx context.Context, conn *saas.Conn, folder, user string, do func() error) error {
	item := "/folders/" + folder
	g := grant{Role: "editor"}
	g.To.ID = user
	if err := send(ctx, conn, g.invite("", "folder", folder), nil); saas.Code(err) != "user_already_collaborator" && err != nil {
		return err
	}
	list, err := grants(ctx, conn, "", item)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, g.same)
	if i < 0 {
		return &saas.Error{Outcome: saas.Unavailable, Msg: "the invitation of user " + user + " to folder " + folder + " does not show yet"}
	}
	if g = list[i]; g.Status == "pending" {
		accept := change(user, http.MethodPut, "/collaborations/"+g.ID, map[string]string{"status": "accepted"})
		if err := send(ctx, conn, accept, nil); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	return gone(ctx, conn, change("", http.MethodDelete, "/collaborations/"+g.ID, nil))
}

func (q quarantine) undo(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) (lost []string, err error) {
	folder, err := q.find(ctx, conn)
	if err == nil && folder != "" {
		folder, err = folderIn(ctx, conn, folder, was.ID)
	}
	if err != nil {
		return nil, err
	}
	if now.Owner.ID != was.Owner.ID {
		if folder == "" {
			return nil, saas.Refuse("file %s is not where the quarantine put it", was.ID)
		}
		err := q.visit(ctx, conn, folder, was.Owner.ID, func() (err error) {
			lost, err = q.moveBack(ctx, conn, was)
			return err
		})
		if err != nil {
			return nil, err
		}
		if now, err = find(ctx, conn, p.Target); err != nil {
			return nil, err
		}
		if now == nil {
			return nil, &saas.Error{Outcome: saas.Unavailable, Msg: "file " + was.ID + " was moved back and does not show yet"}
		}
	}
	if folder != "" {
		if err := gone(ctx, conn, change("", http.MethodDelete, "/folders/"+folder, nil)); err != nil {
			return nil, err
		}
	}
	if now.Trashed != "" {
		return lost, nil
	}
	if was.Trashed != "" {
		_ = json.Unmarshal(p.After, was) // what surfaced, if anything did
	}
	more, err := bringLink(ctx, conn, was, now)
	if hard(err) {
		return nil, err
	}
	if err != nil {
		more = append(more, "the link: "+err.Error())
	}
	others, err := invite(ctx, conn, was, now)
	if err == nil && was.Trashed != "" {
		err = trash(ctx, conn, p, now)
	}
	return slices.Concat(lost, more, others), err
}

// moveBack moves a file to where it was: by its owner's hand, who has it again with that.
func (q quarantine) moveBack(ctx context.Context, conn *saas.Conn, was *document) (lost []string, err error) {
	at := change(was.Owner.ID, http.MethodPut, was.url()+"?fields=id,type,parent", nil)
	move := func(parent, name string) error {
		body, err := json.Marshal(map[string]any{"parent": map[string]string{"id": parent}, "name": name})
		if err != nil {
			return err
		}
		at.Body = string(body)
		return send(ctx, conn, at, nil)
	}
	parent := "0"
	if was.Parent != nil {
		parent = was.Parent.ID
	}
	err = move(parent, was.Name)
	if s := saas.HTTPStatus(err); parent != "0" && (s == http.StatusNotFound || s == http.StatusForbidden) {
		lost = append(lost, "its place in folder "+was.Parent.Name+" ("+parent+"), which is gone: it lies in the root of its owner's files")
		parent = "0"
		err = move(parent, was.Name)
	}
	if saas.HTTPStatus(err) == http.StatusConflict {
		lost = append(lost, "its name, which another file has: it is "+was.aside())
		err = move(parent, was.aside())
	}
	return lost, err
}
