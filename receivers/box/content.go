package box

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// maxParents is how many of the folders of a file are asked what they give others, the nearest first.
const maxParents = 32

// touched reads a file as it is now, as the user who owns it, and what its folders give others.
func (f *files) touched(ctx context.Context, r *saas.Run) error {
	var l lead
	if data := r.Item().Data; len(data) > 0 {
		if err := json.Unmarshal(data, &l); err != nil {
			return &saas.Error{Outcome: saas.Invalid, Msg: "file " + r.Item().Key + ": its part cannot be read", Err: err}
		}
	}
	id, buried := strings.CutPrefix(r.Item().Key, inTrash)
	path := "/files/" + url.PathEscape(id) + "?fields=" + itemFields
	if buried { // of which Box shows what it wants to
		path = "/files/" + url.PathEscape(id) + "/trash"
	}
	p, as, err := asOwner(ctx, r, l.As, path)
	if err != nil {
		return err
	}
	row, err := p.Raw()
	if err != nil {
		return err
	}
	var it item
	if err := json.Unmarshal(row, &it); err != nil {
		return &saas.Error{Outcome: saas.Missing, Req: path, Msg: "what was answered is no file", Err: err}
	}
	if it.Outside {
		return &saas.Error{Outcome: saas.Missing, Req: path, Msg: "it belongs to somebody outside, whose it is to look into"}
	}
	var inherited share
	if l.Inherited != nil {
		inherited = *l.Inherited
	} else if inherited, err = f.above(ctx, r, as, it.Path.Entries); err != nil {
		return err
	}
	if buried {
		return r.Emit("", saas.Join("item", row))
	}
	collabs, own, err := f.shared(ctx, r, as, &it)
	if hard(err) {
		return err
	}
	return r.Emit("", joined(row, collabs, own, inherited))
}

// above is what the folders of a file give others. One that may not be read gives nothing.
func (f *files) above(ctx context.Context, r *saas.Run, as string, path []item) (s share, err error) {
	for i := len(path) - 1; i >= max(0, len(path)-maxParents); i-- {
		if path[i].ID == "0" {
			continue
		}
		var it item
		p, err := r.Do(ctx, asUser(as, "/folders/"+url.PathEscape(path[i].ID)+"?fields=id,type,owned_by,shared_link,has_collaborations"))
		if err == nil {
			err = p.Into(&it)
		}
		var own share
		if err == nil {
			_, own, err = f.shared(ctx, r, as, &it)
		}
		if hard(err) {
			return share{}, err
		}
		s = s.and(own)
	}
	return s, nil
}

// hard says whether a failure may pass when the same is asked again.
func hard(err error) bool {
	soft := func(o saas.Outcome) bool { return saas.Is(err, o) }
	return err != nil && !soft(saas.Denied) && !soft(saas.Missing) && !soft(saas.Invalid) && !soft(saas.Expired)
}

// asOwner asks as a user, and as the credential's own account where that user may not or cannot: the file has another owner
// by now, or the user was deactivated. What neither sees is gone.
func asOwner(ctx context.Context, d saas.Doer, user, path string) (p *saas.Reply, as string, err error) {
	p, err = d.Do(ctx, asUser(user, path))
	refused := func() bool { return saas.Is(err, saas.Denied) || saas.Is(err, saas.Missing) }
	if user != "" && refused() && saas.Code(err) != "trashed" {
		first := err
		if p, err = d.Do(ctx, asUser("", path)); refused() {
			err = first
		}
		user = ""
	}
	return p, user, err
}

// content is Instance.Content: the bytes of a file, as its owner.
func content(ctx context.Context, conn *saas.Conn, ref saas.FileRef) (io.ReadCloser, error) {
	as := saas.TextAt(ref.Raw, "item", "owned_by", "id")
	p, _, err := asOwner(ctx, conn, as, "/files/"+url.PathEscape(saas.TextAt(ref.Raw, "item", "id"))+"/content")
	if err != nil {
		return nil, err
	}
	return p.Body(), nil
}
