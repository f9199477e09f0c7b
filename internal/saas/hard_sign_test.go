package saas_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/internal/sim"
)

// signedVendor is a cloud with member accounts: credentials for each, a report as CSV and details as XML, every request
// signed with the key of its account.
type signedVendor struct {
	mu       sync.Mutex
	t        *testing.T
	accounts []string
	users    map[string][]string // by account
	minted   int
	key      map[string]string // account → the secret in use; the name of a key is account/number
	bad      int
}

const signRegion, signService = "eu-west-1", "iam"

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// ServeHTTP checks the signature by signing the request again.
func (v *signedVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	if form.Get("Action") == "AssumeRole" {
		v.minted++
		account := form.Get("Account")
		v.key[account] = fmt.Sprintf("secret-%s-%d", account, v.minted)
		_, _ = fmt.Fprintf(w,
			`<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>%s.%d</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>`+
				`<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, account, v.minted, v.key[account],
			time.Now().Add(15*time.Minute).UTC().Format(time.RFC3339))
		return
	}
	account := v.signer(r, body)
	if account == "" {
		v.bad++
		http.Error(w, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>", http.StatusForbidden)
		return
	}
	switch form.Get("Action") {
	case "ListAccounts":
		_, _ = io.WriteString(w, "<R><Accounts>")
		for _, a := range v.accounts {
			_, _ = fmt.Fprintf(w, "<member><Id>%s</Id></member>", a)
		}
		_, _ = io.WriteString(w, "</Accounts></R>")
	case "GetCredentialReport":
		lines := [][]string{{"user", "arn", "mfa_active"}}
		for _, u := range v.users[account] {
			lines = append(lines, []string{u, "arn:" + account + ":" + u, fmt.Sprint(strings.HasPrefix(u, "a"))})
		}
		_, _ = w.Write(sim.CSV(lines...))
	case "GetAccountAuthorizationDetails":
		i := slices.Index(v.users[account], form.Get("Marker")) // the marker is the first user of the page
		page, next := sim.Slice(v.users[account], max(i, 0), 2)
		_, _ = io.WriteString(w, "<G><GetAccountAuthorizationDetailsResult><UserDetailList>")
		for _, u := range page {
			_, _ = fmt.Fprintf(w,
				"<member><Arn>arn:%s:%s</Arn><UserName>%s</UserName><GroupList><member>g1</member><member>g2</member></GroupList></member>",
				account, u, u)
		}
		_, _ = io.WriteString(w, "</UserDetailList>")
		if next > 0 {
			_, _ = fmt.Fprintf(w, "<Marker>%s</Marker>", v.users[account][next])
		}
		_, _ = fmt.Fprintf(w, "<IsTruncated>%v</IsTruncated></GetAccountAuthorizationDetailsResult></G>", next > 0)
	default:
		http.Error(w, "no such action", http.StatusBadRequest)
	}
}

// signer is the account whose key signed the request, "" = none.
func (v *signedVendor) signer(r *http.Request, body []byte) string {
	got := r.Header.Get("Authorization")
	_, rest, _ := strings.Cut(got, "Credential=")
	keyID, _, _ := strings.Cut(rest, "/")
	account, _, _ := strings.Cut(keyID, ".")
	secret := v.key[account]
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || secret == "" || time.Since(at).Abs() > 5*time.Minute {
		return ""
	}
	again, _ := http.NewRequest(r.Method, "http://"+r.Host+r.URL.RequestURI(), strings.NewReader(string(body)))
	_, signed, _ := strings.Cut(got, "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	for h := range strings.SplitSeq(signed, ";") {
		if h != "host" && h != "content-length" {
			again.Header.Set(h, r.Header.Get(h))
		}
	}
	err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, again, hashOf(body),
		signService, signRegion, at)
	if err != nil || again.Header.Get("Authorization") != got {
		return ""
	}
	return account
}

func sign(req *http.Request, body []byte, tok saas.Token) error {
	return v4.NewSigner().SignHTTP(req.Context(), aws.Credentials{AccessKeyID: tok.Value, SecretAccessKey: tok.Extra["secret"]}, req,
		hashOf(body),
		signService, signRegion, time.Now())
}

// assume mints credentials for an account.
func assume(ctx context.Context, c *saas.Conn, account string) (saas.Token, error) {
	p, err := c.Do(ctx, saas.Req{URL: "/", Body: "Action=AssumeRole&Account=" + account, NoAuth: true})
	if err != nil {
		return saas.Token{}, err
	}
	for raw, err := range p.XML("AssumeRoleResult/Credentials") {
		if err != nil {
			return saas.Token{}, err
		}
		until, err := time.Parse(time.RFC3339, field(raw, "Expiration"))
		return saas.Token{Value: field(raw, "AccessKeyId"), Extra: map[string]string{"secret": field(raw, "SecretAccessKey")},
			Expires: until}, err
	}
	return saas.Token{}, &saas.Error{Outcome: saas.Invalid, Msg: "the answer holds no credentials"}
}

// report joins the details of each user of an account with its line of the report.
func report(ctx context.Context, r *saas.Run) error {
	account := r.Item().Key
	p, err := r.Do(ctx, saas.Req{URL: "/", Body: "Action=GetCredentialReport", As: account})
	if err != nil {
		return err
	}
	lines := map[string]json.RawMessage{}
	for row, err := range p.CSV() {
		if err != nil {
			return err
		}
		lines[field(row, "arn")] = row
	}
	for marker := ""; ; {
		p, err := r.Do(ctx, saas.Req{URL: "/", Body: "Action=GetAccountAuthorizationDetails&Marker=" + marker, As: account})
		if err != nil {
			return err
		}
		for u, err := range p.XML("UserDetailList/member") {
			if err != nil {
				return err
			}
			arn := field(u, "Arn")
			if err := r.Emit(arn, json.RawMessage(`{"arn":"`+arn+`","User":`+string(u)+`,"Credentials":`+string(lines[arn])+`}`)); err != nil {
				return err
			}
		}
		if marker = p.Field("Marker"); marker == "" {
			r.Done()
			return nil
		}
	}
}

func TestSignedXMLIsJoinedWithAReport(t *testing.T) {
	survives(t, func(t *testing.T, s *stage) {
		v := &signedVendor{t: t, accounts: []string{"111", "222"}, key: map[string]string{},
			users: map[string][]string{"111": {"ann", "bea", "cas", "ada", "eve"}, "222": {"ann", "abe"}}}
		s.serve(v)
		s.open = func() *saas.Instance {
			return &saas.Instance{
				Auth: saas.Auth{Key: func(q saas.Req) string { return q.As }, Mint: assume, Sign: sign},
				Streams: []saas.Stream{
					{Name: "accounts", Kind: saas.Accounts, Dataset: "accounts", Every: time.Hour, Key: by("Id"), Map: thing("account", "Id"),
						Items: func(v *event.Values) []saas.Item { return []saas.Item{{Stream: "iam_users", Key: field(v.Raw, "Id")}} },
						Poll: saas.List(func(*saas.Run) saas.Req { return saas.Req{URL: "/", Body: "Action=ListAccounts", As: "111"} },
							func(p *saas.Reply) saas.Rows { return p.XML("Accounts/member") }, nil)},
					{Name: "iam_users", Kind: saas.Accounts, Dataset: "iam_users", Over: "accounts", Every: time.Hour, Key: by("arn"),
						Map: thing("user", "arn"), Poll: report},
				}}
		}
		s.live(2 * time.Minute)
		s.inventory("iam_users", "arn:111:ann", "arn:111:bea", "arn:111:cas", "arn:111:ada", "arn:111:eve", "arn:222:ann", "arn:222:abe")
		joined := last(s.of("iam_users"), "arn:111:ada").raw
		for _, want := range []string{`"GroupList":{"member":["g1","g2"]}`, `"mfa_active":"true"`, `"UserName":"ada"`} {
			if !strings.Contains(joined, want) {
				t.Errorf("joined %s, want %s in it", joined, want)
			}
		}
		v.mu.Lock()
		v.users["111"] = []string{"ann", "bea"}
		v.users["222"] = nil
		v.accounts = []string{"111"}
		v.mu.Unlock()
		s.live(2 * time.Hour) // credentials of 15 minutes are minted again
		s.inventory("accounts", "111")
		s.inventory("iam_users", "arn:111:ann", "arn:111:bea")
		if v.bad > 0 {
			t.Errorf("%d requests were signed wrongly", v.bad)
		}
		for _, e := range s.logs.All() {
			for _, f := range e.Context {
				if strings.Contains(f.String, "secret-") || f.Interface != nil && strings.Contains(fmt.Sprint(f.Interface), "secret-") {
					t.Errorf("a log holds a secret: %s %v", e.Message, f)
				}
			}
		}
	})
}

// twoVendor knows an app and a personal token, each for its own paths.
type twoVendor struct {
	mu     sync.Mutex
	status map[string]int // of a credential, 0 = it is good
	events map[string][]string
	wrong  int
	asked  map[string]int
}

func (v *twoVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	who := "app"
	if strings.HasPrefix(r.URL.Path, "/enterprises/") {
		who = "pat"
	}
	v.asked[who]++
	if r.Header.Get("Authorization") != "Bearer "+who {
		v.wrong++
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if status := v.status[who]; status != 0 {
		w.WriteHeader(status)
		return
	}
	page := []map[string]string{}
	for _, id := range v.events[who] {
		page = append(page, map[string]string{"id": id})
	}
	sim.WriteJSON(w, http.StatusOK, page)
}

func TestOneOfTwoCredentialsStopsOnlyItsOwnStreams(t *testing.T) {
	f := func(status int, off string) {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			survives(t, func(t *testing.T, s *stage) {
				v := &twoVendor{status: map[string]int{}, events: map[string][]string{"app": {"a0", "a1"}, "pat": {"p0"}}, asked: map[string]int{}}
				s.serve(v)
				s.open = func() *saas.Instance {
					stream := func(name, path string) saas.Stream {
						return saas.Stream{Name: name, Kind: saas.Audit, Dataset: name, Every: time.Minute, Keep: day, Key: by("id"), Map: plain,
							Poll: func(ctx context.Context, r *saas.Run) error {
								return saas.Pages(ctx, r, saas.Req{URL: path}, rows(""), nil)
							}}
					}
					return &saas.Instance{
						Auth: saas.Auth{
							Key: func(q saas.Req) string {
								if strings.Contains(q.URL, "/enterprises/") {
									return "pat"
								}
								return "app"
							},
							Mint: func(_ context.Context, _ *saas.Conn, key string) (saas.Token, error) {
								return saas.Token{Value: key}, nil
							},
						},
						Streams: []saas.Stream{stream("audit", "/enterprises/acme/audit"), stream("events", "/orgs/acme/events")}}
				}
				s.live(3 * time.Minute)
				s.delivered("audit", []string{"p0"}, 1)
				s.delivered("events", []string{"a0", "a1"}, 1)
				set := func(status int, who string, ids ...string) {
					v.mu.Lock()
					defer v.mu.Unlock()
					v.status["pat"] = status
					v.events[who] = append(v.events[who], ids...)
				}
				set(status, "app", "a2")
				s.live(3 * time.Minute)
				set(status, "app", "a3", "a4")
				s.live(3 * time.Minute)
				s.delivered("events", []string{"a0", "a1", "a2", "a3", "a4"}, 1)
				st := s.status("audit")
				if off != "" && !strings.Contains(st.Off, off) || off == "" && st.LastError == "" {
					t.Errorf("the stream is off because of %q, its last error %q", st.Off, st.LastError)
				}
				if h := s.tenant().Status().Health; (off == "") != strings.Contains(h, "unauthorized") {
					t.Errorf("health %q", h)
				}
				set(0, "pat", "p1", "p2") // the right is given back
				s.live(2 * time.Hour)
				s.delivered("audit", []string{"p0", "p1", "p2"}, 1)
				if h := s.tenant().Status().Health; h != "ok" {
					t.Errorf("health %q", h)
				}
				if s.status("audit").Off != "" || v.wrong > 0 {
					t.Errorf("still off: %q, %d requests with the wrong credential", s.status("audit").Off, v.wrong)
				}
			})
		})
	}
	f(http.StatusForbidden, "403")
	f(http.StatusUnauthorized, "")
}
