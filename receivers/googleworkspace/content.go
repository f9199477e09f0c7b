package googleworkspace

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/longshore-dev/longshore/internal/saas"
)

const office = "application/vnd.openxmlformats-officedocument."

// exports are the formats in which documents of Google's own are read: with all that is in them and, where that is too large for an
// export, as text. https://developers.google.com/workspace/drive/api/guides/ref-export-formats
var exports = map[string][]string{
	google + "document":     {office + "wordprocessingml.document", "text/plain"},
	google + "spreadsheet":  {office + "spreadsheetml.sheet"},
	google + "presentation": {office + "presentationml.presentation", "text/plain"},
	google + "drawing":      {"image/svg+xml"},
	google + "script":       {google + "script+json"},
	google + "vid":          nil,
}

// hasContent says whether a file of a type has content to read: not a folder, a shortcut or a form.
func hasContent(mime string) bool { return !strings.HasPrefix(mime, google) || len(exports[mime]) > 0 }

// readOne reads a file as it is now, on behalf of its owner or of a member of its shared drive.
func (f *files) readOne(ctx context.Context, r *saas.Run) error {
	l := of(r)
	var members []json.RawMessage
	if l.Drive != "" {
		by, list, err := f.reader(ctx, r, l.Drive)
		if err != nil {
			return ofOne(err)
		}
		l, members = by, list
	}
	own, err := f.own(ctx, r, r.Now())
	if err != nil {
		return err
	}
	p, err := r.Do(ctx, saas.Req{URL: f.fileURL(r.Item().Key) + "?" + f.wanted(fileFieldsWanted), As: l.As})
	if err != nil {
		return ofOne(err)
	}
	row, err := p.Raw()
	if err != nil {
		return err
	}
	if mime := saas.TextAt(row, "mimeType"); !hasContent(mime) {
		return &saas.Error{Outcome: saas.Missing, Msg: "a " + mime + " has no content to read"}
	}
	raw, err := f.joined(ctx, r, l, row, members, own)
	if err != nil {
		return err
	}
	return r.Emit("", raw)
}

// opener opens contents, and remembers what the vendor was asked to make ready.
type opener struct {
	*files
	mu    sync.Mutex
	ready map[string]string // operations under way, by file and version
}

const maxReady = 1000

// open is Instance.Content.
func (o *opener) open(ctx context.Context, conn *saas.Conn, ref saas.FileRef) (io.ReadCloser, error) {
	id, as, mime := saas.TextAt(ref.Raw, "file", "id"), saas.TextAt(ref.Raw, "as"), saas.TextAt(ref.Raw, "file", "mimeType")
	if !strings.HasPrefix(mime, google) {
		return body(ctx, conn, saas.Req{URL: o.fileURL(id) + "?alt=media&acknowledgeAbuse=false&supportsAllDrives=true", As: as})
	}
	var rc io.ReadCloser
	err := error(&saas.Error{Outcome: saas.Invalid, Msg: "a " + mime + " has no content to read"})
	for _, format := range exports[mime] {
		rc, err = body(ctx, conn, saas.Req{URL: o.fileURL(id) + "/export?mimeType=" + url.QueryEscape(format), As: as})
		if !saas.Is(err, saas.TooMuch) {
			return rc, err
		}
	}
	if saas.Is(err, saas.TooMuch) {
		return o.whole(ctx, conn, id, as, id+"@"+saas.TextAt(ref.Raw, "file", "version"), exports[mime][0])
	}
	return rc, err
}

// whole reads what is too large for an export: the vendor makes it ready, which takes a while.
// https://developers.google.com/workspace/drive/api/guides/manage-downloads
func (o *opener) whole(ctx context.Context, conn *saas.Conn, id, as, key, format string) (io.ReadCloser, error) {
	o.mu.Lock()
	name := o.ready[key]
	o.mu.Unlock()
	q := saas.Req{URL: o.drive("/operations/" + url.PathEscape(name)), As: as}
	if name == "" {
		q = change(as, "POST", o.fileURL(id)+"/download?mimeType="+url.QueryEscape(format), nil)
	}
	var op struct {
		Name     string
		Done     bool
		Error    *struct{ Message string }
		Response struct{ DownloadURI string }
	}
	if err := send(ctx, conn, q, &op); err != nil {
		o.remember(key, "")
		return nil, err
	}
	switch {
	case !op.Done:
		o.remember(key, cmp.Or(op.Name, name))
		return nil, &saas.Error{Outcome: saas.Unavailable, Code: "not_ready", Msg: "file " + id + " is being made ready"}
	case op.Error != nil || op.Response.DownloadURI == "":
		o.remember(key, "")
		return nil, &saas.Error{Outcome: saas.Invalid, Msg: "file " + id + " cannot be made ready", Err: errors.New(encode(op.Error))}
	}
	o.remember(key, "")
	return body(ctx, conn, saas.Req{URL: op.Response.DownloadURI, As: as})
}

func (o *opener) remember(key, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ready == nil || len(o.ready) >= maxReady {
		o.ready = map[string]string{}
	}
	if o.ready[key] = name; name == "" {
		delete(o.ready, key)
	}
}

func body(ctx context.Context, conn *saas.Conn, q saas.Req) (io.ReadCloser, error) {
	p, err := conn.Do(ctx, q)
	if err != nil {
		return nil, err
	}
	return p.Body(), nil
}

// send sends one request and reads its small answer.
func send(ctx context.Context, conn *saas.Conn, q saas.Req, into any) error {
	p, err := conn.Do(ctx, q)
	if err == nil {
		err = p.Into(into)
	}
	return err
}

// place is the mark of a feed of changes.
type place struct {
	Token string `json:"token"`
}

// followed is follow for one of many.
func (f *files) followed(ctx context.Context, r *saas.Run) error { return ofOne(f.follow(ctx, r)) }

// follow reads what changed of a user's own files, or in a shared drive, since the last time: each is then read as it is. A change
// is a state and no event, so that nothing else is told of it; what is gone the next walk finds. Tokens do not expire.
// https://developers.google.com/workspace/drive/api/guides/manage-changes
func (f *files) follow(ctx context.Context, r *saas.Run) error {
	l, q := of(r), url.Values{"supportsAllDrives": {"true"}}
	if l.Drive != "" {
		by, _, err := f.reader(ctx, r, l.Drive)
		if err != nil {
			return err
		}
		l = by
		q.Set("driveId", l.Drive)
	}
	var m place
	if !r.Mark(&m) || m.Token == "" {
		var start struct{ StartPageToken string }
		p, err := r.Do(ctx, saas.Req{URL: f.drive("/changes/startPageToken?" + q.Encode()), As: l.As})
		if err == nil {
			err = p.Into(&start)
		}
		if err != nil {
			return err
		}
		m.Token = start.StartPageToken
		r.Done()
		return r.Commit(m)
	}
	q.Set("pageSize", "1000")
	q.Set("includeRemoved", "true")
	if l.Drive != "" {
		q.Set("includeItemsFromAllDrives", "true")
	} else {
		q.Set("restrictToMyDrive", "true")
	}
	q.Set("fields", "nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file(mimeType,ownedByMe,driveId))")
	for {
		q.Set("pageToken", m.Token)
		p, err := r.Do(ctx, saas.Req{URL: f.drive("/changes?" + q.Encode()), As: l.As})
		if err != nil {
			return err
		}
		for row, err := range p.JSON("changes") {
			if err != nil {
				return err
			}
			f.changed(r, l, row)
		}
		next, last := p.Field("nextPageToken"), p.Field("newStartPageToken")
		if next == m.Token || next == "" && last == "" {
			return &saas.Error{Outcome: saas.Unavailable, Req: "GET /drive/v3/changes", Msg: "the page does not say what follows"}
		}
		m.Token = cmp.Or(next, last)
		if err := r.Commit(m); err != nil || next == "" {
			return err
		}
	}
}

func (f *files) changed(r *saas.Run, l lead, row json.RawMessage) {
	mime, id := saas.TextAt(row, "file", "mimeType"), saas.TextAt(row, "fileId")
	mine := l.Drive != "" || string(saas.Member(row, "file", "ownedByMe")) == "true"
	if string(saas.Member(row, "removed")) == "true" || saas.TextAt(row, "changeType") == "drive" || id == "" || !mine || !hasContent(mime) {
		return
	}
	r.Put(contentItem(id, l))
}
