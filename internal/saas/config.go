package saas

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
)

// noStorage is what a user writes to run without durable state.
const noStorage = "none"

// Config is the configuration of one instance: the SDK's keys, those of confighttp's client but for auth, and the
// provider's own, all on one level.
type Config struct {
	HTTP     confighttp.ClientConfig `mapstructure:"-"`
	Keys     `mapstructure:"-"`
	Provider any `mapstructure:"-"` // what Provider.Config made

	provider *Provider
}

// Keys are the SDK's own keys.
type Keys struct {
	// Storage is the storage extension that holds marks, keys and snapshots: "file_storage". "none" keeps them in memory:
	// every restart then begins again at start_at. There is no default.
	Storage string `mapstructure:"storage"`
	// StartAt is how far back the first run goes: a duration ("30d", "12h") or a time (RFC 3339). Default 30d.
	StartAt StartAt `mapstructure:"start_at"`
	// QuotaShare is the part of the provider's rate limits to use, above 0 and at most 1. Default 0.5.
	QuotaShare float64 `mapstructure:"quota_share"`
	// Streams changes single streams; all are on by default.
	Streams map[string]StreamConfig `mapstructure:"streams"`
	// ReportInterval is how long an unchanged entity may go unreported. Default 24h; 0 = it is reported on change only.
	ReportInterval time.Duration `mapstructure:"report_interval"`
	// Disabled keeps the connection configured and reads nothing.
	Disabled bool `mapstructure:"disabled"`
	// BatchBytes is how many bytes of raw objects are handed on at once. Default 4 MiB.
	BatchBytes int `mapstructure:"batch_bytes"`
	// RunTimeout bounds one reading of one part. Default 10m.
	RunTimeout time.Duration `mapstructure:"run_timeout"`
}

// StreamConfig changes one stream.
type StreamConfig struct {
	// Enabled false turns the stream off. Default true.
	Enabled *bool `mapstructure:"enabled"`
	// Interval is how often it is read; the default is the provider's.
	Interval time.Duration `mapstructure:"interval"`
}

// StartAt is a moment, or a distance from now.
type StartAt struct {
	At  time.Time
	Ago time.Duration
}

// UnmarshalText reads "30d", "12h" or an RFC 3339 time.
func (s *StartAt) UnmarshalText(b []byte) error {
	text := string(b)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		*s = StartAt{At: t}
		return nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 {
			*s = StartAt{Ago: time.Duration(n * 24 * float64(time.Hour))}
			return nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("start_at %q is neither a duration like 30d or 12h nor a time like 2026-01-31T00:00:00Z", text)
	}
	*s = StartAt{Ago: d}
	return nil
}

// MarshalText is the form that UnmarshalText reads.
func (s StartAt) MarshalText() ([]byte, error) {
	if !s.At.IsZero() {
		return []byte(s.At.Format(time.RFC3339)), nil
	}
	return []byte(s.Ago.String()), nil
}

func (s StartAt) before(now time.Time) time.Duration {
	if !s.At.IsZero() {
		return max(0, now.Sub(s.At))
	}
	return s.Ago
}

func defaultConfig(p *Provider) *Config {
	c := &Config{HTTP: confighttp.NewDefaultClientConfig(), Provider: p.Config(), provider: p}
	c.HTTP.Timeout = time.Minute
	c.HTTP.ForceAttemptHTTP2 = false // one connection that is read to its end does better without
	keep := confighttp.NewDefaultKeepaliveClientConfig()
	keep.MaxIdleConnsPerHost = maxRunning
	c.HTTP.Keepalive = configoptional.Some(keep)
	c.Keys = Keys{
		StartAt: StartAt{Ago: 30 * 24 * time.Hour}, QuotaShare: 0.5, ReportInterval: 24 * time.Hour,
		BatchBytes: 4 << 20, RunTimeout: 10 * time.Minute,
	}
	return c
}

// Unmarshal splits the keys among SDK, client and provider, and refuses unknown ones with the nearest known.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	own, client := tagged(reflect.TypeFor[Keys]()), tagged(reflect.TypeFor[confighttp.ClientConfig]())
	theirs := tagged(reflect.TypeOf(c.Provider).Elem())
	delete(client, "auth")
	parts := map[string]map[string]any{"own": {}, "client": {}, "theirs": {}}
	known := slices.Sorted(maps.Keys(own))
	known = append(append(known, slices.Sorted(maps.Keys(client))...), slices.Sorted(maps.Keys(theirs))...)
	for key, val := range conf.ToStringMap() {
		switch {
		case own[key]:
			parts["own"][key] = val
		case theirs[key]:
			parts["theirs"][key] = val
		case client[key]:
			parts["client"][key] = val
		default:
			return unknownKey(key, known)
		}
	}
	for part, into := range map[string]any{"own": &c.Keys, "client": &c.HTTP, "theirs": c.Provider} {
		if err := confmap.NewFromStringMap(parts[part]).Unmarshal(into); err != nil {
			return explain(err, reflect.TypeOf(into).Elem())
		}
	}
	return nil
}

// Marshal puts the keys back on one level.
func (c *Config) Marshal(conf *confmap.Conf) error {
	for _, from := range []any{c.HTTP, c.Keys, c.Provider} {
		part := confmap.New()
		if err := part.Marshal(from); err != nil {
			return err
		}
		if err := conf.Merge(part); err != nil {
			return err
		}
	}
	return nil
}

func unknownKey(key string, known []string) error {
	if near := Nearest(key, known); near != "" {
		return fmt.Errorf("unknown key %q: did you mean %q?", key, near)
	}
	return fmt.Errorf("unknown key %q: known are %s", key, strings.Join(known, ", "))
}

// explain adds the nearest known key to the decoder's complaint of an unknown one.
func explain(err error, t reflect.Type) error {
	_, list, ok := strings.Cut(err.Error(), "invalid keys: ")
	if !ok {
		return err
	}
	bad, _, _ := strings.Cut(list, "\n")
	bad, _, _ = strings.Cut(bad, ",")
	known := map[string]bool{}
	deepTags(t, known, 4)
	if near := Nearest(bad, slices.Sorted(maps.Keys(known))); near != "" {
		return fmt.Errorf("%w (did you mean %q?)", err, near)
	}
	return err
}

// tagged lists the keys of a struct, those of squashed parts too.
func tagged(t reflect.Type) map[string]bool {
	keys := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		switch {
		case strings.Contains(opts, "squash") && f.Type.Kind() == reflect.Struct:
			maps.Copy(keys, tagged(f.Type))
		case name != "" && name != "-":
			keys[name] = true
		}
	}
	return keys
}

func deepTags(t reflect.Type, keys map[string]bool, depth int) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || depth == 0 {
		return
	}
	maps.Copy(keys, tagged(t))
	for i := range t.NumField() {
		deepTags(t.Field(i).Type, keys, depth-1)
	}
}

// Validate checks what can be checked without sending anything.
func (c *Config) Validate() error {
	if c.provider == nil { // made by hand
		return errors.New("validate configuration: it was not made by the receiver's factory")
	}
	switch {
	case c.Storage == "":
		return errors.New("storage is missing: name a storage extension (storage: file_storage), " +
			"or write storage: none to begin again at start_at after every restart")
	case c.QuotaShare <= 0 || c.QuotaShare > 1:
		return fmt.Errorf("quota_share %v is not above 0 and at most 1", c.QuotaShare)
	case c.BatchBytes < 1<<10 || c.BatchBytes > 64<<20:
		return fmt.Errorf("batch_bytes %d is not between 1 KiB and 64 MiB", c.BatchBytes)
	case c.RunTimeout < time.Second:
		return fmt.Errorf("run_timeout %v is below 1s", c.RunTimeout)
	case c.ReportInterval < 0:
		return fmt.Errorf("report_interval %v is negative", c.ReportInterval)
	}
	if c.Storage != noStorage {
		var id component.ID
		if err := id.UnmarshalText([]byte(c.Storage)); err != nil {
			return fmt.Errorf("storage %q is no component id: %w", c.Storage, err)
		}
	}
	if v, ok := c.Provider.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	inst, err := c.open(time.Now)
	if err != nil {
		return err
	}
	if _, err := parseBase(inst.Base); err != nil {
		return err
	}
	if err := checkDeclared(inst); err != nil {
		return err
	}
	return c.checkStreams(inst)
}

// checkDeclared finds what a provider's author forgot.
func checkDeclared(inst *Instance) error {
	names := map[string]bool{"": true}
	for _, s := range inst.Streams {
		if s.Name != "" && names[s.Name] {
			return fmt.Errorf("there are two streams %q", s.Name)
		}
		names[s.Name] = true
	}
	for _, s := range inst.Streams {
		switch {
		case s.Name == "":
			return errors.New("a stream has no name")
		case strings.Contains(s.Name, "/"):
			return fmt.Errorf("the name of stream %q holds a /", s.Name)
		case s.Poll == nil:
			return fmt.Errorf("stream %q has no Poll", s.Name)
		case s.Over == "" && s.Every <= 0:
			return fmt.Errorf("stream %q has no interval", s.Name)
		case !names[s.Over]:
			return fmt.Errorf("stream %q is over %q, which is no stream", s.Name, s.Over)
		case s.Kind == Content && (s.Over == "" || s.Every > 0 || inst.Content == nil):
			return fmt.Errorf("stream %q of content is not read once over another, or nothing opens its files", s.Name)
		case !names[s.Unless]:
			return fmt.Errorf("stream %q is off for %q, which is no stream", s.Name, s.Unless)
		}
	}
	return nil
}

func (c *Config) checkStreams(inst *Instance) error {
	known := make([]string, len(inst.Streams))
	for i, s := range inst.Streams {
		known[i] = s.Name
	}
	for name, sc := range c.Streams {
		if !slices.Contains(known, name) {
			return fmt.Errorf("streams: %w", unknownKey(name, known))
		}
		if sc.Interval < 0 || sc.Interval > 0 && sc.Interval < time.Second {
			return fmt.Errorf("streams.%s.interval %v is below 1s", name, sc.Interval)
		}
	}
	return nil
}

// open builds the instance with the intervals of the configuration. now is the vendor's clock.
func (c *Config) open(now func() time.Time) (*Instance, error) {
	inst, err := c.provider.Open(c.Provider, Setup{
		Endpoint: c.HTTP.Endpoint, Share: c.QuotaShare, StartAt: c.StartAt.before(time.Now()), Now: now,
	})
	if err != nil {
		return nil, err
	}
	for i := range inst.Streams {
		if sc := c.Streams[inst.Streams[i].Name]; sc.Interval > 0 {
			inst.Streams[i].Every = sc.Interval
		}
	}
	return inst, nil
}

// parseBase checks the base URL: https, or http to this machine, and nothing but a host and a path.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, fmt.Errorf("endpoint %q is no URL like https://host", base)
	case u.User != nil:
		return nil, fmt.Errorf("endpoint %q: credentials do not belong into a URL", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("endpoint %q: a query or fragment does not belong into it", base)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("endpoint %q: plain http is spoken with this machine only: use https", base)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("endpoint %q: the scheme is %q, not https", base, u.Scheme)
	}
	return u, nil
}

// offReason says why the configuration turns a stream off; "" = it is on.
func (k *Keys) offReason(stream string) string {
	if on := k.Streams[stream].Enabled; on != nil && !*on {
		return "turned off in the configuration"
	}
	return ""
}

// Nearest is the known name that was probably meant, or "".
func Nearest(name string, known []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(diag+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
