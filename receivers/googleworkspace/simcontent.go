package googleworkspace

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const simOffice = "application/vnd.openxmlformats-officedocument."

// simExports are what the editors' files are exported as.
// https://developers.google.com/workspace/drive/api/guides/ref-export-formats
var simExports = map[string][]string{
	simGoogle + "document":     {simOffice + "wordprocessingml.document", "text/plain", "text/html", "application/zip", "application/pdf"},
	simGoogle + "spreadsheet":  {simOffice + "spreadsheetml.sheet", "text/csv", "application/zip", "application/pdf"},
	simGoogle + "presentation": {simOffice + "presentationml.presentation", "text/plain", "application/pdf"},
}

// simExportMost is the size up to which files are exported.
const simExportMost = 10 << 20

// exported is the content of an editors' file in a format.
func (r simRev) exported(kind string) []byte {
	if r.data != nil {
		return r.data
	}
	d := r.doc
	for i := range sim.DocKinds {
		if sim.DocKinds[i].MIME == kind {
			d.Kind = &sim.DocKinds[i]
			break
		}
	}
	return d.Bytes()
}

// content is ?alt=media.
func (s *simOrg) content(a *simAsk, rev int) (any, *simNo) {
	switch {
	case len(a.f.revs) == 0 || a.f.editors():
		return nil, simForbid("fileNotDownloadable", "Only files with binary content can be downloaded. Use Export with Docs Editors files.")
	case a.f.copyless && simRank(a.role) < simRank("writer"):
		return nil, simForbid("cannotDownloadFile", "This file cannot be downloaded by the user.")
	case a.f.abusive && !(a.yes("acknowledgeAbuse") && a.role == "owner"):
		return nil, simForbid("cannotDownloadAbusiveFile", "This file has been identified as malware or spam and cannot be downloaded.")
	}
	r := a.f.revs[rev]
	if s.tree.odd.host != "" {
		return simReply{http.StatusFound, map[string]string{"Location": s.signed(s.tree.odd.host, a.f, r, "")}, nil}, nil
	}
	return simReply{0, map[string]string{"Content-Type": a.f.mime,
		"Content-Disposition": mime.FormatMediaType("attachment", map[string]string{"filename": a.f.name})}, [][]byte{r.bytes()}}, nil
}

// signed is a URL that gives a revision without a token, for a while.
func (s *simOrg) signed(base string, f *simFile, r simRev, kind string) string {
	until := s.o.Now().Add(15 * time.Minute).Unix()
	return fmt.Sprintf("%s/download/%s/%s?until=%d&as=%s&signature=%016x", base, f.id, r.id, until, kind, s.signature(r.id, until))
}

func (s *simOrg) signature(rev string, until int64) uint64 {
	return sim.Hash(s.o.Seed, 66, sim.KeySum(rev), uint64(until))
}

// download is where URLs lead that are signed.
func (s *simOrg) download(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	until, _ := strconv.ParseInt(q.Get("until"), 10, 64)
	s.mu.RLock()
	f := s.tree.get(r.PathValue("file"))
	at := -1
	if f != nil {
		at = slices.IndexFunc(f.revs, func(v simRev) bool { return v.id == r.PathValue("revision") })
	}
	s.mu.RUnlock()
	switch {
	case s.tree.odd.host != "" && r.Header.Get("Authorization") != "" && q.Get("as") == "": // of another host
		s.refuse(w, r, simBad("badRequest", "The signature of the URL is the only credential here."))
	case s.o.Now().Unix() > until || q.Get("signature") != fmt.Sprintf("%016x", s.signature(r.PathValue("revision"), until)):
		s.failStatus(w, r, http.StatusForbidden)
	case at < 0:
		s.failStatus(w, r, http.StatusNotFound)
	default:
		b := f.revs[at].bytes()
		if kind := q.Get("as"); kind != "" {
			b = f.revs[at].exported(kind)
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(b)
	}
}

// export is GET /files/{file}/export.
func (s *simOrg) export(a *simAsk) (any, *simNo) {
	kind := a.query("mimeType")
	switch {
	case kind == "":
		return nil, &simNo{http.StatusBadRequest, "required", "Required parameter: mimeType", "mimeType"}
	case !a.f.editors() || a.f.mime == simFolder || a.f.mime == simShortcut:
		return nil, simForbid("fileNotExportable", "Export only supports Docs Editors files.")
	case !slices.Contains(simExports[a.f.mime], kind):
		return nil, &simNo{http.StatusBadRequest, "badRequest", "The requested conversion is not supported.", "convertTo"}
	case a.f.copyless && simRank(a.role) < simRank("writer"):
		return nil, simForbid("cannotExportFile", "This file cannot be exported by the user.")
	}
	b := a.f.revs[len(a.f.revs)-1].exported(kind)
	if len(b) > simExportMost || s.tree.odd.huge[a.f.id] {
		return nil, simForbid("exportSizeLimitExceeded", "This file is too large to be exported.")
	}
	return simReply{0, map[string]string{"Content-Type": kind}, [][]byte{b}}, nil
}

// operation is what became of POST /files/{file}/download, which is finished when it is first asked for.
func (s *simOrg) operation(c *simCall) (any, *simNo) {
	id, kind, _ := strings.Cut(c.path("name"), ":")
	a, no := s.find(c, id)
	if no != nil || len(a.f.revs) == 0 {
		return nil, &simNo{http.StatusNotFound, "notFound", "Operation not found: " + c.path("name"), "name"}
	}
	if kind = strings.ReplaceAll(kind, "~", "/"); kind == "" && a.f.editors() {
		kind = simExports[a.f.mime][0]
	}
	return obj{"name": c.path("name"), "done": true, "response": obj{"@type": "type.googleapis.com/google.apps.drive.v3.DownloadFileResponse",
		"downloadUri": s.signed(c.base, a.f, a.f.revs[len(a.f.revs)-1], kind), "partialDownloadAllowed": false}}, nil
}
