package dlp

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/longshore-dev/longshore/internal/dlp/custom"
)

const ownYAML = `
packs: [pci]
detectors:
  - id: acme.employee
    patterns: ['\bEMP-\d{6}\b']
  - {id: acme.project, name: Secret project, pack: acme/rd, severity: 4, dictionary: {terms: [Falcon Heavy]}}
  - id: acme.leak
    rule: {all: [acme.project, {detector: acme.employee, count: 2, unique: true}], within: 200}
`

// configured is the default configuration with YAML over it.
func configured(t *testing.T, text string) (*Config, error) {
	t.Helper()
	var raw map[string]any
	if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatal(err)
	}
	cfg := defaultConfig().(*Config)
	return cfg, confmap.NewFromStringMap(raw).Unmarshal(cfg)
}

func TestOwnDetectorsFindInRecordsAsTheOthersDo(t *testing.T) {
	r := start(t, func(c *Config) {
		cfg, err := configured(t, ownYAML)
		if err != nil {
			t.Fatal(err)
		}
		*c = *cfg
	})
	b := oktaBatch()
	add(b, "e1", `{"a":{"note":"falcon  heavy by EMP-123456"},"b":["EMP-654321","EMP-123456"],"card":"4539148803436467"}`)
	add(b, "e2", `{"note":"EMP-123456"}`)
	_, found := r.pass(b.Take())
	var got []string
	for _, w := range found {
		got = append(got, strings.Join([]string{w.Str("rule.id"), w.Str("rule.name"), w.Str("rule.category"), w.Str("event.severity"),
			w.Str("saas.finding.count"), w.Str("saas.finding.unique_count"), w.Str("saas.finding.confidence"),
			strings.Join(w.Strs("saas.finding.sample_redacted"), "+"), w.Str("saas.finding.location")}, "|"))
	}
	want := []string{
		"pci.credit_card|Payment card number|pci|3|1|1|85|************6467|card",
		"acme.leak|acme.leak|custom|3|1|0|75||a.note, b[0], b[1]",
		"acme.employee|acme.employee|custom|3|3|2|75|********56+********21|a.note, b[0], b[1]",
		"acme.project|Secret project|acme/rd|4|1|1|75|*********avy|a.note",
		"acme.employee|acme.employee|custom|3|1|1|75|********56|note",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestWrongOwnDetectorsAreRefused(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		cfg, err := configured(t, text)
		if err == nil {
			err = cfg.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	f("detectors: [{id: acme.x, patterns: ['a(']}]", `detectors: detector "acme.x": patterns: "a(": missing closing ) at character 1`)
	f("detectors: [{id: acme.x, pattern: ['a']}]", "invalid keys: pattern")
	f("detectors: [{id: acme.x, rule: {all: [pii.us_sin]}}]", `no detector is called "pii.us_sin"`)
	f("packs: []", "packs: none listed")
	cfg, err := configured(t, "packs: []\ndetectors: [{id: acme.x, patterns: [a]}]")
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		t.Errorf("without packs: %v", err)
	}
	if len(cfg.Detectors) != 1 || cfg.Detectors[0].ID != "acme.x" || custom.Validate(cfg.Detectors) != nil {
		t.Errorf("read %+v", cfg.Detectors)
	}
}
