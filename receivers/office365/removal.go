package office365

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

// notice takes the place of the content of a file.
const notice = "The content of this file was removed by a policy of your organization. Ask your security team about it.\n"

// progress is what a plan learns while a copy is made, in After.
type progress struct {
	Monitor string `json:"monitor,omitempty"` // where to ask how far it is
	Copy    string `json:"copy,omitempty"`    // the id of the copy
}

func (h *hand) progress() (p progress) {
	if len(h.p.After) > 0 && json.Unmarshal(h.p.After, &p) != nil {
		return progress{}
	}
	return p
}

func (h *hand) learnt(p progress) (err error) {
	h.p.After, err = json.Marshal(p)
	return err
}

// copied copies a file, and gives the id of the copy once that is there. https://learn.microsoft.com/graph/long-running-actions-overview
func (h *hand) copied(ctx context.Context) (id string, err error) {
	made := h.progress()
	if made.Copy != "" {
		return made.Copy, nil
	}
	if made.Monitor == "" {
		body, err := json.Marshal(map[string]any{"name": h.was.Unique + " " + h.was.Name, "includeAllVersionHistory": true,
			"parentReference": map[string]string{"driveId": h.Quarantine.DriveID, "id": cmp.Or(h.Quarantine.FolderID, "root")}})
		if err != nil {
			return "", err
		}
		rep, err := h.conn.Do(ctx, post(h.now.url()+"/copy", string(body)))
		if err != nil {
			return "", err
		}
		if made.Monitor = rep.Field("Location"); rep.Into(nil) != nil || made.Monitor == "" {
			return "", &saas.Error{Outcome: saas.Unavailable, Msg: "the answer does not say where to ask for the copy"}
		}
		if err := h.learnt(made); err != nil {
			return "", err
		}
	}
	rep, err := h.conn.Do(ctx, saas.Req{URL: made.Monitor, NoAuth: true})
	if err != nil {
		return "", err
	}
	var job struct{ Status, ResourceID, ErrorCode string }
	switch err := rep.Into(&job); {
	case err != nil:
		return "", err
	case job.Status == "failed" && job.ErrorCode == "nameAlreadyExists", job.ResourceID != "" && job.Status == "completed":
		made.Copy = cmp.Or(job.ResourceID, "there")
		return made.Copy, h.learnt(made)
	case job.Status == "failed":
		return "", saas.Refuse("file %s cannot be copied: %s", h.was.ID, job.ErrorCode)
	}
	return "", &saas.Error{Outcome: saas.Pending, Msg: "the copy is being made"}
}

// quarantine copies a file with its versions to where only administrators look, and throws the original away. From the recycle bin
// it comes back as it was.
var quarantine = fileAction{verb: action.QuarantineFile, docs: graphDocs + "driveitem-copy", needs: []string{sharePointRight},
	plan: func(_ context.Context, h *hand) error {
		if h.Quarantine.DriveID == "" {
			return saas.Refuse("quarantine.drive_id names no drive: there is nowhere to put file %s", h.was.ID)
		}
		if h.was.Drive == h.Quarantine.DriveID {
			return saas.Settled("file %s lies in quarantine", h.was.ID)
		}
		return nil
	},
	done: func(_ context.Context, h *hand) (bool, error) { return h.now == nil && h.progress().Copy != "", nil },
	do: func(ctx context.Context, h *hand) error {
		if h.now == nil {
			return saas.Refuse("file %s is gone", h.was.ID)
		}
		if _, err := h.copied(ctx); err != nil {
			return err
		}
		return h.change(ctx, http.MethodDelete, "", "", nil)
	},
	undo: func(ctx context.Context, h *hand) ([]string, error) {
		made := h.progress().Copy
		if err := h.unbin(ctx); err != nil || made == "" || made == "there" {
			return nil, err
		}
		return nil, saas.Send(ctx, h.conn, []saas.Req{{Method: http.MethodDelete,
			URL: (&document{Drive: h.Quarantine.DriveID, ID: made}).url()}})
	}}

// unbin takes a file that was thrown away out of the recycle bin of its site.
func (h *hand) unbin(ctx context.Context) error {
	if h.now != nil {
		return nil
	}
	d, err := h.inBinOf(ctx, h.conn, h.was.Site, func(row json.RawMessage) bool { return saas.TextAt(row, "LeafName") == h.was.Name })
	if err != nil {
		return err
	}
	if d == nil {
		return saas.Refuse("file %s is not in the recycle bin of %s", h.was.Name, h.was.Site)
	}
	return h.inBin(ctx, d, "restore()")
}

// inBin does something with what lies in a recycle bin.
func (h *hand) inBin(ctx context.Context, d *document, what string) error {
	q, err := h.atSite(d.Site, "site/RecycleBin('"+d.Bin+"')/"+what)
	if err != nil {
		return err
	}
	q.Method = http.MethodPost
	return saas.Send(ctx, h.conn, []saas.Req{q})
}

func isGone(_ context.Context, h *hand) (bool, error) { return h.now == nil, nil }

var deleteFile = fileAction{verb: action.DeleteFile, docs: graphDocs + "driveitem-delete", done: isGone,
	do: func(ctx context.Context, h *hand) error { return h.change(ctx, http.MethodDelete, "", "", nil) },
	undo: func(ctx context.Context, h *hand) ([]string, error) {
		return nil, h.unbin(ctx)
	}}

var restoreFile = fileAction{verb: action.RestoreFile, docs: recycleDocs, needs: []string{sharePointRight}, binned: true,
	final: "delete_file puts it into the recycle bin again", done: func(_ context.Context, h *hand) (bool, error) {
		return h.was.Bin == "" || h.now == nil, nil
	},
	do: func(ctx context.Context, h *hand) error { return h.inBin(ctx, h.now, "restore()") }}

var purgeFile = fileAction{verb: action.PurgeFile, docs: graphDocs + "driveitem-permanentdelete", binned: true, done: isGone,
	final: "what was deleted for good does not come back",
	do: func(ctx context.Context, h *hand) error {
		if h.now.Bin != "" {
			return h.inBin(ctx, h.now, "deleteObject()")
		}
		return h.change(ctx, http.MethodPost, "/permanentDelete", "", nil)
	}}

// isNotice says whether the file holds the notice.
func (h *hand) isNotice(ctx context.Context) (bool, error) {
	if h.now.Size != int64(len(notice)) {
		return false, nil
	}
	in, err := download(ctx, h.conn, h.now.url())
	if err != nil {
		return false, err
	}
	defer func() { _ = in.Close() }()
	text, err := io.ReadAll(in)
	return string(text) == notice, err
}

// tombstone puts a notice in the place of the content, whose old versions go: these the site's own API removes.
var tombstone = fileAction{verb: action.TombstoneFile, docs: graphDocs + "driveitem-put-content", needs: []string{sharePointRight},
	final: "the content is gone, and its versions with it",
	done: func(ctx context.Context, h *hand) (bool, error) {
		if h.now == nil {
			return true, nil
		}
		if is, err := h.isNotice(ctx); err != nil || !is {
			return false, err
		}
		n := 0
		err := eachRow(ctx, h.conn, h.now.url()+"/versions", func(json.RawMessage) error { n++; return nil })
		return n < 2, err
	},
	do: func(ctx context.Context, h *hand) error {
		if is, err := h.isNotice(ctx); err != nil {
			return err
		} else if !is {
			if err := h.change(ctx, http.MethodPut, "/content", notice, nil); err != nil {
				return err
			}
		}
		q, err := h.atSite(h.was.Site, "web/GetFileById('"+strings.ToLower(h.was.Unique)+"')/versions/DeleteAll()")
		if err != nil {
			return err
		}
		q.Method = http.MethodPost
		return saas.Send(ctx, h.conn, []saas.Req{q})
	}}

// labelOf is the sensitivity label of a file; "" = it has none.
func (h *hand) labelOf(ctx context.Context, d *document) (string, error) {
	var got struct {
		Labels []struct {
			ID string `json:"sensitivityLabelId"`
		}
	}
	rep, err := h.conn.Do(ctx, post(d.url()+"/extractSensitivityLabels", ""))
	if err == nil {
		err = rep.Into(&got)
	}
	for _, l := range got.Labels {
		return l.ID, err
	}
	return "", err
}

// wanted is the id of the label that a target names, by that or by its name.
func (h *hand) wanted(ctx context.Context) (id string, err error) {
	name := h.p.Target.Params["label"]
	if name == "" || isGUID(name) {
		return strings.ToLower(name), nil
	}
	err = eachRow(ctx, h.conn, "/security/dataSecurityAndGovernance/sensitivityLabels", func(row json.RawMessage) error {
		if strings.EqualFold(saas.TextAt(row, "name"), name) || strings.EqualFold(saas.TextAt(row, "displayName"), name) {
			id = strings.ToLower(saas.TextAt(row, "id"))
		}
		return nil
	})
	if err == nil && id == "" {
		err = saas.Refuse("label: there is no sensitivity label %q", name)
	}
	return id, err
}

// assign gives a file a label; "" takes it away. It shows some time after.
func (h *hand) assign(ctx context.Context, id string) error {
	body, err := json.Marshal(map[string]string{"sensitivityLabelId": id, "assignmentMethod": "privileged",
		"justificationText": "by a policy of the organization"})
	if err != nil {
		return err
	}
	return h.change(ctx, http.MethodPost, "/assignSensitivityLabel", string(body), nil)
}

var applyLabel = fileAction{verb: action.ApplyLabel, docs: graphDocs + "driveitem-assignsensitivitylabel",
	plan: func(ctx context.Context, h *hand) (err error) {
		if !clouds[h.Cloud].label {
			return saas.Refuse("labels can be assigned in the global cloud only, not in %s", h.Cloud)
		}
		if id, err := h.wanted(ctx); err != nil || id == "" {
			return cmp.Or(err, saas.Refuse("label: empty, want the id or the name of a sensitivity label"))
		}
		h.was.Label, err = h.labelOf(ctx, h.now)
		return err
	},
	done: func(ctx context.Context, h *hand) (bool, error) {
		if h.now == nil {
			return true, nil
		}
		id, err := h.wanted(ctx)
		if err != nil {
			return false, err
		}
		is, err := h.labelOf(ctx, h.now)
		return strings.EqualFold(is, id), err
	},
	do: func(ctx context.Context, h *hand) error {
		id, err := h.wanted(ctx)
		if err != nil {
			return err
		}
		return h.assign(ctx, id)
	},
	undo: func(ctx context.Context, h *hand) ([]string, error) { return nil, h.assign(ctx, h.was.Label) }}
