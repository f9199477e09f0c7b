package salesforce

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/action"
	"github.com/longshore-dev/longshore/internal/saas"
)

var ofFiles = []string{"ModifyAllData"}

type (
	// document is what actions read of a file, and what a plan keeps of it.
	document struct {
		ID, Title, OwnerID, LatestPublishedVersionID string
		IsDeleted                                    bool
		Links                                        []link
		Public                                       []distribution

		kind string // the object it is a record of
	}
	// link is what a file is shared by, but for its owner's own.
	link struct{ ID, LinkedEntityID, ShareType, Visibility string }
	// distribution is a public link. Whoever made it is not asked for its password, which is not kept.
	distribution struct {
		ID, ContentVersionID, Name, DistributionPublicURL, ExpiryDate                                                   string
		PreferencesExpires, PreferencesPasswordRequired, PreferencesAllowOriginalDownload, PreferencesLinkLatestVersion bool
	}
)

// fileAction is an action on a file, told as what remains to be sent: nothing = it is done. A crash costs nothing then. A document
// that is nil is gone for good.
type fileAction struct {
	verb  string
	final string // why there is no undo
	any   bool   // attachments and documents too
	trash bool   // what lies in the recycle bin can be its target
	// prepare leaves in the document what the target means, and says what is in the way.
	prepare func(ctx context.Context, conn *saas.Conn, t saas.Target, was *document) error
	steps   func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) ([]saas.Req, error)
	back    func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) ([]saas.Req, error)
}

// rounds is how often what remains is sent: a step may bring about what the next one needs.
const rounds = 4

func (o *org) fileActions() (list []saas.Action) {
	for _, f := range []fileAction{o.removeLink(), o.restrictLink(), o.removeCollaborator(), o.quarantine(), o.tombstone(),
		{verb: action.DeleteFile, any: true, trash: true, steps: o.toTrash, back: o.fromTrash},
		{verb: action.RestoreFile, any: true, trash: true, steps: o.fromTrash, back: o.toTrash},
		{verb: action.PurgeFile, any: true, trash: true, steps: o.purge,
			final: "what left the recycle bin is gone with its versions and links"}} {
		list = append(list, o.fileAction(f))
	}
	return append(list, o.labels.Action(ofFiles, reference+"contentversion.htm", o.labelled))
}

func (o *org) fileAction(f fileAction) saas.Action {
	a := saas.Action{Verb: f.verb, Needs: ofFiles, Docs: reference + "contentdocument.htm", Irreversible: f.final}
	a.Plan = func(ctx context.Context, conn *saas.Conn, t saas.Target) (*saas.Plan, error) {
		d, err := o.find(ctx, conn, t)
		switch {
		case err != nil:
			return nil, err
		case d == nil:
			return nil, saas.Settled("file %s is gone", t.ID)
		case d.IsDeleted && f.verb == action.TombstoneFile:
			return nil, saas.Settled("file %s lies in the recycle bin", t.ID)
		case d.kind != "ContentDocument" && !f.any:
			return nil, saas.Refuse("%s of %s: it is an %s, which shares what its record shares", f.verb, t.ID, d.kind)
		case d.IsDeleted && !f.trash:
			return nil, saas.Refuse("file %s lies in the recycle bin", t.ID)
		}
		p := &saas.Plan{Verb: f.verb, Target: t}
		if f.prepare != nil {
			if err := f.prepare(ctx, conn, t, d); err != nil {
				return nil, err
			}
		}
		if p.Steps, err = f.steps(ctx, conn, p, d, d); err == nil && len(p.Steps) == 0 {
			err = saas.Settled("%s: file %s is so already", f.verb, t.ID)
		}
		if err != nil {
			return nil, err
		}
		p.Before, err = json.Marshal(d)
		return p, err
	}
	a.Do = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return o.reach(ctx, conn, p, f.steps) }
	a.Done = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) (bool, error) {
		left, err := o.left(ctx, conn, p, f.steps)
		return err == nil && len(left) == 0, err
	}
	if f.back != nil {
		a.Undo = func(ctx context.Context, conn *saas.Conn, p *saas.Plan) error { return o.reach(ctx, conn, p, f.back) }
	}
	return a
}

// left is what remains to be sent.
func (o *org) left(ctx context.Context, conn *saas.Conn, p *saas.Plan,
	steps func(context.Context, *saas.Conn, *saas.Plan, *document, *document) ([]saas.Req, error)) ([]saas.Req, error) {
	was := &document{}
	if err := json.Unmarshal(p.Before, was); err != nil {
		return nil, saas.Refuse("the plan of %s does not say how file %s was: %v", p.Verb, p.Target.ID, err)
	}
	now, err := o.find(ctx, conn, p.Target)
	if err != nil {
		return nil, err
	}
	if now == nil && p.Verb != action.PurgeFile {
		return nil, saas.Refuse("file %s is gone for good", p.Target.ID)
	}
	return steps(ctx, conn, p, was, now)
}

// reach sends what remains until nothing does.
func (o *org) reach(ctx context.Context, conn *saas.Conn, p *saas.Plan,
	steps func(context.Context, *saas.Conn, *saas.Plan, *document, *document) ([]saas.Req, error)) error {
	for range rounds {
		todo, err := o.left(ctx, conn, p, steps)
		for i := 0; i < len(todo) && err == nil; i++ {
			err = send(ctx, conn, todo[i])
		}
		if err != nil || len(todo) == 0 {
			return err
		}
	}
	return nil
}

// send sends one request. SOAP says in a good answer what it did not do.
func send(ctx context.Context, conn *saas.Conn, q saas.Req) error {
	if q.Header["SOAPAction"] == "" {
		return saas.Send(ctx, conn, []saas.Req{q})
	}
	rep, err := conn.Do(ctx, q)
	if err != nil {
		return err
	}
	for row, err := range rep.XML("result") {
		if err != nil {
			return err
		}
		if saas.TextAt(row, "success") != "true" {
			return &saas.Error{Outcome: saas.Invalid, Code: saas.TextAt(row, "errors", "statusCode"), Msg: saas.TextAt(row, "errors", "message"),
				Req: q.Header["SOAPAction"] + " " + saas.TextAt(row, "id")}
		}
	}
	return nil
}

// find reads a file, also one in the recycle bin; nil = there is none any more.
func (o *org) find(ctx context.Context, conn *saas.Conn, t saas.Target) (*document, error) {
	id := strings.TrimPrefix(t.ID, "trash/")
	kinds := map[string]string{ofFile: "ContentDocument", ofAttachment: "Attachment", ofDocument: "Document"}
	d := &document{kind: kinds[id[:min(3, len(id))]]}
	if !isID(id) || d.kind == "" {
		return nil, saas.Refuse("target %q is no file: its id begins with 069, 00P or 015", t.ID)
	}
	fields := "Id,IsDeleted"
	if d.kind == "ContentDocument" {
		fields += ",Title,OwnerId,LatestPublishedVersionId"
	}
	path := o.query("SELECT " + fields + " FROM " + d.kind + " WHERE Id = " + quote(id))
	rows, err := o.all(ctx, conn, strings.Replace(path, "/query?", "/queryAll?", 1))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if err := json.Unmarshal(rows[0], d); err != nil {
		return nil, err
	}
	if d.IsDeleted || d.kind != "ContentDocument" {
		return d, nil
	}
	if d.Links, err = o.linksOf(ctx, conn, d.ID, d.OwnerID); err != nil {
		return nil, err
	}
	public, err := o.all(ctx, conn, o.query("SELECT "+distributionColumns+" FROM ContentDistribution WHERE ContentDocumentId = "+quote(id)))
	for _, row := range public {
		var p distribution
		if err := json.Unmarshal(row, &p); err != nil {
			return nil, err
		}
		d.Public = append(d.Public, p)
	}
	return d, err
}

// linksOf are the links of a file, but for its owner's.
func (o *org) linksOf(ctx context.Context, conn *saas.Conn, id, owner string) (links []link, err error) {
	rows, err := o.all(ctx, conn, o.query("SELECT Id,LinkedEntityId,ShareType,Visibility FROM ContentDocumentLink WHERE ContentDocumentId = "+
		quote(id)))
	for _, row := range rows {
		var l link
		if err := json.Unmarshal(row, &l); err != nil {
			return nil, err
		}
		if l.LinkedEntityID != owner {
			links = append(links, l)
		}
	}
	return links, err
}

// toTrash puts a file into the recycle bin, where it stays for 15 days.
func (o *org) toTrash(_ context.Context, _ *saas.Conn, p *saas.Plan, _, now *document) ([]saas.Req, error) {
	if now.IsDeleted {
		return nil, nil
	}
	return []saas.Req{remove(o.object(now.kind, now.ID))}, nil
}

// fromTrash takes it out of there, for which there is SOAP only.
func (o *org) fromTrash(_ context.Context, _ *saas.Conn, _ *saas.Plan, _, now *document) ([]saas.Req, error) {
	if !now.IsDeleted {
		return nil, nil
	}
	return []saas.Req{o.soap("undelete", now.ID)}, nil
}

func (o *org) purge(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) ([]saas.Req, error) {
	if now == nil {
		return nil, nil
	}
	steps, err := o.toTrash(ctx, conn, p, was, now)
	return append(steps, o.soap("emptyRecycleBin", now.ID)), err
}

// soap calls what there is no REST for.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
func (o *org) soap(call, id string) saas.Req {
	return saas.Req{Method: http.MethodPost, URL: "/services/Soap/u/" + o.APIVersion,
		Header: map[string]string{"Content-Type": "text/xml; charset=UTF-8", "Accept": "text/xml", "SOAPAction": call},
		Body: `<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" ` +
			`xmlns:u="urn:partner.soap.sforce.com"><e:Header><u:SessionHeader><u:sessionId>` + session + `</u:sessionId></u:SessionHeader>` +
			`</e:Header><e:Body><u:` + call + `><u:ids>` + id + `</u:ids></u:` + call + `></e:Body></e:Envelope>`}
}

const (
	// notice is what a file that was removed holds.
	notice = "The content of this file was removed under the data protection policy of your organization.\n" +
		"Please ask your administrator.\n"
	noticeFor = "Longshore: in place of " // and the id of the file, in ReasonForChange
)

// tombstone puts another file with a notice in the place of a file, with its title, owner and links, and the file into the recycle
// bin: of a new version the old ones could still be downloaded.
func (o *org) tombstone() fileAction {
	// standIn is that other file, nil = there is none yet.
	standIn := func(ctx context.Context, conn *saas.Conn, id string) (*document, error) {
		var row struct{ ContentDocumentID string }
		err := o.first(ctx, conn, "SELECT ContentDocumentId FROM ContentVersion WHERE IsLatest = true AND ReasonForChange = "+
			quote(noticeFor+id), &row)
		if err != nil || row.ContentDocumentID == "" {
			return nil, err
		}
		return o.find(ctx, conn, saas.Target{ID: row.ContentDocumentID})
	}
	return fileAction{verb: action.TombstoneFile,
		steps: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) ([]saas.Req, error) {
			d, err := standIn(ctx, conn, was.ID)
			if err != nil {
				return nil, err
			}
			if d == nil {
				return []saas.Req{o.post("ContentVersion", map[string]any{"Title": was.Title, "PathOnClient": "removed.txt",
					"ReasonForChange": noticeFor + was.ID, "VersionData": base64.StdEncoding.EncodeToString([]byte(notice))})}, nil
			}
			steps := o.share(d, was.Links)
			if d.OwnerID != was.OwnerID {
				steps = append(steps, patch(o.object("ContentDocument", d.ID), map[string]any{"OwnerId": was.OwnerID}))
			}
			gone, err := o.toTrash(ctx, conn, p, was, now)
			return append(steps, gone...), err
		},
		back: func(ctx context.Context, conn *saas.Conn, p *saas.Plan, was, now *document) ([]saas.Req, error) {
			steps, err := o.fromTrash(ctx, conn, p, was, now)
			if err != nil {
				return nil, err
			}
			d, err := standIn(ctx, conn, was.ID)
			if d != nil && !d.IsDeleted {
				steps = append(steps, remove(o.object("ContentDocument", d.ID)))
			}
			return steps, err
		}}
}

// share are the requests that give a file links that it lacks.
func (o *org) share(d *document, links []link) (steps []saas.Req) {
	for _, l := range links {
		there := slices.ContainsFunc(d.Links, func(m link) bool { return m.LinkedEntityID == l.LinkedEntityID })
		if l.LinkedEntityID != d.OwnerID && !there {
			steps = append(steps, o.post("ContentDocumentLink", map[string]any{"ContentDocumentId": d.ID, "LinkedEntityId": l.LinkedEntityID,
				"ShareType": l.ShareType, "Visibility": l.Visibility}))
		}
	}
	return steps
}

// expires is when a public link ends, and whether it has by now.
func (d *distribution) expires(now time.Time) bool {
	raw, _ := json.Marshal(d) // texts and truths have a JSON form
	return expired(raw, now)
}
