package infile

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/dlp/label"
	"github.com/longshore-dev/longshore/internal/saas"
)

// Version is a version of a file.
type Version struct {
	Name string `json:"name"`    // of the file, for people
	ID   string `json:"version"` // the vendor's
	Sum  string `json:"sum"`     // what the vendor gives to tell contents apart: the same = the same bytes
	Size int64  `json:"size"`
}

// File is a file at a vendor, with its current version as it was found.
type File interface {
	Version() Version
	// Open gives the content of that version.
	Open(ctx context.Context) (io.ReadCloser, error)
	// Write stores a content as a new version, unless the one that was found is no longer the current one: then the error has
	// the status 412. All else that belongs to the file stays. Whatever happens, the file is whole: as it was or as it is to be.
	Write(ctx context.Context, content string) (Version, error)
	// Back makes the bytes of an earlier version the current ones again, in the place of the version that was found.
	Back(ctx context.Context, to Version) error
}

// Find finds the file of a target. An error says also why no label may be put into it.
type Find func(ctx context.Context, conn *saas.Conn, t saas.Target) (File, error)

// plan is what a plan keeps: how the file was, and what is to become of it.
type plan struct {
	Version
	Label  string    `json:"label"`
	Site   string    `json:"site"`
	Title  string    `json:"label_name,omitempty"`
	At     time.Time `json:"at"`               // the label's date
	Result string    `json:"result"`           // the sum of the content with the label
	Labels []string  `json:"labels,omitempty"` // that were in force
	Parts  []string  `json:"parts"`            // of the file that are changed
	Notes  []string  `json:"notes,omitempty"`
}

func planned(p *saas.Plan) (was plan, now *Version, err error) {
	if err := json.Unmarshal(p.Before, &was); err != nil {
		return was, nil, saas.Refuse("the plan of %s does not say how file %s was: %v", p.Verb, p.Target.ID, err)
	}
	if len(p.After) > 0 {
		now = &Version{}
		err = json.Unmarshal(p.After, now)
	}
	return was, now, err
}

// Action is apply_label for the files that find finds. The target's params: "label", "place" (file, or none).
func (l *Labels) Action(needs []string, docs string, find Find) saas.Action {
	held := func(do func(ctx context.Context, p *saas.Plan, f File) error) func(context.Context, *saas.Conn, *saas.Plan) error {
		return func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
			release, err := l.hold(ctx)
			if err != nil {
				return err
			}
			defer release()
			f, err := find(ctx, conn, p.Target)
			if err != nil {
				return err
			}
			return do(ctx, p, f)
		}
	}
	a := saas.Action{Verb: action.ApplyLabel, Needs: needs, Docs: docs}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		if _, _, err := l.wanted(t); err != nil {
			return nil, err
		}
		p := &saas.Plan{Verb: a.Verb, Target: t}
		if err := held(l.plan)(ctx, conn, p); err != nil {
			return nil, err
		}
		return p, nil
	}
	a.Do, a.Undo = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error {
		err := held(l.do)(ctx, conn, p)
		if saas.HTTPStatus(err) == http.StatusPreconditionFailed { // by what others wrote, or by what was sent again and had arrived
			err = held(l.do)(ctx, conn, p)
		}
		return err
	}, held(l.undo)
	a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (is bool, err error) {
		err = held(func(ctx context.Context, p *saas.Plan, f File) error {
			was, _, err := planned(p)
			if err != nil {
				return err
			}
			content, err := read(ctx, f)
			if err == nil {
				is, err = l.has(content, was.Label)
			}
			return err
		})(ctx, conn, p)
		return is, err
	}
	return a
}

// plan reads the file and works out what is to be written.
func (l *Labels) plan(ctx context.Context, p *saas.Plan, f File) error {
	id, name, err := l.wanted(p.Target)
	if err != nil {
		return err
	}
	was := plan{Version: f.Version(), Label: id, Site: l.site, Title: name, At: time.Now().UTC().Truncate(time.Second)}
	content, err := read(ctx, f)
	if err != nil {
		return err
	}
	if has, err := l.has(content, id); err != nil {
		return err
	} else if has {
		return saas.Settled("%s has the label %s", was.Name, id)
	}
	now, e, err := l.set(content, id, name, was.At)
	if err != nil {
		return told(was.Name, err)
	}
	was.Result, was.Notes = sum(now), e.Notes
	for _, o := range e.Before {
		if o.InForce() {
			was.Labels = append(was.Labels, o.ID)
		}
	}
	for _, part := range e.Parts {
		was.Parts = append(was.Parts, part.String())
	}
	p.Before, err = json.Marshal(was)
	return err
}

// told says why no label is put into a file.
func told(name string, err error) error {
	var r *label.Refusal
	if errors.As(err, &r) {
		return saas.Refuse("%s: %s", name, r.Reason)
	}
	return err
}

// do writes the file with the label, unless it is there, from before a crash, or another version is.
func (l *Labels) do(ctx context.Context, p *saas.Plan, f File) error {
	was, done, err := planned(p)
	if err != nil || done != nil {
		return err
	}
	if v := f.Version(); v.ID != was.ID || v.Sum != was.Sum {
		return l.written(ctx, p, f, was)
	}
	content, err := read(ctx, f)
	if err != nil {
		return err
	}
	content, _, err = l.set(content, was.Label, was.Title, was.At)
	if err != nil {
		return told(was.Name, err)
	}
	v, err := f.Write(ctx, content)
	if err != nil {
		return err
	}
	p.After, err = json.Marshal(v)
	return err
}

// written takes over what an attempt before wrote, whose answer was lost: the bytes tell it from what others wrote.
func (l *Labels) written(ctx context.Context, p *saas.Plan, f File, was plan) error {
	content, err := read(ctx, f)
	if err != nil {
		return err
	}
	if sum(content) != was.Result {
		return saas.Refuse("%s was changed since it was looked at: it is left as it is", was.Name)
	}
	p.After, err = json.Marshal(f.Version())
	return err
}

// undo brings the earlier bytes back, unless they are back or somebody has written others since.
func (l *Labels) undo(ctx context.Context, p *saas.Plan, f File) error {
	was, done, err := planned(p)
	v := f.Version()
	switch {
	case err != nil || v.Sum == was.Sum:
		return err
	case done == nil:
		err = l.written(ctx, p, f, was)
	case v.ID != done.ID || v.Sum != done.Sum:
		err = saas.Refuse("%s was changed since the label was put into it: version %s has what it was before", was.Name, was.ID)
	}
	if err != nil {
		return err
	}
	return f.Back(ctx, was.Version)
}
