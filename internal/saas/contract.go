package saas

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/longshore-dev/longshore/internal/event"
)

type (
	// Instance is one connected tenant. Provider.Open builds it from the configuration and sends nothing.
	Instance struct {
		Base    string                                                       // relative URLs are below it; Token.Base wins
		Hosts   []string                                                     // further hosts where a request, redirect or next link may go
		Auth    Auth                                                         // how a request is signed
		Fault   func(status int, h http.Header, head []byte) *Error          // what a reply means, good status or not; nil = by status
		Budgets []Budget                                                     // each that matches a request is drawn on
		Rights  func(context.Context, *Conn) (*Rights, error)                // what the credential may do; nil = learnt from refusals
		Streams []Stream                                                     // in any order
		Content func(context.Context, *Conn, FileRef) (io.ReadCloser, error) // a file's bytes; nil = the vendor stores no files
		Actions []Action
	}
	// Rights is what the credential holds, and what an administrator should know of it. What is read while the context ends is void.
	Rights struct {
		OrgID, OrgName string   // organization.*
		Who            string   // the account or application behind the credential, for people
		Held           []string // roles and scopes, as Stream.Needs and Provider.Needs spell them
		Person         bool     // the credential belongs to a person instead of a dedicated service account
		Self           []string // ids and names of the credential's own account: never acted on, and its activity is marked
		Blind          []string `json:",omitempty"` // what stays invisible to it whatever it was granted, in words
	}
	// Auth mints tokens by key: per audience, credential or impersonated user. The SDK caches a bounded number.
	Auth struct {
		Key  func(Req) string                                    // which token signs this request; nil = one for all
		Mint func(context.Context, *Conn, string) (Token, error) // one call per key at a time; again once after a 401
		Sign func(*http.Request, []byte, Token) error            // nil = Authorization: Bearer
	}
	// Token is what Mint got. Value and Extra never reach a log. No Expires = until a 401, at most 30 minutes.
	Token struct {
		Value, Base string
		Expires     time.Time
		Extra       map[string]string // SigV4 key pair, DPoP key
	}
	// Req is one request as data: sent again as is, kept in a mark, shown in a dry run. Only Mint puts a secret in one.
	Req struct {
		Method string            `json:"method,omitempty"` // "" = GET, or POST with a Body
		URL    string            `json:"url"`              // absolute, or below the base
		Header map[string]string `json:"header,omitempty"` // without credentials
		Body   string            `json:"body,omitempty"`   // form, JSON or XML
		As     string            `json:"as,omitempty"`     // on whose behalf; read by Auth.Key and Budget.Key
		NoAuth bool              `json:"noAuth,omitempty"` // token, monitor and pre-signed URLs
		// Removes says of a POST that it makes something be gone, as a DELETE does: Send takes it for done when there is none.
		Removes bool `json:"removes,omitempty"`
	}
	// Budget is one quota, corrected by reply headers and Fault; without these it slows down when refused.
	// Per 0 makes it a bound on the requests in flight.
	Budget struct {
		Name  string           // for metrics and people: "logs"
		Match func(Req) bool   // nil = every request
		Key   func(Req) string // one bucket per value, bounded: acting user, region
		Cost  func(Req) int    // nil = 1
		Limit int
		Per   time.Duration
		// Used is for a quota that all who connect to the tenant draw on and whose window slides: how much of it an answer says is
		// used, and of how much; limit 0 = it does not say. It is not paced: a request waits where Upto of it is used, or Upto
		// of our share by us within Per, and every Rest one is sent to hear more.
		Used func(http.Header) (used, limit int)
		Upto func(Kind) float64 // nil = 1, which is what actions go to
		Rest time.Duration      // 0 = 15 minutes
	}
	// Outcome is what an Error, the failure of Do, means for the scheduler.
	Outcome int
	// Error is the failure of a request.
	Error struct {
		Outcome Outcome
		Code    string      // the vendor's
		Msg     string      // the vendor's words, without secrets
		Until   time.Time   // when to try again
		Status  int         // of HTTP, 0 when none came
		Header  http.Header // of the reply
		Req     string      // method and path, without the query
		Err     error
	}
	// Kind: SignIn and Audit are events; Accounts, Grants and Files are entities, compared with the walk before; the parts of
	// a Content stream are files whose content is to be judged. Also the priority for budgets: actions first, then kinds in
	// this order.
	Kind int
	// Stream is a source of records, read in parts. A part has its own mark, snapshot, errors and due time.
	Stream struct {
		Name    string
		Kind    Kind
		Dataset string        // event.dataset of its records
		Over    string        // the stream whose items are the parts of this one; "" = a single part
		Every   time.Duration // how often a part is due; 0 with Over = once: a part that Poll finished is forgotten
		Width   int           // parts read at a time; 0 = 1
		Abreast int           // of these, parts with the same Item.As, so that one whose budget is used up holds up nobody else; 0 = any
		Keep    time.Duration // how long an event's key or a finished part may come again: the widest re-read
		Lag     time.Duration // the vendor's documented delay, for people
		Twins   bool          // Key is of content, not identity: equal keys between two commits are different events
		Needs   []string      // rights; one missing = off, with the reason. "a|b" = either
		Gives   []Capability  // tested against Provider.Covers
		Unless  string        // off while that richer source of the same facts is on
		Docs    string        // the vendor's page
		Poll    PollFunc
		Fields  event.Table                                           // declared paths, filled while the page is split; nil = only Values.Raw
		Key     func(v *event.Values) string                          // unique in the stream; an entity is compared within its part
		Map     func(v *event.Values, add func() *event.Record) error // a pure function; add once per record in raw; may set ID and Delete
		Items   func(v *event.Values) []Item                          // what a record leads to: a user's grants, a touched file
	}
	// PollFunc reads one part once.
	PollFunc func(ctx context.Context, r *Run) error
	// Item is a part of another stream. An event's item makes an existing part due now; an entity's keeps it alive.
	Item struct {
		Stream string          `json:"stream"`
		Key    string          `json:"key"`
		Data   json.RawMessage `json:"data,omitempty"` // small; what the child's Poll needs
		Hash   string          `json:"hash,omitempty"` // of a file's content, as ContentID gives it: what is judged already makes no part
		As     string          `json:"as,omitempty"`   // on whose behalf the child is read, for Stream.Abreast
		Until  time.Time       `json:"until,omitzero"` // give up then, and report a gap
	}
	// FileRef names the file whose content is asked for: the part of the Content stream, entity.id and the raw object of the
	// record that asks.
	FileRef struct {
		Part Item
		ID   string
		Raw  json.RawMessage
	}
	// Action is one change. The plan is saved before and after each call.
	Action struct {
		Verb         string // internal/action's spelling
		Needs        []string
		Docs         string
		Irreversible string                                              // why there is no undo; "" = there is
		Plan         func(context.Context, *Conn, Target) (*Plan, error) // only reads; an Error with Already = nothing to do
		Do           func(context.Context, *Conn, *Plan) error           // nil = send Steps in order; called again after Pending or a crash
		Done         func(context.Context, *Conn, *Plan) (bool, error)   // asked until true or the deadline; nil = done when sent
		Undo         func(context.Context, *Conn, *Plan) error           // nil = send Back; neither = irreversible
	}
	// Target is what an action changes. Which fields an action reads is said at the action.
	Target struct {
		Type   string            `json:"type"` // user, group, app_grant, credential, file … (entity.type)
		ID     string            `json:"id"`
		Name   string            `json:"name,omitempty"`
		Params map[string]string `json:"params,omitempty"` // further ids: "user.id", "group.id", "client.id", "role.id"
	}
	// Plan is what will be sent, what takes it back, what was, and what Do learnt. ID makes steps idempotent.
	Plan struct {
		ID     string          `json:"id"`
		Verb   string          `json:"verb"`
		Target Target          `json:"target"`
		Steps  []Req           `json:"steps,omitempty"`
		Back   []Req           `json:"back,omitempty"`
		Before json.RawMessage `json:"before,omitempty"`
		After  json.RawMessage `json:"after,omitempty"`
	}
)

// The kinds of streams.
const (
	SignIn Kind = iota
	Audit
	Accounts
	Grants
	Files
	Content
)

// The outcomes of a request.
const (
	Unavailable  Outcome = iota // try again, backing off
	Throttled                   // try again at Until
	Unauthorized                // mint once, then the instance is unhealthy
	Denied                      // this stream or action is off, with Code as the reason
	Expired                     // the mark is too old: it is dropped and Poll begins again from Since
	Missing                     // gone: a once-part ends as a gap; a lasting part waits for its parent's next walk
	Already                     // the state asked for is there
	Pending                     // not finished at the vendor: ask again later
	TooMuch                     // the window holds more than the vendor gives: read its halves
	Invalid                     // a mistake of ours: stop this stream and say so
)

type (
	// Conn sends for one instance. Do resolves, checks the host, waits for budgets, signs, retries, bounds the size.
	Conn struct{ conn }
	// Run is one reading of one part by one goroutine, with a deadline. What was committed stands.
	Run struct {
		*Conn
		run
	}
	// Rows come one by one from a body read once, gzip or not.
	Rows = iter.Seq2[json.RawMessage, error]
	// Reply is a good answer. Field is complete when the rows have ended.
	Reply struct{ reply }
)

// Do sends q and gives the good answer; any failure is an *Error.
func (c *Conn) Do(ctx context.Context, q Req) (*Reply, error) { return c.do(ctx, q) }

// Do is Conn.Do on behalf of the part being read.
func (r *Run) Do(ctx context.Context, q Req) (*Reply, error) { return r.send(ctx, q) }

// Item is the part being read.
func (r *Run) Item() Item { return r.item() }

// Now is the vendor's clock, by its Date headers.
func (r *Run) Now() time.Time { return r.now() }

// Since is where to begin without a mark.
func (r *Run) Since() time.Time { return r.since() }

// Mark loads the mark into v; false = none: begin at Since.
func (r *Run) Mark(v any) bool { return r.mark(v) }

// Emit hands on one raw object. Key "" = Stream.Key of it.
func (r *Run) Emit(key string, raw json.RawMessage) error { return r.emit(key, raw) }

// Put makes a part of another stream; it is saved with the next hand-over or Commit. One that lasts ends with this part;
// what hangs on an entity is made by Items.
func (r *Run) Put(it Item) { r.put(it) }

// Commit returns nil when all that was emitted is accepted and saved, and mark with it. A nil mark = as before.
func (r *Run) Commit(mark any) error { return r.commit(mark) }

// Done says, with the next Commit, that the walk saw everything; that Commit's nil mark forgets the mark.
func (r *Run) Done() { r.done() }

// Whole ends a walk that saw everything: Done and the Commit that forgets the mark. It gives err back where there is one.
func (r *Run) Whole(err error) error {
	if err != nil {
		return err
	}
	r.Done()
	return r.Commit(nil)
}

// Gap reports what is lost for good: a record and a metric.
func (r *Run) Gap(from, to time.Time, why string) { r.gap(from, to, why) }

// JSON gives the rows of the array at path; "" = the top.
func (p *Reply) JSON(path string) Rows { return p.json(path) }

// CSV gives an object per line, named by the header.
func (p *Reply) CSV() Rows { return p.csv() }

// XML gives an object per element at path; a step may be one of several names: "List/Version|DeleteMarker".
func (p *Reply) XML(path string) Rows { return p.xml(path) }

// Into decodes a small body, whole.
func (p *Reply) Into(v any) error { return p.into(v) }

// Raw is a small body, whole.
func (p *Reply) Raw() (json.RawMessage, error) { return p.raw() }

// Field is a scalar before or after the rows, or a header.
func (p *Reply) Field(name string) string { return p.field(name) }

// Header are the headers of the answer, which are not to be changed.
func (p *Reply) Header() http.Header { return p.resp.Header }

// Body is the body as it came, bounded and with a deadline between two reads: a file's content. The caller closes it.
func (p *Reply) Body() io.ReadCloser { return p.body() }

// Link is the URL of a Link header; several headers and comma-joined ones are understood.
func (p *Reply) Link(rel string) string { return p.link(rel) }
