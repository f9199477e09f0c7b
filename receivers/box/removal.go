package box

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// trash puts a file into its owner's trash; the enterprise's settings may say that it is gone at once.
func trash(ctx context.Context, conn *saas.Conn, p *saas.Plan, d *document) error {
	return d.current(ctx, conn, p, func(d *document) error {
		return gone(ctx, conn, change(d.as, http.MethodDelete, d.url(), nil, "If-Match", d.Etag))
	})
}

// unearth takes a file out of the trash: into the folder it was in or, where that is gone, into the one that is given.
func unearth(ctx context.Context, conn *saas.Conn, d *document, otherwise string) (lost []string, err error) {
	ask := func(body map[string]any) error {
		return send(ctx, conn, change(d.as, http.MethodPost, d.url(), body), nil)
	}
	body := map[string]any{}
	if err = ask(body); saas.HTTPStatus(err) == http.StatusForbidden {
		lost = append(lost, "the folder it was in, which is gone")
		body["parent"] = map[string]string{"id": otherwise}
		err = ask(body)
	}
	if saas.HTTPStatus(err) == http.StatusConflict {
		lost = append(lost, "its name, which another file has: it is "+d.aside())
		body["name"] = d.aside()
		err = ask(body)
	}
	return lost, err
}

// aside is a name for where another file has the file's own.
func (d *document) aside() string { return d.ID + "__" + d.Name }

func isTrashed(_ context.Context, _ *saas.Conn, _ *saas.Plan, _, now *document) (bool, error) {
	return now == nil || now.Trashed != "", nil
}

var deleteFile = fileAction{verb: action.DeleteFile, docs: "delete-files-id", buried: true, done: isTrashed,
	do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, _, now *document) error {
		return trash(ctx, conn, p, now)
	},
	undo: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, _, now *document) ([]string, error) {
		if now.Trashed == "" {
			return nil, nil
		}
		return unearth(ctx, conn, now, "0")
	}}

var restoreFile = fileAction{verb: action.RestoreFile, docs: "post-files-id", buried: true,
	done: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, _, now *document) (bool, error) {
		return now != nil && now.Trashed == "", nil
	},
	do: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, _, now *document) error {
		_, err := unearth(ctx, conn, now, "0")
		return err
	},
	undo: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, _, now *document) ([]string, error) {
		if now.Trashed != "" {
			return nil, nil
		}
		return nil, trash(ctx, conn, p, now)
	}}

var purgeFile = fileAction{verb: action.PurgeFile, docs: "delete-files-id-trash", buried: true,
	final: "what is purged is gone, with its versions, comments and links",
	done: func(_ context.Context, _ *saas.Conn, _ *saas.Plan, _, now *document) (bool, error) {
		return now == nil, nil
	},
	do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, _, now *document) error {
		if now.Trashed == "" {
			if err := trash(ctx, conn, p, now); err != nil {
				return err
			}
		}
		return gone(ctx, conn, change(now.as, http.MethodDelete, now.url()+"/trash", nil))
	}}

// notice is what a file that was removed holds.
const notice = "The content of this file was removed under the data protection policy of your organization.\r\n" +
	"Please ask your administrator.\r\n"

func sum(text string) string {
	h := sha1.Sum([]byte(text))
	return hex.EncodeToString(h[:])
}

// past are the old versions of a file, those in the trash left out.
func past(ctx context.Context, conn *saas.Conn, d *document) ([]ref, error) {
	var list []ref
	for {
		var page struct {
			Total   int `json:"total_count"`
			Entries []ref
		}
		err := send(ctx, conn, asUser(d.as, fmt.Sprintf("%s/versions?fields=id,type,trashed_at&limit=1000&offset=%d", d.url(), len(list))), &page)
		if err != nil {
			return nil, err
		}
		list = append(list, page.Entries...)
		if len(page.Entries) == 0 || len(list) >= min(page.Total, maxCollabs) {
			return slices.DeleteFunc(list, func(v ref) bool { return v.Trashed != "" }), nil
		}
	}
}

// tombstone puts a notice in the place of the content and the old versions into the trash, from where they are gone in time.
func tombstone(c *Config) fileAction {
	return fileAction{verb: action.TombstoneFile, docs: "post-files-id-content",
		plan: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was *document) (err error) {
			was.Versions, err = past(ctx, conn, was)
			return err
		},
		done: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, _, now *document) (bool, error) {
			if now == nil || !strings.EqualFold(now.SHA1, sum(notice)) {
				return now == nil, nil
			}
			old, err := past(ctx, conn, now)
			return len(old) == 0, err
		},
		do: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, _, now *document) error {
			if !strings.EqualFold(now.SHA1, sum(notice)) {
				err := now.current(ctx, conn, p, func(d *document) error { return c.overwrite(ctx, conn, d, notice) })
				if err != nil {
					return err
				}
			}
			old, err := past(ctx, conn, now)
			for _, v := range old {
				if err = gone(ctx, conn, change(now.as, http.MethodDelete, now.url()+"/versions/"+v.ID, nil)); err != nil {
					return err
				}
			}
			return err
		},
		undo: func(ctx context.Context, conn *saas.Conn, _ *saas.Plan, was, now *document) (lost []string, err error) {
			for _, v := range append(slices.Clone(was.Versions), was.Version) {
				back := change(now.as, http.MethodPut, now.url()+"/versions/"+v.ID, map[string]any{"trashed_at": nil})
				if err := send(ctx, conn, back, nil); saas.HTTPStatus(err) == http.StatusNotFound {
					lost = append(lost, "version "+v.ID+", which left the trash")
				} else if err != nil {
					return nil, err
				}
			}
			if strings.EqualFold(now.SHA1, was.SHA1) {
				return lost, nil
			}
			return lost, send(ctx, conn, change(now.as, http.MethodPost, now.url()+"/versions/current",
				map[string]string{"type": "file_version", "id": was.Version.ID}), nil)
		}}
}

// overwrite uploads a text as the new version of a file.
func (c *Config) overwrite(ctx context.Context, conn *saas.Conn, d *document, text string) error {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	name, err := json.Marshal(map[string]string{"name": d.Name})
	if err == nil {
		err = w.WriteField("attributes", string(name)) // which Box wants first
	}
	if err != nil {
		return fmt.Errorf("write attributes of file %s: %w", d.ID, err)
	}
	part, err := w.CreateFormFile("file", "notice.txt")
	if err == nil {
		_, err = part.Write([]byte(text))
	}
	if err = cmp.Or(err, w.Close()); err != nil {
		return fmt.Errorf("write form of file %s: %w", d.ID, err)
	}
	q := change(d.as, http.MethodPost, c.URLs.Upload+d.url()+"/content", nil, "If-Match", d.Etag, "content-md5", sum(text),
		"Content-Type", w.FormDataContentType())
	q.Body = form.String()
	return send(ctx, conn, q, nil)
}
