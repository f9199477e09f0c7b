package dlp

import (
	"bytes"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// sparse is about a megabyte of audit events of 2 kB without a value: ids, hashes, addresses, times.
func sparse() [][]byte {
	r := sim.NewRand(7, 7)
	var out [][]byte
	for range 512 {
		var b bytes.Buffer
		fmt.Fprintf(&b, `{"uuid":"%s","published":"2026-11-24T12:%02d:%02d.%03dZ",`+
			`"eventType":"user.session.start","version":"0","severity":"INFO",`+
			`"displayMessage":"User login to the console","actor":{"id":"00u%s","type":"User",`+
			`"alternateId":"%s@acme.example","displayName":"%s %s",`+
			`"detailEntry":null},`+
			`"client":{"userAgent":{"rawUserAgent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, `+
			`like Gecko) Chrome/131.0.0.0 Safari/537.36","os":"Mac OS X","browser":"CHROME"},"zone":"null","device":"Computer","id":null,`+
			`"ipAddress":"203.0.%d.%d","geographicalContext":{"city":"San Jos\u00e9","state":"California","country":"United States",`+
			`"postalCode":"%05d","geolocation":{"lat":37.%04d,"lon":-121.%04d}}},"outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},`,
			r.UUID(nil), r.N(60), r.N(60), r.N(1000), r.Name(nil, 17), r.Name(nil, 8), r.Name(nil, 6),
			r.Name(nil, 9), r.N(255), r.N(255), r.N(99999),
			r.N(9999), r.N(9999))
		fmt.Fprintf(&b, `"target":[{"id":"0oa%s","type":"AppInstance","alternateId":"Payroll",`+
			`"displayName":"Payroll (production)","detailEntry":`+
			`{"signOnModeType":"SAML_2_0"}},{"id":"00g%s","type":"UserGroup","alternateId":"unknown",`+
			`"displayName":"Engineering","detailEntry":null}],`+
			`"transaction":{"type":"WEB","id":"%s","detail":{}},"debugContext":{"debugData":{"requestId":"%s","dtHash":"%s%s","requestUri":`+
			`"/api/v1/authn/factors/opf%s/verify","threatSuspected":"false","url":"/api/v1/authn/factors/opf%s/verify?rememberDevice=false",`+
			`"risk":"{level=MEDIUM, reasons=Anomalous Location}","behaviors":"{New Geo-Location=NEGATIVE,`+
			` New Device=POSITIVE, New IP=NEGATIVE}",`+
			`"logOnlySecurityData":"{\"risk\":{\"level\":\"LOW\"},`+
			`\"behaviors\":{\"New Geo-Location\":\"NEGATIVE\",\"New Device\":\"POSITIVE\"}}"}},`+
			`"legacyEventType":"core.user_auth.login_failed","authenticationContext":{"authenticationProvider":null,"credentialProvider":null,`+
			`"credentialType":null,"issuer":null,"interface":null,"authenticationStep":0,"externalSessionId":"trs%s"},"securityContext":`+
			`{"asNumber":%d,"asOrg":"example communications","isp":"example networks","domain":"example.net",`+
			`"isProxy":false},"insertionTimestamp":null,`+
			`"request":{"ipChain":[{"ip":"198.51.100.%d","geographicalContext":{"city":null,"state":null,"country":"Iceland","postalCode":null,`+
			`"geolocation":{"lat":64.1,"lon":-21.9}},"version":"V4","source":null}]}}`, r.Name(nil, 17), r.Name(nil, 17), r.Name(nil, 24),
			r.Name(nil, 24), r.UUID(nil), r.UUID(nil), r.Name(nil, 17), r.Name(nil, 17), r.Name(nil, 22), r.N(65000), r.N(255))
		out = append(out, bytes.Clone(b.Bytes()))
	}
	return out
}

// dense is text with a value in every line.
func dense() []byte {
	r := sim.NewRand(8, 8)
	var b strings.Builder
	kinds := []string{sim.Card, sim.SSN, sim.IBAN, sim.AWSKey, sim.JWT}
	for i := range 10000 {
		fmt.Fprintf(&b, "%d;%s %s;%s\n", i, r.Name(nil, 6), r.Name(nil, 8), sim.Plant(r, kinds[i%4]))
	}
	return []byte(b.String())
}

// rate reports also the rate by the time that the processor was ours, which others on the machine change less.
func rate(b *testing.B, n int, f func()) {
	b.SetBytes(int64(n))
	b.ReportAllocs()
	began := processorTime(b)
	for b.Loop() {
		f()
	}
	took := processorTime(b) - began
	b.ReportMetric(float64(n)*float64(b.N)/1e6/took.Seconds(), "MB/cpu-s")
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "cpu-ns/op")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sets are the detectors that are on by default, the common ones and all.
var sets = []struct {
	name string
	on   func(kind int) bool
}{
	{"default packs", func(kind int) bool { return wanted(table[kind].Pack, []string{"pci", "pii/us", "finance", "secrets"}) }},
	{"common types", func(kind int) bool {
		_, far := further[uint8(kind)]
		_, rare := rarer[uint8(kind)]
		return !far && !rare
	}},
	{"all types", func(int) bool { return true }},
}

func BenchmarkScan(b *testing.B) {
	texts, single := corpora(), sparse()
	texts = append(texts, corpus{"the first three", texts[0].text + texts[1].text + texts[2].text})
	for _, set := range sets {
		var on []int
		for kind := range table {
			if set.on(kind) {
				on = append(on, kind)
			}
		}
		s, i := compile(Options{Confidence: Medium}, on...).Scanner(), 0
		for _, text := range texts {
			body := []byte(text.text)
			b.Run(set.name+"/"+text.name, func(b *testing.B) { rate(b, len(body), func() { s.Claims(body, "") }) })
		}
		b.Run(set.name+"/an audit event at a time", func(b *testing.B) {
			rate(b, len(texts[0].text)/len(single), func() { s.Reset(); s.JSON(single[i%len(single)]); i++ })
		})
	}
}

// BenchmarkCores is what one and two scanners at a time get done with all detectors, by the clock.
func BenchmarkCores(b *testing.B) {
	c, err := New(Options{Packs: Packs(), Confidence: Medium})
	if err != nil {
		b.Fatal(err)
	}
	text := []byte(english(1 << 20))
	for n := 1; n <= min(2, runtime.GOMAXPROCS(0)); n++ {
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			b.SetBytes(int64(n * len(text)))
			scanners := []*Scanner{c.Scanner(), c.Scanner()}[:n]
			for b.Loop() {
				var done sync.WaitGroup
				for _, s := range scanners {
					done.Go(func() { s.Claims(text, "") })
				}
				done.Wait()
			}
		})
	}
}

// plain are the default detectors as regular expressions, as one would write them.
var plain = []struct {
	re    *regexp.Regexp
	valid func(string) bool
}{
	{regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`), refCard},
	{regexp.MustCompile(`\b\d{3}[- ]?\d{2}[- ]?\d{4}\b`), refSSN},
	{regexp.MustCompile(`\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b`), func(v string) bool { return ibans[v[:2]].length > 0 && refIBAN(v) }},
	{regexp.MustCompile(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b`), refAWS},
	{regexp.MustCompile(`\beyJ[\w-]{11,}\.eyJ[\w-]*\.[\w-]{16,}`), refJWT},
}

func BenchmarkReference(b *testing.B) {
	f := func(text []byte) {
		for _, p := range plain {
			for _, m := range p.re.FindAllIndex(text, -1) {
				p.valid(string(text[m[0]:m[1]]))
			}
		}
	}
	for _, c := range corpora() {
		text := []byte(c.text)
		b.Run("five detectors/"+c.name, func(b *testing.B) { rate(b, len(text), func() { f(text) }) })
	}
}

// BenchmarkDetector is what each detector costs by itself, on a part of every corpus: none is the walk alone.
func BenchmarkDetector(b *testing.B) {
	var text []byte
	for _, c := range corpora() {
		text = append(text, c.text[:1<<17]...)
	}
	none := compile(Options{Confidence: Medium}).Scanner()
	b.Run("none", func(b *testing.B) { rate(b, len(text), func() { none.Claims(text, "") }) })
	for kind := range detectors {
		s := compile(Options{Confidence: Medium}, kind).Scanner()
		b.Run(table[kind].ID, func(b *testing.B) { rate(b, len(text), func() { s.Claims(text, "") }) })
	}
}
