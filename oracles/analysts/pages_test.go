package analysts

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
	"github.com/longshore-dev/longshore/oracles/procs"
	"github.com/longshore-dev/longshore/receivers/box"
	"github.com/longshore-dev/longshore/receivers/okta"
)

// TestEveryQuestionReadsFieldsThatRecordsHave compares what a page says it reads with what its queries name.
func TestEveryQuestionReadsFieldsThatRecordsHave(t *testing.T) {
	for _, q := range questions(t) {
		used := map[string]bool{}
		for _, b := range q.bodies {
			var v any
			if err := json.Unmarshal([]byte(b.text), &v); err != nil {
				t.Fatalf("%s: %v", q.name, err)
			}
			named(v, used)
			for _, c := range b.columns {
				if f, ok := strings.CutPrefix(c, "_source."); ok && !used[f] {
					t.Errorf("%s: the body does not ask for column %q", q.name, f)
				}
			}
		}
		for _, k := range q.kibana {
			k = esqlWords.ReplaceAllString(k, "")
			for _, f := range esqlField.FindAllString(k, -1) {
				used[f] = true
			}
		}
		for f := range used {
			if event.FieldType(f) == "" {
				t.Errorf("%s: no record has a field %q", q.name, f)
			}
			if !slices.Contains(q.reads, f) {
				t.Errorf("%s: it does not say that it reads %q", q.name, f)
			}
		}
		for _, f := range q.reads {
			if !used[f] {
				t.Errorf("%s: it says that it reads %q, and does not", q.name, f)
			}
		}
	}
}

var (
	esqlWords = regexp.MustCompile(`"[^"]*"|FROM \S+|\d+\.\d+`)
	esqlField = regexp.MustCompile(`@timestamp|[a-z_]+(?:\.[a-z_]+)+|message|tags`)
)

// named collects the fields that a body names.
func named(v any, into map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			named(e, into)
		}
	case map[string]any:
		for key, val := range v {
			switch of, isObject := val.(map[string]any); {
			case key == "field":
				into[val.(string)] = true
			case key == "_source":
				for _, f := range val.([]any) {
					into[f.(string)] = true
				}
			case key == "sort":
				for _, s := range val.([]any) {
					named(map[string]any{"term": s}, into)
				}
			case isObject && of["field"] == nil && slices.Contains([]string{"term", "terms", "range", "wildcard"}, key):
				for f := range of {
					into[f] = true
				}
			default:
				named(val, into)
			}
		}
	}
}

// TestIndexNamesEveryQuestion compares the page that lists the questions with them, and them with the known answers.
func TestIndexNamesEveryQuestion(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(procs.Root(), "docs", "analysts", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := questions(t)
	if len(all) < 25 || len(answers) != len(all) || strings.Count(string(text), "](questions/") != len(all) {
		t.Errorf("%d questions, %d answers, %d in the index", len(all), len(answers), strings.Count(string(text), "](questions/"))
	}
	for i, q := range all {
		if line := fmt.Sprintf("\n| %d | [%s](questions/%s.md) |\n", i+1, q.title, q.name); !strings.Contains(string(text), line) {
			t.Errorf("the index lacks %q", line)
		}
		if len(answers[q.name]) == 0 {
			t.Errorf("%s has no known answer", q.name)
		}
		for _, m := range regexp.MustCompile(`\]\(([\w-]+\.md)\)`).FindAllStringSubmatch(q.text, -1) {
			if _, err := os.Stat(filepath.Join(procs.Root(), "docs", "analysts", "questions", m[1])); err != nil {
				t.Errorf("%s: %v", q.name, err)
			}
		}
	}
}

// TestWhatCannotBeUndoneIsNamed compares the verbs that the question of what can be undone leaves out with those that no provider takes
// back.
func TestWhatCannotBeUndoneIsNamed(t *testing.T) {
	final := map[string]bool{}
	for _, p := range []saas.Provider{okta.Provider, box.Provider} {
		inst, err := p.Open(p.Config(), saas.Setup{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range inst.Actions {
			final[a.Verb] = final[a.Verb] || a.Irreversible != ""
		}
	}
	maps.DeleteFunc(final, func(_ string, yes bool) bool { return !yes })
	want := slices.Sorted(maps.Keys(final))
	for _, q := range questions(t) {
		if q.name != "09-what-governance-changed" {
			continue
		}
		for who, form := range map[string]string{q.bodies[0].text: `"(\w+)"`, q.sql: `'(\w+)'`, q.kibana[0]: `"(\w+)"`} {
			var got []string
			for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(who, -1) {
				if strings.Contains(m[1], "_") && m[1] != "dry_run" && m[1] != "must_not" && m[1] != "_source" {
					got = append(got, m[1])
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("verbs left out are %q, want %q", got, want)
			}
		}
	}
}
