package dlp

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp"
)

var update = flag.Bool("update", false, "write the table of detectors into docs/dlp.md")

func TestThePageNamesEveryDetectorKeyAndMetric(t *testing.T) {
	b, err := os.ReadFile("../../docs/dlp.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	want := func(text string) {
		t.Helper()
		if !strings.Contains(page, text) {
			t.Errorf("docs/dlp.md lacks %s", text)
		}
	}
	table := "| type | what | pack | severity |\n| --- | --- | --- | --- |\n"
	for _, x := range dlp.Types() {
		table += fmt.Sprintf("| `%s` | %s | `%s` | %d |\n", x.ID, x.Name, x.Pack, x.Severity)
	}
	if *update {
		page = regexp.MustCompile(`(?m)^\| type \|.*\n(?:\|.*\n)+`).ReplaceAllLiteralString(page, table)
		if err := os.WriteFile("../../docs/dlp.md", []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want("\n\n" + table + "\n")
	var keys func(prefix string, v reflect.Value)
	keys = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			key := prefix + v.Type().Field(i).Tag.Get("mapstructure")
			if strings.HasSuffix(key, ",squash") { // an HTTP client, as everywhere
				want("| `" + prefix + "endpoint` | none |")
				want("| `" + prefix + "timeout` | `30s` |")
				continue
			}
			switch f := v.Field(i); {
			case f.Kind() == reflect.Struct:
				keys(key+".", f)
			case f.Kind() == reflect.Slice && f.Len() > 0:
				want(fmt.Sprintf("| `%s` | `[%s]` |", key, strings.Join(f.Interface().([]string), ", ")))
			case f.IsZero():
				want(fmt.Sprintf("| `%s` | ", key))
			default:
				want(fmt.Sprintf("| `%s` | `%s` |", key, strings.Replace(fmt.Sprint(f.Interface()), "1m0s", "60s", 1)))
			}
		}
	}
	keys("", reflect.ValueOf(*defaultConfig().(*Config)))
	for _, name := range []string{"records", "bytes", "findings", "files", "fetches", "file_bytes", "verdicts_reused",
		"masked", "kept", "values", "text_bytes", "files_reading", "file_duration"} {
		want("`longshore_dlp_" + name + "`")
	}
}
