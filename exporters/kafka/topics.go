package kafka

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/longshore-dev/longshore/internal/delivery"
	"github.com/longshore-dev/longshore/internal/event"
)

const (
	maxTopics   = 256 // that a template makes of values; other records go to the topic of their class
	maxTopic    = 249 // bytes that Kafka allows in a name
	absentValue = "none"
)

var (
	placeholders = []string{"module", "dataset", "class", "tenant"}
	classNames   = [...]string{delivery.Event: "event", delivery.Entity: "entity", delivery.Finding: "finding", delivery.Action: "action"}
)

// step is a literal or a placeholder of a template.
type step struct {
	text  string
	field bool
}

// template is a name of a topic with placeholders.
type template []step

// parseTemplate reads a name such as "saas.{dataset}".
func parseTemplate(text string) (template, error) {
	var t template
	for rest := text; rest != ""; {
		before, after, open := strings.Cut(rest, "{")
		if before != "" {
			t = append(t, step{text: before})
		}
		if !open {
			break
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed || !slices.Contains(placeholders, name) {
			return nil, fmt.Errorf("topic %q: a placeholder is {%s}", text, strings.Join(placeholders, "}, {"))
		}
		t = append(t, step{name, true})
		rest = next
	}
	whole := ""
	for _, s := range t {
		if s.field {
			whole += "x"
		} else {
			whole += s.text
		}
	}
	if err := checkTopic("topic", whole); err != nil {
		return nil, fmt.Errorf("topic %q: it gives no name of a topic", text)
	}
	return t, nil
}

// varies says whether the name depends on the record.
func (t template) varies() bool { return slices.ContainsFunc(t, func(s step) bool { return s.field }) }

// appendName appends the name for a record. What Kafka does not allow is "_", so is a dot in a module or tenant, for names that
// differ in that alone cannot both be; what is absent is "none"; what is too long is cut.
func (t template) appendName(dst []byte, w event.View, class delivery.Class) []byte {
	start := len(dst)
	for _, s := range t {
		text := s.text
		if s.field {
			text = fieldOf(s.text, w, class)
		}
		for i := range len(text) {
			if allowed(text[i]) && (text[i] != '.' || !s.field || s.text == "dataset") {
				dst = append(dst, text[i])
			} else {
				dst = append(dst, '_')
			}
		}
	}
	if name := string(dst[start:]); name == "." || name == ".." {
		dst = append(dst[:start], '_')
	}
	return dst[:min(len(dst), start+maxTopic)]
}

func fieldOf(name string, w event.View, class delivery.Class) string {
	text := ""
	switch name {
	case "class":
		text = classNames[class]
	case "module":
		text = w.Str("event.module")
	case "dataset":
		text = w.Str("event.dataset")
	case "tenant":
		text = w.Str("saas.tenant")
	}
	if text == "" {
		return absentValue
	}
	return text
}

func allowed(c byte) bool {
	return c == '.' || c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// topics gives records their topic. It holds at most maxTopics names.
type topics struct {
	cfg *Config
	of  template

	mu    sync.Mutex
	names map[string]string // to itself: a name is made once
	full  func()            // called once, when a record first finds no place
}

func newTopics(cfg *Config, full func()) (*topics, error) {
	t := &topics{cfg: cfg, names: map[string]string{}, full: sync.OnceFunc(full)}
	if cfg.Topic == "" {
		return t, nil
	}
	var err error
	t.of, err = parseTemplate(cfg.Topic)
	return t, err
}

// topic of a record.
func (t *topics) topic(w event.View, class delivery.Class) string {
	if !t.of.varies() {
		return t.cfg.topic(class)
	}
	var room [maxTopic]byte
	name := t.of.appendName(room[:0], w, class)
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.names[string(name)]
	switch {
	case ok:
		return known
	case len(t.names) >= maxTopics:
		t.full()
		return t.cfg.Topics.of(class)
	}
	made := string(name)
	t.names[made] = made
	return made
}
