package geoip

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/longshore-dev/longshore/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	obj = map[string]any
	kv  = mmdbtype.Map
)

// write makes a file of a type with an entry for each network, and gives its path.
func write(t testing.TB, path, typ string, entries map[string]kv) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: typ, BuildEpoch: 1_790_000_000, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, e := range entries {
		_, n, err := net.ParseCIDR(network)
		if err == nil {
			err = tree.Insert(n, e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err = tree.WriteTo(&b); err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func named(code, name string) kv {
	return kv{"iso_code": mmdbtype.String(code), "names": kv{"en": mmdbtype.String(name), "de": mmdbtype.String("anders")}}
}

// lyon is a whole entry.
func lyon() kv {
	return kv{
		"continent": kv{"code": mmdbtype.String("EU"), "names": kv{"en": mmdbtype.String("Europe")}},
		"country":   named("FR", "France"), "registered_country": named("US", "United States"),
		"subdivisions": mmdbtype.Slice{named("ARA", "Auvergne-Rhône-Alpes"), named("69", "Rhône")},
		"city":         kv{"names": kv{"en": mmdbtype.String("Lyon")}},
		"postal":       kv{"code": mmdbtype.String("69001")},
		"location": kv{"latitude": mmdbtype.Float64(45.75), "longitude": mmdbtype.Float64(4.85),
			"time_zone": mmdbtype.String("Europe/Paris")},
	}
}

// cities are a file of places.
func cities() map[string]kv {
	return map[string]kv{
		"81.2.69.0/24":   lyon(),
		"81.2.70.0/24":   {"country": named("SE", "Sweden")},
		"81.2.71.0/24":   {"location": kv{"latitude": mmdbtype.Float64(0), "longitude": mmdbtype.Float64(0)}},
		"81.2.72.0/24":   {"country": named("FR", "France"), "traits": kv{"is_anonymous_proxy": mmdbtype.Bool(true)}},
		"81.2.73.0/24":   {"country": named("A1", "Anonymous Proxy")},
		"81.2.74.0/24":   {"registered_country": named("US", "United States")},
		"81.2.75.0/24":   {"country": named("FR", "France"), "location": kv{"latitude": mmdbtype.Float64(45)}},
		"2a02:cf40::/32": lyon(),
		"10.0.0.0/8":     lyon(), "100.64.0.0/10": lyon(), "203.0.113.0/24": lyon(), "fe80::/10": lyon(), "2001:db8::/32": lyon(),
	}
}

func networks() map[string]kv {
	return map[string]kv{
		"81.2.0.0/16": {"autonomous_system_number": mmdbtype.Uint32(64496), "autonomous_system_organization": mmdbtype.String("Example Net")},
		"9.9.9.0/24":  {"autonomous_system_number": mmdbtype.Uint32(64497)},
	}
}

// run is a processor and what it handed on.
type run struct {
	*locator
	sink *consumertest.LogsSink
	logs *bytes.Buffer
}

func built(t testing.TB, paths ...string) *run {
	t.Helper()
	r := &run{sink: &consumertest.LogsSink{}, logs: &bytes.Buffer{}}
	cfg := defaultConfig().(*Config)
	cfg.Databases = paths
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	set := processortest.NewNopSettings(NewFactory().Type())
	set.Logger = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(r.logs), zap.DebugLevel))
	p, err := NewFactory().CreateLogs(context.Background(), set, cfg, r.sink)
	if err != nil {
		t.Fatal(err)
	}
	r.locator = p.(*locator)
	return r
}

func start(t testing.TB, paths ...string) *run {
	t.Helper()
	r := built(t, paths...)
	if err := r.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Shutdown(context.Background()) })
	return r
}

// record is a batch of one record with an address and more.
func record(ip string, more obj) plog.Logs {
	l := plog.NewLogs()
	attrs := l.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes()
	if err := attrs.FromRaw(more); err != nil {
		panic(err)
	}
	if ip != "" {
		attrs.PutStr("source.ip", ip)
	}
	return l
}

// added is what a record of an address has in the end, without the address.
func (r *run) added(t testing.TB, ip string, more obj) obj {
	t.Helper()
	r.sink.Reset()
	if err := r.ConsumeLogs(context.Background(), record(ip, more)); err != nil {
		t.Fatal(err)
	}
	if n := len(r.sink.AllLogs()); n != 1 {
		t.Fatalf("%d batches", n)
	}
	for w := range event.Views(r.sink.AllLogs()[0]) {
		out := w.Log.Attributes().AsRaw()
		delete(out, "source.ip")
		return out
	}
	t.Fatal("no record")
	return nil
}

func both(t testing.TB) *run {
	dir := t.TempDir()
	return start(t, write(t, filepath.Join(dir, "city.mmdb"), "GeoLite2-City", cities()),
		write(t, filepath.Join(dir, "asn.mmdb"), "GeoLite2-ASN", networks()))
}

func TestPlacesAndNetworksAreAddedAsTheFilesSay(t *testing.T) {
	r := both(t)
	whole := obj{
		"source.geo.continent_code": "EU", "source.geo.continent_name": "Europe", "source.geo.country_iso_code": "FR",
		"source.geo.country_name": "France", "source.geo.region_iso_code": "FR-ARA", "source.geo.region_name": "Auvergne-Rhône-Alpes",
		"source.geo.city_name": "Lyon", "source.geo.postal_code": "69001", "source.geo.timezone": "Europe/Paris",
		"source.geo.location": obj{"lat": 45.75, "lon": 4.85},
	}
	as := obj{"source.as.number": int64(64496), "source.as.organization.name": "Example Net"}
	f := func(ip string, wants ...obj) {
		t.Helper()
		want := obj{}
		for _, w := range wants {
			for k, v := range w {
				want[k] = v
			}
		}
		if got := r.added(t, ip, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", ip, got, want)
		}
	}
	f("81.2.69.142", whole, as)
	f("::ffff:81.2.69.142", whole, as)
	f("2a02:cf40::1", whole)
	f("9.9.9.9", obj{"source.as.number": int64(64497)})
	f("81.2.70.1", as, obj{"source.geo.country_iso_code": "SE", "source.geo.country_name": "Sweden"})
	f("81.2.71.1", as) // 0,0
	f("81.2.72.1", as) // an anonymous proxy
	f("81.2.73.1", as) // as older files say it
	f("81.2.74.1", as) // where it is registered is not where it is
	f("81.2.75.1", as, obj{"source.geo.country_iso_code": "FR", "source.geo.country_name": "France"})
	f("8.8.8.8") // not in the files

	for _, ip := range strings.Fields("10.1.2.3 127.0.0.1 192.168.1.1 172.16.0.1 169.254.1.1 100.64.1.1 203.0.113.7 0.0.0.0 " +
		"224.0.0.1 255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fd00::1 2001:db8::1 ff02::1 " +
		"::ffff:10.1.2.3 cloudtrail.amazonaws.com 81.2.69.142:443") {
		f(ip)
	}
	f("")
}

func TestWhatTheProviderSaidStaysAndIsNotCompleted(t *testing.T) {
	r := both(t)
	got := r.added(t, "81.2.69.142", obj{"source.geo.city_name": "Oslo"})
	want := obj{"source.geo.city_name": "Oslo", "source.as.number": int64(64496), "source.as.organization.name": "Example Net"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	got = r.added(t, "81.2.70.1", obj{"source.as.organization.name": "Theirs", "source.asset": "x", "source.geography": "y"})
	want = obj{"source.as.organization.name": "Theirs", "source.asset": "x", "source.geography": "y", "source.geo.country_iso_code": "SE",
		"source.geo.country_name": "Sweden"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	l := record("81.2.69.142", nil) // a batch that comes again
	for range 2 {
		if err := r.ConsumeLogs(context.Background(), l); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := r.sink.AllLogs()[1], r.sink.AllLogs()[2]; !reflect.DeepEqual(raw(a), raw(b)) {
		t.Errorf("first %v, then %v", raw(a), raw(b))
	}
	if !r.Capabilities().MutatesData {
		t.Error("it does not say that it changes records")
	}
}

func raw(l plog.Logs) obj {
	for w := range event.Views(l) {
		return w.Log.Attributes().AsRaw()
	}
	return nil
}

func TestAPlaceComesFromOneEntryOfOneFile(t *testing.T) {
	dir := t.TempDir()
	own := write(t, filepath.Join(dir, "own.mmdb"), "Own-Country", map[string]kv{"81.2.69.0/25": {"country": named("CH", "Switzerland")},
		"81.2.72.0/24": lyon(), "81.2.71.0/24": {}})
	city := write(t, filepath.Join(dir, "city.mmdb"), "DBIP-City-Lite", cities())
	f := func(r *run, ip, country string, fields int) {
		t.Helper()
		got := r.added(t, ip, nil)
		if got["source.geo.country_iso_code"] != any(country) && country != "" || len(got) != fields {
			t.Errorf("%s: got %v", ip, got)
		}
	}
	r := start(t, own, city)
	f(r, "81.2.69.1", "CH", 2)    // what the second knows more of is another's
	f(r, "81.2.69.200", "FR", 10) // the first does not have it
	r = start(t, city, own)
	f(r, "81.2.72.1", "", 0) // the first says that it is nowhere
	f(r, "81.2.71.1", "", 0) // neither knows a place
}

func TestAFileIsReadAgainWhenItChangesAndKeptWhenItIsDamaged(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "city.mmdb"), "GeoLite2-City", cities())
	r := start(t, path)
	country := func() any { return r.added(t, "81.2.70.1", nil)["source.geo.country_iso_code"] }
	said := func(what string) int { return strings.Count(r.logs.String(), what) }
	touch := func(hour int) {
		t.Helper()
		at := time.Date(2026, 11, 26, hour, 0, 0, 0, time.UTC)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	r.reload()
	if country() != "SE" || said("read again") != 0 {
		t.Fatalf("%v, %s", country(), r.logs)
	}
	changed := cities()
	changed["81.2.70.0/24"] = kv{"country": named("NO", "Norway")}
	write(t, path, "GeoLite2-City", changed)
	touch(1)
	r.reload()
	if country() != "NO" || said("read again") != 1 {
		t.Errorf("%v, %s", country(), r.logs)
	}

	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := func(hour int, content []byte, says string) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		touch(hour)
		r.logs.Reset()
		r.reload()
		r.reload() // says it once
		if country() != "NO" || said(says) != 1 || said("stays in use") != 1 {
			t.Errorf("%v, want %q once in %s", country(), says, r.logs)
		}
	}
	f(2, good[:len(good)/2], "damaged")
	f(3, nil, "damaged")
	f(4, append(bytes.Repeat([]byte{0xff}, 40), good[40:]...), "damaged") // the tree
	f(5, []byte("<html>"), "damaged")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r.logs.Reset()
	r.reload()
	r.reload()
	if country() != "NO" || said("find database") != 1 {
		t.Errorf("%v, %s", country(), r.logs)
	}
	write(t, path, "GeoLite2-City", cities())
	touch(5) // as a copy that keeps the time has it
	r.reload()
	if country() != "SE" {
		t.Errorf("%v, %s", country(), r.logs)
	}
}

func TestFilesAreLookedAtEveryInterval(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "city.mmdb"), "GeoLite2-City", cities())
	synctest.Test(t, func(t *testing.T) {
		r := built(t, path)
		if err := r.Start(t.Context(), componenttest.NewNopHost()); err != nil {
			t.Fatal(err)
		}
		changed := cities()
		changed["81.2.70.0/24"] = kv{"country": named("NO", "Norway"), "postal": kv{"code": mmdbtype.String("0150")}}
		write(t, path, "GeoLite2-City", changed)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if got := r.added(t, "81.2.70.1", nil)["source.geo.country_iso_code"]; got != "SE" {
			t.Errorf("before the interval is over: %v", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := r.added(t, "81.2.70.1", nil)["source.geo.country_iso_code"]; got != "NO" {
			t.Errorf("after the interval: %v, %s", got, r.logs)
		}
		if err := r.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := r.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAFileThatIsMissingOrDamagedIsAnErrorAtTheStart(t *testing.T) {
	dir := t.TempDir()
	f := func(name string, content []byte, says string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if content != nil {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := built(t, path).Start(context.Background(), componenttest.NewNopHost())
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
	f("missing.mmdb", nil, "start geoip: find database")
	f("empty.mmdb", []byte{}, "it is damaged or none")
	f("text.mmdb", []byte("hello"), "it is damaged or none")
	domains, err := os.ReadFile(write(t, filepath.Join(dir, "d"), "GeoIP2-Domain", nil))
	if err != nil {
		t.Fatal(err)
	}
	f("domain.mmdb", domains, `its type is "GeoIP2-Domain", want one of cities, countries or networks`)
	if err := built(t, dir).Start(context.Background(), componenttest.NewNopHost()); err == nil {
		t.Error("a folder is a database")
	}

	g := func(cfg Config, says string) {
		t.Helper()
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", cfg, err, says)
		}
	}
	g(Config{ReloadInterval: time.Minute}, "databases: 0 listed")
	g(Config{Databases: []string{"a", "a"}, ReloadInterval: time.Minute}, `databases: "a" is empty or listed twice`)
	g(Config{Databases: []string{"a"}}, "reload_interval: 0s, want at least 1s")
	g(Config{Databases: strings.Fields("1 2 3 4 5 6 7 8 9"), ReloadInterval: time.Minute}, "9 listed")
}

func TestAFailingLookupIsToldOnceAndWithoutTheAddress(t *testing.T) {
	r := both(t)
	broken := &entry{}
	if _, err := (&database{}).look(mustPublic(t, "81.2.69.1"), broken); err == nil {
		t.Fatal("a database that is not open answers")
	}
	for range 3 {
		r.fail(r.files[0], mustPublic(t, "81.2.69.1"), fmt.Errorf("bad pointer for 81.2.69.1"))
	}
	if n := strings.Count(r.logs.String(), "bad pointer"); n != 1 || strings.Contains(r.logs.String(), "81.2.69.1") {
		t.Errorf("told %d times: %s", n, r.logs)
	}
}

func TestTheDocumentHasThePlace(t *testing.T) {
	r := both(t)
	b := event.NewBatch(event.Origin{Module: "okta", Tenant: "acme", Dataset: "okta.system", Observed: time.Unix(1_790_000_000, 0)})
	rec := b.Add(nil, &event.Values{Raw: []byte(`{}`)})
	rec.ID("e")
	rec.Str("source.ip", "81.2.69.142")
	if err := r.ConsumeLogs(context.Background(), b.Take()); err != nil {
		t.Fatal(err)
	}
	for w := range event.Views(r.sink.AllLogs()[0]) {
		var doc struct {
			Source struct {
				Geo obj
				As  obj
			}
		}
		if err := json.Unmarshal(event.AppendECS(nil, w, event.Encoding{}), &doc); err != nil {
			t.Fatal(err)
		}
		at, _ := doc.Source.Geo["location"].(obj)
		if at["lat"] != 45.75 || at["lon"] != 4.85 || doc.Source.Geo["city_name"] != "Lyon" || doc.Source.As["number"] != 64496.0 {
			t.Errorf("got %v", doc)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	r := both(b)
	attrs := record("81.2.69.142", nil).ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	b.ReportAllocs()
	for b.Loop() {
		attrs.Clear()
		attrs.PutStr("source.ip", "81.2.69.142")
		r.fill(attrs)
	}
}

func mustPublic(t *testing.T, text string) netip.Addr {
	t.Helper()
	a, ok := public(text)
	if !ok {
		t.Fatalf("%s is not public", text)
	}
	return a
}
