package saas

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

type ownConfig struct {
	Auth  ownAuth `mapstructure:"auth"`
	Scope string  `mapstructure:"scope"`
}

type ownAuth struct {
	Token string `mapstructure:"token"`
}

func (c *ownConfig) Validate() error {
	if c.Scope == "bad" {
		return errors.New("scope \"bad\" is none")
	}
	return nil
}

func ownProvider() *Provider {
	return &Provider{Name: "own", Config: func() any { return &ownConfig{Scope: "all"} },
		Open: func(cfg any, s Setup) (*Instance, error) {
			if cfg.(*ownConfig).Auth.Token == "wrong" {
				return nil, errors.New("auth.token is malformed")
			}
			return &Instance{Base: s.Endpoint, Streams: []Stream{
				{Name: "log", Every: time.Minute, Key: byRaw, Map: mapNothing, Poll: pollNothing},
				{Name: "users", Kind: Accounts, Every: time.Hour, Key: byRaw, Map: mapNothing, Poll: pollNothing},
			}}, nil
		}}
}

func TestConfigurationIsSplitAndChecked(t *testing.T) {
	usual := map[string]any{"endpoint": "https://acme.example.com", "storage": "file_storage"}
	f := func(want string, kv ...any) {
		t.Helper()
		all := map[string]any{}
		for k, v := range usual {
			all[k] = v
		}
		for i := 0; i < len(kv); i += 2 {
			all[kv[i].(string)] = kv[i+1]
		}
		c := defaultConfig(ownProvider())
		err := c.Unmarshal(confmap.NewFromStringMap(all))
		if err == nil {
			err = c.Validate()
		}
		switch {
		case want == "" && err != nil:
			t.Errorf("%v: %v", kv, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%v: got %v, want %q", kv, err, want)
		}
	}
	f("")
	f("", "start_at", "30d", "quota_share", 1, "timeout", "30s", "scope", "x", "auth", map[string]any{"token": "t"})
	f("", "start_at", "2026-01-31T00:00:00Z", "streams", map[string]any{"log": map[string]any{"interval": "15s", "enabled": false}})
	f("", "storage", "none")
	f("", "storage", "file_storage/state", "tls", map[string]any{"min_version": "1.3"}, "proxy_url", "http://proxy:3128")
	f("", "endpoint", "http://127.0.0.1:8080")
	f("", "endpoint", "http://[::1]:8080")
	f("", "endpoint", "http://localhost")

	f(`unknown key "storge": did you mean "storage"?`, "storge", "x")
	f(`unknown key "scop": did you mean "scope"?`, "scop", "x")
	f(`unknown key "time_out": did you mean "timeout"?`, "time_out", "1s")
	f(`unknown key "completely_different_thing": known are`, "completely_different_thing", 1)
	f(`did you mean "token"?`, "auth", map[string]any{"tokn": "t"})
	f(`did you mean "interval"?`, "streams", map[string]any{"log": map[string]any{"intervall": "15s"}})
	f(`unknown key "logs": did you mean "log"?`, "streams", map[string]any{"logs": map[string]any{"interval": "15s"}})
	f("storage is missing", "storage", "")
	f(`storage "a b/" is no component id`, "storage", "a b/")
	f("quota_share 0 ", "quota_share", 0)
	f("quota_share 1.5 ", "quota_share", 1.5)
	f("quota_share -1 ", "quota_share", -1)
	f("batch_bytes 12 ", "batch_bytes", 12)
	f("run_timeout 1ms", "run_timeout", "1ms")
	f("report_interval -1s", "report_interval", "-1s")
	f(`start_at "yesterday" is neither`, "start_at", "yesterday")
	f(`start_at "-5d" is neither`, "start_at", "-5d")
	f("streams.log.interval 10ms is below 1s", "streams", map[string]any{"log": map[string]any{"interval": "10ms"}})
	f(`scope "bad" is none`, "scope", "bad")
	f("auth.token is malformed", "auth", map[string]any{"token": "wrong"})
	f(`endpoint "acme" is no URL`, "endpoint", "acme")
	f("plain http is spoken with this machine only", "endpoint", "http://acme.example.com")
	f("plain http is spoken with this machine only", "endpoint", "http://127.evil.com")
	f("plain http is spoken with this machine only", "endpoint", "http://localhost.evil.com")
	f("credentials do not belong into a URL", "endpoint", "https://user:hunter2@acme.example.com")
	f("a query or fragment", "endpoint", "https://acme.example.com?x=1")
	f(`the scheme is "ftp"`, "endpoint", "ftp://acme.example.com")
}

func TestConfigurationWithACredentialInTheURLDoesNotShowIt(t *testing.T) {
	_, err := parseBase("https://user:hunter2@acme.example.com")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestConfigurationIsWrittenAsItIsRead(t *testing.T) {
	c := defaultConfig(ownProvider())
	in := map[string]any{"endpoint": "https://acme.example.com", "storage": "file_storage", "start_at": "12h0m0s", "scope": "some",
		"timeout": "30s"}
	if err := c.Unmarshal(confmap.NewFromStringMap(in)); err != nil {
		t.Fatal(err)
	}
	out := confmap.New()
	if err := c.Marshal(out); err != nil {
		t.Fatal(err)
	}
	for k, v := range in {
		got := out.Get(k)
		if d, ok := got.(time.Duration); ok {
			got = d.String()
		}
		if got != v {
			t.Errorf("%s is %v, want %v", k, got, v)
		}
	}
}

func TestConfigurationMadeByHandIsRefused(t *testing.T) {
	if err := (&Config{}).Validate(); err == nil {
		t.Error("it has no provider")
	}
}

func TestDeclarationsThatCannotWorkAreRefused(t *testing.T) {
	good := Stream{Name: "log", Every: time.Minute, Key: byRaw, Map: mapNothing, Poll: pollNothing}
	f := func(want string, change func(s *Stream), more ...Stream) {
		t.Helper()
		s := good
		change(&s)
		err := checkDeclared(&Instance{Streams: append(more, s)})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("", func(*Stream) {})
	f("", func(s *Stream) { s.Name, s.Over, s.Every = "blob", "log", 0 }, good)
	f("two streams", func(*Stream) {}, good)
	f("has no name", func(s *Stream) { s.Name = "" })
	f("holds a /", func(s *Stream) { s.Name = "a/b" })
	f("no Poll", func(s *Stream) { s.Poll = nil })
	f("no interval", func(s *Stream) { s.Every = 0 })
	f(`"nowhere", which is no stream`, func(s *Stream) { s.Over = "nowhere" })
	f(`"nowhere", which is no stream`, func(s *Stream) { s.Unless = "nowhere" })
}

func TestTheNearestNameIsSuggested(t *testing.T) {
	known := []string{"storage", "start_at", "streams", "quota_share"}
	f := func(in, want string) {
		t.Helper()
		if got := Nearest(in, known); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("storag", "storage")
	f("quotashare", "quota_share")
	f("stream", "streams")
	f("zzzzzz", "")
	f("", "")
}
