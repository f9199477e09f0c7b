package dlp

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/custom"
	"github.com/longshore-dev/longshore/internal/dlp/redact"
)

// Config is what a user writes below `dlp:`.
type Config struct {
	// Packs are the detectors to use: pci, finance, secrets, pii/us, pii/uk, pii/de, pii/fr, pii/es, pii/it, pii/contact. pii alone
	// means all that begin with pii/.
	// pii/contact finds e-mail addresses of others than the people of the event. Default: [pci, pii/us, finance, secrets].
	Packs []string `mapstructure:"packs"`
	// MinConfidence leaves out what is less sure: 65 = the pattern alone, 75 = a check digit or structure holds, 85 = with a
	// keyword nearby. Default: 75.
	MinConfidence int `mapstructure:"min_confidence"`
	// Fields are what is scanned of a record: body (the raw object, every string and number in it), attributes (all of them),
	// or the name of an attribute. Default: [body].
	Fields []string `mapstructure:"fields"`
	// SkipFields are paths in the body whose values are not looked at, with all that is below them; a list has no index in
	// it. Example: ["debugContext.debugData.requestUri"]. Default: none.
	SkipFields []string `mapstructure:"skip_fields"`
	// FingerprintKey makes fingerprints of equal values equal for all agents that share it, at least 16 characters; without it
	// they can be compared until the next start only. Example: ${env:DLP_KEY}. Default: random.
	FingerprintKey configopaque.String `mapstructure:"fingerprint_key"`
	// Detectors are those of your own, beside the packs: patterns, dictionaries, tables, documents, file types, and rules. Default: none.
	Detectors []custom.Detector `mapstructure:"detectors"`
	// Redaction says whether values are masked in the records themselves.
	Redaction RedactionConfig `mapstructure:"redaction"`
	// Content says how the content of files is read that receivers come by.
	Content ContentConfig `mapstructure:"content"`
}

const (
	fieldBody       = "body"
	fieldAttributes = "attributes"
	minKey          = 16
)

func defaultConfig() component.Config {
	return &Config{Packs: []string{"pci", "pii/us", "finance", "secrets"}, MinConfidence: 75, Fields: []string{fieldBody},
		Redaction: RedactionConfig{Method: redact.None}, Content: defaultContent()}
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	if len(c.Packs) == 0 && len(c.Detectors) == 0 {
		return fmt.Errorf("packs: none listed: want any of %s", strings.Join(dlp.Packs(), ", "))
	}
	if err := dlp.CheckPacks(c.Packs); err != nil {
		return fmt.Errorf("packs: %w", err)
	}
	if c.MinConfidence < 1 || c.MinConfidence > 100 {
		return fmt.Errorf("min_confidence: %d: want 1 to 100; what is found has 65, 75 or 85", c.MinConfidence)
	}
	if len(c.Fields) == 0 {
		return errors.New("fields: none listed: want body, attributes or names of attributes")
	}
	if slices.Contains(c.Fields, "") {
		return errors.New(`fields: "" names no field`)
	}
	for _, p := range c.SkipFields {
		if p == "" || strings.HasPrefix(p, ".") || strings.HasSuffix(p, ".") || strings.ContainsAny(p, "[]* ") {
			return fmt.Errorf("skip_fields: %q: want names joined by dots, as debugContext.debugData.requestUri", p)
		}
	}
	if n := len(c.FingerprintKey); n > 0 && n < minKey {
		return fmt.Errorf("fingerprint_key: has %d characters: want at least %d", n, minKey)
	}
	if err := custom.Validate(c.Detectors); err != nil {
		return fmt.Errorf("detectors: %w", err)
	}
	if err := c.validateRedaction(); err != nil {
		return fmt.Errorf("redaction: %w", err)
	}
	if err := c.Content.validate(); err != nil {
		return fmt.Errorf("content: %w", err)
	}
	return nil
}
