package event

import (
	"slices"
	"strings"
)

// Class is what a type of event means.
type Class struct {
	Category, Types []string // of ECS
	Derive          bool     // the type of event gives a further event.type
	Activity        string   // saas.activity
	More            string   // what else a provider's table says
	Alert           bool     // event.kind is alert
}

// ReadClasses reads a table of classes. A line: event.category (with ! before it for an alert), event.type (? = to be derived),
// saas.activity, More, and the types of events; the
// first two are lists separated by commas, - is nothing.
func ReadClasses(table string) map[string]Class {
	out := map[string]Class{}
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		category, alert := strings.CutPrefix(f[0], "!")
		c := Class{Category: strings.Split(category, ","), Types: strings.Split(f[1], ","), Activity: f[2], More: f[3], Alert: alert}
		if i := slices.Index(c.Types, "?"); i >= 0 {
			c.Types, c.Derive = slices.Delete(c.Types, i, i+1), true
		}
		for _, kind := range f[4:] {
			out[kind] = c
		}
	}
	return out
}

// Put notes what the class says. verb is the part of the type of event that tells what was done.
func (c *Class) Put(r *Record, verb string) {
	r.Strs("event.category", c.Category...)
	r.Strs("event.type", c.Types...)
	if c.Derive {
		r.Strs("event.type", typeOf(verb))
	}
	if c.Alert {
		r.Str("event.kind", "alert")
	}
	r.Str("saas.activity", c.Activity)
}

// typeOf is the event.type that a verb stands for, in any case.
func typeOf(verb string) string {
	switch strings.ToLower(verb) {
	case "create", "created", "creation", "add", "added", "grant", "generate", "register":
		return "creation"
	case "delete", "deleted", "deletion", "remove", "removed", "revoke", "revoked":
		return "deletion"
	case "update", "updated", "edit", "edited", "activate", "deactivate", "enable", "disable", "change", "suspend", "unsuspend", "reset",
		"rotate", "make_blacklist", "remove_blacklist":
		return "change"
	}
	return "info"
}
