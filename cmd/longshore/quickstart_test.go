package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/store"
)

// TestQuickstartOnceFindsEverythingThatWasPublishedAndPlanted, keeps the folder that it was given, and no document in it has a field that
// is not registered.
func TestQuickstartOnceFindsEverythingThatWasPublishedAndPlanted(t *testing.T) {
	dir := t.TempDir()
	code, out, errs := call(t, "", "quickstart", "--once", "--json", "--data", dir)
	if code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	res := decode[result](t, out)
	apps, err := (&program{set: settings()}).applications()
	if err != nil {
		t.Fatal(err)
	}
	if !res.OK || len(res.Tenants) != 2*len(apps) {
		t.Fatalf("%d tenants of %d applications, ok is %v", len(res.Tenants), len(apps), res.OK)
	}
	for _, tn := range res.Tenants {
		events, planted := 0, 0
		for _, s := range tn.Streams {
			if !s.Equal || s.Published != s.Stored || s.Published == 0 || len(s.Missing)+len(s.Unexpected) > 0 {
				t.Errorf("%s: %+v", tn.ID, s)
			}
			events += s.Stored
		}
		for _, f := range tn.Findings {
			if !f.Equal || f.Planted != f.Found {
				t.Errorf("%s: %+v", tn.ID, f)
			}
			planted += f.Planted
		}
		if events < onceDefault || planted == 0 {
			t.Errorf("%s: %d records, %d planted values", tn.ID, events, planted)
		}
	}
	if res.planned() == 0 {
		t.Error("no action was planned")
	}
	for _, p := range samplePolicies() {
		held := slices.ContainsFunc(res.Tenants, func(tn tenantResult) bool {
			return slices.ContainsFunc(tn.Actions, func(a actionResult) bool { return a.Policy == p["name"] && a.Mode == "dry_run" }) ||
				slices.ContainsFunc(tn.Alerts, func(a alertResult) bool { return a.Policy == p["name"] })
		})
		if !held {
			t.Errorf("the sample policy %q had nothing to say", p["name"])
		}
	}
	var table strings.Builder
	res.print(&table)
	if !strings.Contains(table.String(), "okta/north (Okta)") || !strings.Contains(table.String(), "all stored, all found") {
		t.Errorf("as a table:\n%s", &table)
	}
	d := &docs{t: t, r: newFieldRegistry(t), seen: map[string]bool{}}
	if d.stored(dir); d.n < res.stored() {
		t.Errorf("%d documents in the store, %d at least were counted", d.n, res.stored())
	}
}

// TestQuickstartShowsWhatDiffers: against a store in which one event is missing, one was never published, and a value was
// not found.
func TestQuickstartShowsWhatDiffers(t *testing.T) {
	p := &program{set: settings(), out: newOutput(), errs: newOutput()}
	f := quickFlags{once: true, events: 500, listen: "127.0.0.1:0", data: t.TempDir()}
	tenants, err := p.startSims(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, tn := range tenants {
		defer func() { _ = tn.srv.Close() }()
	}
	tenants = slices.DeleteFunc(tenants, func(r rehearsed) bool { return r.app.Name != "box" }) // one application tells as much as all
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	text, err := quickConfig(f, tenants)
	if err != nil {
		t.Fatal(err)
	}
	ended, err := p.startCollector(ctx, "yaml:"+text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := store.OpenReader(ctx, filepath.Join(f.data, "longshore.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	w := newWatch(r, tenants, newProgress(p.errs))
	whole, err := w.untilEqual(ctx, ended)
	if err != nil || !whole.OK {
		t.Fatalf("%v, %+v", err, whole)
	}
	feed := tenants[0].sim.Streams[0]
	name := whole.Tenants[0].Streams[0].Stream // not always the feed's: several feeds of the same events are compared as one
	log := w.want[0][name]
	published := tenants[0].sim.Published
	late := true
	tenants[0].sim.Published = func(stream string, f func(string) bool) { // as if the first event came into the log meanwhile
		first := late && stream == feed
		published(stream, func(key string) bool {
			skip := first
			first = false
			return skip || f(key)
		})
	}
	w = newWatch(r, tenants, newProgress(p.errs))
	if late = false; w.want[0][name].n != log.n-1 {
		t.Fatalf("%d of %d are published at first", w.want[0][name].n, log.n)
	}
	if res, err := w.untilEqual(ctx, ended); err != nil || !res.OK {
		t.Fatalf("%v, %+v", err, res)
	}
	tenants[0].sim.Published = func(stream string, f func(string) bool) { // as if one event had another key
		first := true
		published(stream, func(key string) bool {
			if first && stream == feed {
				key, first = "never-stored", false
			}
			return f(key)
		})
	}
	tenants[1].sim.Planted["pci.credit_card"]++
	w = newWatch(r, tenants, newProgress(p.errs))
	w.limit = 0
	res, err := w.untilEqual(ctx, ended)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s := res.Tenants[0].Streams[0]
	if res.OK || s.Equal || s.Published != log.n || s.Stored != log.n || !slices.Equal(s.Missing, []string{"never-stored"}) ||
		len(s.Unexpected) != 1 {
		t.Errorf("got %+v", s)
	}
	for i, tn := range res.Tenants {
		for _, f := range tn.Findings {
			if want := i != 1 || f.DataType != "pci.credit_card"; f.Equal != want {
				t.Errorf("%s: %+v", tn.ID, f)
			}
		}
	}
	if err := p.printResult(quickFlags{}, res); err != errReported {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"DIFFERS", name + " missing, for example: never-stored", name + " unexpected, for example: ",
		"NOT EQUAL"} {
		if out := p.out.(*output).String(); !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
}

func TestQuickstartGoesOnUntilInterruptedAndThenFromThere(t *testing.T) {
	dir := shortDir(t)
	stored := 0
	for run := range 2 {
		q := start(t, "quickstart", "--data", dir, "--events", "300")
		out := q.out.until(t, "Interrupt to stop")
		if !strings.Contains(out, "okta/north") || !strings.Contains(out, filepath.Join(dir, "longshore.db")) {
			t.Errorf("got\n%s", out)
		}
		var n int
		wait(t, func() string {
			r, err := store.OpenReader(t.Context(), filepath.Join(dir, "longshore.db"))
			if err != nil {
				return err.Error()
			}
			defer func() { _ = r.Close() }()
			if n, err = since(t.Context(), r, 0, func(int64, []byte) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if n < 600 {
				return "too little is stored"
			}
			return ""
		})
		if run == 1 && n < stored {
			t.Errorf("%d records after a second start, %d before", n, stored)
		}
		stored = n
		if code := q.end(t, 5*time.Second); code != exitOK {
			t.Fatalf("exit code %d\n%s", code, q.errs)
		}
	}
}
