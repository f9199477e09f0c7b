package dlp

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/longshore-dev/longshore/internal/dlp/redact"
	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/sim"
)

// BenchmarkRecords passes batches of 1,000 records of 2 kB, of which one in 200 holds a value, as fakes plant them.
func BenchmarkRecords(b *testing.B) {
	for _, every := range []int{0, 200} {
		b.Run(fmt.Sprintf("one planted in %d", every), func(b *testing.B) {
			p, err := NewFactory().CreateLogs(context.Background(), processortest.NewNopSettings(NewFactory().Type()), defaultConfig(),
				consumertest.NewNop())
			if err != nil {
				b.Fatal(err)
			}
			r, batch := sim.NewRand(1, 2), oktaBatch()
			for i := range 1000 {
				note := "nothing"
				if every > 0 && i%every == 7 {
					note = sim.Plant(r, sim.Card)
				}
				add(batch, fmt.Sprint("e", i), audit(r, note))
			}
			l, size := batch.Take(), 0
			for w := range event.Views(l) {
				size += len(w.Raw())
			}
			groups := l.ResourceLogs().Len()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			began := processorTime(b)
			for b.Loop() {
				if err := p.ConsumeLogs(context.Background(), l); err != nil {
					b.Fatal(err)
				}
				n := 0
				l.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { n++; return n > groups })
			}
			took := processorTime(b) - began
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N)/1000, "cpu-ns/record")
			b.ReportMetric(float64(size)*float64(b.N)/1e6/took.Seconds(), "MB/cpu-s")
		})
	}
}

// processorTime is the time that the processor was ours, which others on the machine change less than the clock.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// audit is an event of 2 kB as audit logs have them.
func audit(r *sim.Rand, note string) string {
	place := map[string]any{"city": "San José", "country": "United States", "geolocation": map[string]any{"lat": 37.33, "lon": -121.89},
		"postalCode": "95113", "state": "California"}
	id := func() string { return "00u" + string(r.Name(nil, 17)) }
	raw, _ := json.Marshal(map[string]any{
		"uuid": string(r.UUID(nil)), "published": "2026-11-24T12:00:00.000Z", "eventType": "user.session.start", "severity": "INFO",
		"displayMessage": "User login to the console", "legacyEventType": "core.user_auth.login_success", "version": "0",
		"actor": map[string]any{"id": id(), "type": "User", "alternateId": "ann@acme.example", "displayName": "Ann Example", "detailEntry": nil},
		"client": map[string]any{
			"userAgent": map[string]any{"rawUserAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 " +
				"(KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", "os": "Mac OS X", "browser": "CHROME"}, "zone": "null", "device": "Computer",
			"ipAddress": "203.0.113.7", "geographicalContext": place},
		"outcome": map[string]any{"result": "SUCCESS", "reason": nil},
		"target": []any{map[string]any{"id": id(), "type": "AppInstance", "alternateId": "Payroll", "displayName": "Payroll (production)"},
			map[string]any{"id": id(), "type": "UserGroup", "alternateId": "unknown", "displayName": "Engineering", "detailEntry": nil}},
		"transaction": map[string]any{"type": "WEB", "id": string(r.Name(nil, 24)), "detail": map[string]any{}},
		"debugContext": map[string]any{"debugData": map[string]any{"requestId": string(r.Name(nil, 24)), "justification": note,
			"dtHash": strings.ReplaceAll(string(r.UUID(nil))+string(r.UUID(nil)), "-", ""), "threatSuspected": "false",
			"requestUri": "/api/v1/authn/factors/" + id() + "/verify", "url": "/api/v1/authn/factors/" + id() + "/verify?rememberDevice=false",
			"behaviors":           "{New Geo-Location=NEGATIVE, New Device=POSITIVE, New IP=NEGATIVE, New State=NEGATIVE, Velocity=NEGATIVE}",
			"logOnlySecurityData": `{"risk":{"level":"LOW"},"behaviors":{"New Geo-Location":"NEGATIVE","New Device":"POSITIVE"}}`}},
		"authenticationContext": map[string]any{"authenticationStep": 0, "externalSessionId": "trs" + string(r.Name(nil, 22)), "issuer": nil},
		"securityContext":       map[string]any{"asNumber": 64500, "asOrg": "example networks", "isp": "example", "isProxy": false},
		"request": map[string]any{"ipChain": []any{
			map[string]any{"ip": "203.0.113.7", "version": "V4", "geographicalContext": place},
		}},
	})
	return string(raw)
}

// BenchmarkRedaction masks a card in one of so many records.
func BenchmarkRedaction(b *testing.B) {
	for _, every := range []int{1, 200} {
		b.Run(fmt.Sprintf("one planted in %d", every), func(b *testing.B) {
			cfg := defaultConfig().(*Config)
			cfg.Redaction.Method = redact.Replace
			p, err := NewFactory().CreateLogs(context.Background(), processortest.NewNopSettings(NewFactory().Type()), cfg, consumertest.NewNop())
			if err != nil {
				b.Fatal(err)
			}
			r, batch := sim.NewRand(1, 2), oktaBatch()
			for i := range 1000 {
				note := "nothing"
				if i%every == 0 {
					note = sim.Plant(r, sim.Card)
				}
				add(batch, fmt.Sprint("e", i), audit(r, note))
			}
			l, size := batch.Take(), 0
			for w := range event.Views(l) {
				size += len(w.Raw())
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				one := plog.NewLogs()
				l.CopyTo(one)
				b.StartTimer()
				if err := p.ConsumeLogs(context.Background(), one); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
