package saas

import (
	"context"
	"encoding/json"
	"io"

	"github.com/longshore-dev/longshore/internal/event"
)

// ContentID names the content of the file that a record is about: its hash where the provider gives one (file.hash.sha256, sha1 or
// md5), else entity.id and saas.file.version. "" = unknown, so that no verdict can be kept. A stream's Item.Hash must be
// the same.
func ContentID(w event.View) string {
	for _, alg := range [...]string{"sha256", "sha1", "md5"} {
		if h := w.Str("file.hash." + alg); h != "" {
			return alg + ":" + h
		}
	}
	if v := w.Str("saas.file.version"); v != "" && w.Str("entity.id") != "" {
		return w.Str("entity.id") + "@" + v
	}
	return ""
}

// RegisterJudge says that something in this process judges content by a set of detectors, which its version names; while
// nobody does, content streams are off. remove takes it back. A dlp processor calls it when it starts and when it ends.
func RegisterJudge(set string) (remove func()) { return registerJudge(set) }

// File is a file whose content is to be judged now: what a record of a Content stream asks for while it is handed on.
type File struct{ file }

// File finds the file that the record with this event.id asks to judge; nil = that record asks for nothing (any more).
func (t *Tenant) File(eventID string) *File { return t.fileOf(eventID) }

// Verdict is what a set of detectors once said of content, by ContentID, final or not; nil = nothing.
func (t *Tenant) Verdict(ctx context.Context, contentID, set string) json.RawMessage {
	return t.verdictOf(ctx, contentID, set)
}

// Verdict is what the set of detectors once said of this very content and for good; nil = nothing, so that it has to be
// read.
func (f *File) Verdict(set string) json.RawMessage { return f.verdict(set) }

// Open reads the content, with the lowest priority of all that draws on the instance's budgets, but before walks where an
// event touched the file. Any failure is an *Error, which a processor that cannot judge hands back wrapped: what is refused
// or gone is then not tried again before the next walk. A read may fail with one as well, also at the end, when what was
// read is not the content of the record.
func (f *File) Open(ctx context.Context) (io.ReadCloser, error) { return f.open(ctx) }

// Tries is how often reading this file has failed before.
func (f *File) Tries() int { return f.tries() }

// Judge gives the verdict of a set of detectors, which is saved when the record was accepted. It holds no content, and at
// most 64 KiB. final false: what is said is why there is none, and the next walk asks again.
func (f *File) Judge(set string, verdict json.RawMessage, final bool) { f.judge(set, verdict, final) }
