package elasticsearch

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Flavors are the kinds of servers.
func Flavors() []string { return []string{elastic, openSearch} }

// Files are what the exporter installs on servers of a flavor with its default configuration, for those who install it
// themselves: bodies of PUT requests, by path and ".json".
func Files(flavor string) (map[string]string, error) {
	l := layout{namespace: defaultNamespace, flavor: flavor, policy: policyName(defaultNamespace)}
	switch flavor {
	case elastic:
		l.has = types{"match_only_text": true, "wildcard": true, "constant_keyword": true, "flattened": true, pastLimit: true}
	case openSearch:
		l.has = types{"match_only_text": true, "wildcard": true, "flat_object": true}
	default:
		return nil, checkFlavor(flavor)
	}
	files := map[string]string{}
	for _, t := range append(l.templates(), defaultLifecycle().policy(flavor, defaultNamespace)) {
		text, err := json.MarshalIndent(t.body, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", t.path, err)
		}
		files[strings.TrimPrefix(t.path, "/")+".json"] = string(text) + "\n"
	}
	return files, nil
}
