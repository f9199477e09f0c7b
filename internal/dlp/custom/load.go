package custom

import (
	"fmt"
	"path/filepath"

	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

const maxConfig = 16 << 20

// Load reads detectors from a YAML file: a list below `detectors:`, as in the configuration of the processor dlp. Files that they
// name are relative to its folder.
func Load(file string) ([]Detector, error) {
	b, err := readFile(file, maxConfig)
	if err != nil {
		return nil, err
	}
	var raw map[string]any
	if err = yaml.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var all struct {
		Detectors []Detector `mapstructure:"detectors"`
	}
	if err = confmap.NewFromStringMap(raw).Unmarshal(&all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(all.Detectors) == 0 {
		return nil, fmt.Errorf("%s: no detectors: want a list below the key detectors", file)
	}
	beside := func(name *string) {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(filepath.Dir(file), *name)
		}
	}
	for i := range all.Detectors {
		d := &all.Detectors[i]
		if d.Dictionary != nil {
			beside(&d.Dictionary.File)
		}
		if d.ExactMatch != nil {
			beside(&d.ExactMatch.File)
			beside(&d.ExactMatch.KeyFile)
		}
		if d.Documents != nil {
			beside(&d.Documents.File)
		}
	}
	return all.Detectors, nil
}
