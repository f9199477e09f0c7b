package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/longshore-dev/longshore/internal/saas"
)

// load reads and validates a configuration as the collector would.
func (p *program) load(ctx context.Context, uris []string) (*otelcol.Config, error) {
	fs, err := p.set.Factories()
	if err != nil {
		return nil, fmt.Errorf("list components: %w", err)
	}
	set := p.set.ConfigProviderSettings
	set.ResolverSettings.URIs = uris
	cp, err := otelcol.NewConfigProvider(set)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	cfg, err := cp.Get(ctx, fs)
	if err == nil {
		err = confmap.Validate(cfg)
	}
	if err = errors.Join(err, cp.Shutdown(ctx)); err != nil {
		return nil, explainKeys(err)
	}
	return cfg, nil
}

// explainKeys adds the nearest known key to the collector's refusal of an unknown one.
func explainKeys(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if strings.Contains(text, `'processors' unknown type: "batch"`) {
		return fmt.Errorf("%w\nbatch is not part of Longshore, because it accepts records before they are exported, and a crash loses them: %s",
			err, noBatch)
	}
	bad := regexp.MustCompile(`has invalid keys: ([^\n]+)`).FindStringSubmatch(text)
	of := regexp.MustCompile(`error reading configuration for "([^"/]+)`).FindStringSubmatch(text)
	if bad == nil || of == nil {
		return err
	}
	known := knownKeys(of[1])
	var hints []string
	for _, k := range strings.Split(bad[1], ", ") {
		if n := saas.Nearest(k, known); n != "" {
			hints = append(hints, fmt.Sprintf("%q is not known; did you mean %q?", k, n))
		}
	}
	if len(hints) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, strings.Join(hints, "\n"))
}

// knownKeys are all keys in the configurations of the components of a type.
func knownKeys(typ string) []string {
	fs, err := components()
	if err != nil {
		return nil
	}
	t, err := component.NewType(typ)
	if err != nil {
		return nil
	}
	seen := map[string]bool{}
	add := func(f component.Factory, ok bool) {
		if ok {
			collectKeys(reflect.TypeOf(f.CreateDefaultConfig()), seen, map[reflect.Type]bool{})
		}
	}
	rf, ok := fs.Receivers[t]
	add(rf, ok)
	pf, ok := fs.Processors[t]
	add(pf, ok)
	ef, ok := fs.Exporters[t]
	add(ef, ok)
	xf, ok := fs.Extensions[t]
	add(xf, ok)
	out := make([]string, 0, len(seen))
	for k := range seen {
		out = append(out, k)
	}
	return out
}

// collectKeys walks the type of a configuration for the keys in its tags.
func collectKeys(t reflect.Type, keys map[string]bool, walked map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || walked[t] {
		return
	}
	walked[t] = true
	for f := range fields(t) {
		if key, _, _ := strings.Cut(f.Tag.Get("mapstructure"), ","); key != "" && key != "-" {
			keys[key] = true
		}
		collectKeys(f.Type, keys, walked)
	}
}

// fields iterates over the fields of a struct type.
func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}
