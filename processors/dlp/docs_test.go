package dlp

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp"
)

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
	for _, x := range dlp.Types() {
		want(fmt.Sprintf("| `%s` | %s | `%s` | %d |", x.ID, x.Name, x.Pack, x.Severity))
	}
	var keys func(prefix string, v reflect.Value)
	keys = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			key := prefix + v.Type().Field(i).Tag.Get("mapstructure")
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
	for _, name := range []string{"records", "bytes", "findings", "files", "fetches", "file_bytes", "verdicts_reused"} {
		want("`longshore_dlp_" + name + "`")
	}
}
