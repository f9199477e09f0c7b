package dlp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/dlp/redact"
	"github.com/longshore-dev/longshore/internal/event"
)

// RedactionConfig says whether values are masked in the records that hold them, before these are handed on.
type RedactionConfig struct {
	// Method is what stands in the place of a value: none = values stay; mask = an asterisk for each character; replace = the type of
	// data, <pci.credit_card>; hash = the type and the fingerprint that findings have, for which fingerprint_key must be set. Default: none.
	Method redact.Method `mapstructure:"method"`
	// MinConfidence is how sure it must be that something is a value: less than min_confidence masks also what is not told of.
	// Default: 0 = that of min_confidence.
	MinConfidence int `mapstructure:"min_confidence"`
}

func (c *Config) validateRedaction() error {
	r := &c.Redaction
	if !slices.Contains(redact.Methods, r.Method) {
		return fmt.Errorf("method: %q: want none, mask, replace or hash", r.Method)
	}
	if r.MinConfidence < 0 || r.MinConfidence > 100 {
		return fmt.Errorf("min_confidence: %d: want 1 to 100, or 0 for that of the processor", r.MinConfidence)
	}
	if r.Method == redact.None {
		return nil
	}
	if r.Method == redact.Hash && len(c.FingerprintKey) == 0 {
		return errors.New("method: hash: without fingerprint_key a value looks different after each start")
	}
	for _, f := range c.Fields {
		if identity(f) {
			return fmt.Errorf("method: %s: fields lists %q, which tells what a record is about and is never masked", r.Method, f)
		}
	}
	return nil
}

// identity says whether an attribute tells what a record is about: what it is, the ids by which the vendor knows what it names,
// and the people. Without them records count as others than they are, and actions reach nobody: they are never masked.
func identity(name string) bool {
	switch name {
	case "event.module", "event.dataset", "event.kind", "event.category", "event.type", "event.action", "entity.type", "saas.tenant",
		"saas.file.owner.email", "saas.file.version", "saas.inventory.content_hash":
		return true
	}
	return strings.HasSuffix(name, ".id") || strings.HasPrefix(name, "data_stream.") || strings.HasPrefix(name, "file.hash.") ||
		names(name) && !strings.HasPrefix(name, "email.")
}

// redactor masks values in one record after the other.
type redactor struct {
	reader
	values redact.Values
	rules  map[string]bool // types that count values of hidden detectors
	hidden []hiddenValue
	lower  bool // it may mask what there is no finding of
	kept   int64
}

// hiddenValue is masked only if a rule holds.
type hiddenValue struct {
	text       []byte
	start, end int
	claim      dlp.Claim
}

// newRedactors makes what makes them; nil = values are not masked.
func newRedactors(cfg *Config, own dlp.Custom, set *dlp.Set) (func() *redactor, error) {
	c := &cfg.Redaction
	if c.Method == redact.None {
		return nil, nil
	}
	if c.MinConfidence != 0 && c.MinConfidence != cfg.MinConfidence {
		var err error
		if set, err = dlp.New(dlp.Options{Packs: cfg.Packs, Confidence: c.MinConfidence, SkipFields: cfg.SkipFields,
			Key: []byte(cfg.FingerprintKey), Custom: own}); err != nil {
			return nil, fmt.Errorf("redaction: %w", err)
		}
	}
	rules := map[string]bool{}
	for _, d := range cfg.Detectors {
		rules[d.ID] = d.Rule != nil
	}
	return func() *redactor {
		r := &redactor{reader: reader{Scanner: set.Scanner(), fields: cfg.Fields, skip: cfg.SkipFields},
			values: redact.Values{Method: c.Method}, rules: rules, lower: c.MinConfidence != 0 && c.MinConfidence < cfg.MinConfidence}
		r.Pass(r.knows)
		r.Each(r.see)
		return r
	}, nil
}

// redact masks the values in a record. found: it has findings. A body that was scanned with a record before has none.
func (k *worker) redact(ctx context.Context, w event.View, found bool) {
	r := k.redactor
	if r == nil || !found && !k.repeated && !r.lower {
		return
	}
	defer r.forget()
	r.collect(w)
	if r.values.Empty() {
		return
	}
	r.mask(w)
	for kind, n := range r.values.Masked {
		k.c.masked.Add(ctx, n, k.c.byType[kind])
	}
	if r.kept > 0 {
		k.c.kept.Add(ctx, r.kept, k.c.self)
	}
}

// collect finds the values of a record.
func (r *redactor) collect(w event.View) {
	r.read(w, r.body)
	if len(r.hidden) > 0 && slices.ContainsFunc(r.Findings(), func(f dlp.Finding) bool { return r.rules[f.Type.ID] }) {
		for _, h := range r.hidden {
			r.add(h.text, h.start, h.end, h.claim)
		}
	}
	r.Reset()
}

func (r *redactor) forget() {
	r.values.Reset()
	clear(r.hidden)
	r.hidden, r.kept, r.w = r.hidden[:0], 0, event.View{}
}

func (r *redactor) see(text []byte, c dlp.Claim) {
	if !c.Hidden() {
		r.add(text, c.Start, c.End, c)
		return
	}
	from, to := max(0, c.Start-4), min(len(text), c.End+4) // what stands around tells a word from a part of one
	r.hidden = append(r.hidden, hiddenValue{slices.Clone(text[from:to]), c.Start - from, c.End - from, c})
}

func (r *redactor) add(text []byte, start, end int, c dlp.Claim) {
	r.values.Add(text, start, end, c.Type().ID, func() string { return r.Print(c, text[start:end]) })
}
