package store

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/internal/event"
)

// signIn is raw event n in the shape of Okta's system log, about 2 kB.
func signIn(n int) string {
	geo := `{"city":"Lyon","state":"Rhône","country":"France","postalCode":"69000","geolocation":{"lat":45.75,"lon":4.85}}`
	return fmt.Sprintf(`{"uuid":"f24790d0-d324-47f8-aac5-%012d","published":"2026-11-23T20:%02d:%02d.%03dZ","eventType":`+
		`"user.session.start","version":"0","severity":"INFO","legacyEventType":"core.user_auth.login_success","display`+
		`Message":"User login to Okta",`+
		`"actor":{"id":"00u1abcd2EFGHI%06d","type":"User","alternateId":"ana.roy%d@contoso.example","displayName":"Ana Roy %d",`+
		`"detailEntry":null},`+
		`"client":{"userAgent":{"rawUserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, li`+
		`ke Gecko) Chrome/131`+
		`.0.0.0 Safari/537.36","os":"Windows 11","browser":"CHROME"},"zone":"null","device":"Computer","id":null,"ipAdd`+
		`ress":"203.0.113.%d",`+
		`"geographicalContext":%s},"authenticationContext":{"authenticationProvider":null,"credentialProvider":null,"cr`+
		`edentialType":"PASS`+
		`WORD","issuer":null,"interface":null,"authenticationStep":0,"externalSessionId":"102GALFw8CzRT2KXoqnca8%06d"},`+
		`"outcome":{"result":"SUCCESS","reason":null},"securityContext":{"asNumber":64500,"asOrg":"example isp","isp":"example isp",`+
		`"domain":"example.net","isProxy":false},"debugContext":{"debugData":{"requestUri":"/api/v1/authn","requestId":"Wij-AJeCb`+
		`HF7In2MKNaOpA%06d","threatSuspected":"false","risk":"level=LOW","dtHash":"0a4f5bb1b5a7a1f9c0c9c3f5c1d4c0d2f3e6`+
		`a7b80a4f5bb1b5a7a1f9c0c9c3f5",`+
		`"logOnlySecurityData":"{\"risk\":{\"level\":\"LOW\"},\"behaviors\":{\"New Geo-Location\":\"NEGATIVE\",\"New De`+
		`vice\":\"NEGATIVE\"}}",`+
		`"behaviors":"New Geo-Location=NEGATIVE, New Device=NEGATIVE, New IP=NEGATIVE","url":"/api/v1/authn?"}},`+
		`"transaction":{"type":"WEB","id":"Wij-AJeCbHF7In2MKNaOpA%06d","detail":{}},"request":{"ipChain":[{"ip":"203.0.113.%d",`+
		`"geographicalContext":%s,"version":"V4","source":null}]},"target":[{"id":"0oabe82gnXOFVCDUM%03d","type":"AppInstance",`+
		`"alternateId":"Okta Dashboard","displayName":"Okta Dashboard","detailEntry":null}]}`,
		n, n/60%60, n%60, n%1000, n%5000, n%5000, n%5000, n%250, geo, n, n, n, n%250, geo, n%400)
}

// signIns makes n records as receivers/okta maps them.
func signIns(first, n int) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	r := rl.Resource().Attributes()
	for _, kv := range [][2]string{{"event.module", "okta"}, {"saas.tenant", "acme"}, {"organization.id", "o1"}, {"agent.type", "longshore"}} {
		r.PutStr(kv[0], kv[1])
	}
	sl := rl.ScopeLogs().AppendEmpty()
	for i := first; i < first+n; i++ {
		lr := sl.LogRecords().AppendEmpty()
		at := pcommon.NewTimestampFromTime(day.Add(time.Duration(i) * 100 * time.Millisecond))
		lr.SetTimestamp(at)
		lr.SetObservedTimestamp(at)
		lr.Body().SetStr(signIn(i))
		a := lr.Attributes()
		mail, ip := fmt.Sprintf("ana.roy%d@contoso.example", i%5000), fmt.Sprintf("203.0.113.%d", i%250)
		id := fmt.Sprintf("00u1abcd2EFGHI%06d", i%5000)
		for _, kv := range [][2]string{{"event.dataset", "okta.system"}, {"event.kind", "event"}, {"event.action", "user.session.start"},
			{"event.id", fmt.Sprintf("f24790d0-d324-47f8-aac5-%012d", i)}, {"event.outcome", []string{"success", "failure"}[i%2]},
			{"event.provider", "system_log"}, {"event.hash", fmt.Sprintf("%064x", i)}, {"message", "User login to Okta"},
			{"user.id", id}, {"user.email", mail}, {"user.name", mail}, {"user.full_name", fmt.Sprintf("Ana Roy %d", i%5000)},
			{"saas.actor.type", "user"}, {"user_agent.original", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, " +
				"like Gecko) Chrome/131.0.0.0 Safari/537.36"}, {"user_agent.os.name", "Windows 11"}, {"user_agent.name", "CHROME"},
			{"source.ip", ip}, {"client.ip", ip}, {"device.model.name", "Computer"}, {"source.geo.city_name", "Lyon"},
			{"source.geo.region_name", "Rhône"}, {"source.geo.country_name", "France"}, {"source.geo.postal_code", "69000"},
			{"source.as.organization.name", "example isp"}, {"source.domain", "example.net"},
			{"session.id", fmt.Sprintf("102GALFw8CzRT2KXoqnca8%06d", i)}, {"saas.credential.type", "PASSWORD"}, {"url.path", "/api/v1/authn"},
			{"saas.risk.level", "low"}, {"service.id", fmt.Sprintf("0oabe82gnXOFVCDUM%03d", i%400)}, {"service.name", "Okta Dashboard"},
			{"saas.object.type", "AppInstance"}, {"transaction.id", fmt.Sprintf("Wij-AJeCbHF7In2MKNaOpA%06d", i)},
			{"saas.activity", "login"}, {"saas.auth.protocol", "oidc"}, {"saas.auth.idp", "okta"}} {
			a.PutStr(kv[0], kv[1])
		}
		a.PutInt("event.severity", 1)
		a.PutInt("source.as.number", 64500)
		a.PutBool("saas.auth.mfa", false)
		for name, vals := range map[string][]string{"event.category": {"authentication"}, "event.type": {"start"},
			"related.user": {id, mail}, "related.ip": {ip}, "related.hosts": {"example.net"}} {
			l := a.PutEmptySlice(name)
			for _, val := range vals {
				l.AppendEmpty().SetStr(val)
			}
		}
	}
	return logs
}

// oktaVendor makes the documents as large as those of receivers/okta, with the vendor's own fields.
func oktaVendor() {
	event.RegisterVendor(event.Vendor{Module: "okta", Root: "okta", Snake: true,
		Flat: map[string]string{"debugContext.debugData": "flattened"}})
}

// BenchmarkWriteOne stores events one by one, each synced: what a quiet tenant costs.
func BenchmarkWriteOne(b *testing.B) {
	oktaVendor()
	s := opened(b, filepath.Join(b.TempDir(), "longshore.db"))
	n := 0
	for b.Loop() {
		b.StopTimer()
		l := signIns(n, 1)
		b.StartTimer()
		write(b, s, l)
		n++
	}
}

// BenchmarkSearch searches 20,000 records for 100 of them.
func BenchmarkSearch(b *testing.B) {
	oktaVendor()
	path := filepath.Join(b.TempDir(), "longshore.db")
	s := opened(b, path)
	for i := range 20 {
		write(b, s, signIns(i*1000, 1000))
	}
	r := reading(b, path)
	f := func(expression string, want int) {
		b.Run(expression, func(b *testing.B) {
			search := Search{Filter: compiled(b, expression), Limit: 100}
			for b.Loop() {
				n := 0
				for _, err := range r.Documents(b.Context(), search) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != want {
					b.Fatalf("%d found, want %d", n, want)
				}
			}
		})
	}
	f("event.outcome:failure", 100)
	f("event.dataset:okta.system @timestamp:<=2026-11-20T10:10", 100)
	f("user.name:ana.roy7@contoso.example", 4)
	f("user.id:00u1abcd2EFGHI000007", 4)
	f("paris", 0)
	f("lyon", 100)
	f("okta.security_context.as_org:nobody", 0)
}

// BenchmarkPlain stores the same documents as BenchmarkWrite in a table with a unique id and a time, by database/sql, as synced, without
// any other column or index and without text search: what to compare with.
func BenchmarkPlain(b *testing.B) {
	oktaVendor()
	const size = 1000
	db, err := open(filepath.Join(b.TempDir(), "plain.db"), url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)"}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	const tables = "CREATE TABLE plain (id TEXT PRIMARY KEY, time INTEGER, doc TEXT); CREATE INDEX plain_time ON plain (time)"
	if _, err := db.Exec(tables); err != nil {
		b.Fatal(err)
	}
	put, err := db.Prepare("INSERT INTO plain VALUES (?, ?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	var doc []byte
	for b.Loop() {
		b.StopTimer()
		l := signIns(n, size)
		b.StartTimer()
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for v := range event.Views(l) {
			doc = event.AppendECS(doc[:0], v, event.Encoding{Namespace: "saas", Ingested: day})
			if _, err := tx.Stmt(put).Exec(v.DocID(), int64(v.Log.Timestamp()), string(doc)); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		n += size
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkWrite stores events of 2 kB (documents of about 6 kB) in batches of 1,000, each synced.
func BenchmarkWrite(b *testing.B) {
	oktaVendor()
	const size = 1000
	path := filepath.Join(b.TempDir(), "longshore.db")
	s := opened(b, path)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		l := signIns(n, size)
		b.StartTimer()
		write(b, s, l)
		n += size
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	bytes, err := strconv.Atoi(column(b, s, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(bytes)/float64(n), "B/event")
}

// BenchmarkTidy removes the oldest records, a step at a time: how long a writer waits for it.
func BenchmarkTidy(b *testing.B) {
	oktaVendor()
	s := opened(b, filepath.Join(b.TempDir(), "longshore.db"))
	n := 0
	var worst time.Duration
	for b.Loop() {
		b.StopTimer()
		if n == 0 {
			for i := range 50 {
				write(b, s, signIns(i*1000, 1000))
			}
			n = 50_000
		}
		b.StartTimer()
		start := time.Now()
		did, err := s.Tidy(b.Context(), Retention{MaxAge: time.Hour}, day.Add(1e4*time.Hour))
		worst = max(worst, time.Since(start))
		if err != nil {
			b.Fatal(err)
		}
		if !did.More {
			n = 0
		}
	}
	b.ReportMetric(float64(worst.Milliseconds()), "longest-ms")
}
