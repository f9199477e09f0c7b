package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/receiver"

	"github.com/longshore-dev/longshore/internal/saas"
)

// application is a provider and the component that polls it.
type application struct {
	*saas.Provider
	factory receiver.Factory
	events  func() activity // made when it is asked for: it opens the provider
}

// module is the application's event.module.
func (a application) module() string {
	if a.Module != "" {
		return a.Module
	}
	return a.Name
}

// applications are the providers among the components, ordered by name.
func (p *program) applications() ([]application, error) {
	fs, err := p.set.Factories()
	if err != nil {
		return nil, fmt.Errorf("list components: %w", err)
	}
	var out []application
	for _, f := range fs.Receivers {
		if pr, ok := saas.ProviderOf(f); ok {
			out = append(out, application{pr, f, sync.OnceValue(func() activity { return activityOf(pr) })})
		}
	}
	slices.SortFunc(out, func(a, b application) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// application finds one by the name used in configuration or by its event.module.
func (p *program) application(name string) (application, error) {
	all, err := p.applications()
	if err != nil {
		return application{}, err
	}
	names := make([]string, 0, len(all))
	for _, a := range all {
		if a.Name == name || a.module() == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	if name == "" {
		return application{}, usagef("--app NAME is needed, one of: %s", strings.Join(names, ", "))
	}
	return application{}, usagef("unknown application %q; there are: %s", name, strings.Join(names, ", "))
}

// row is a line of the capability table.
type row struct {
	saas.Capability
	title string
}

// rows is the capability table, in order.
func rows() []row {
	return []row{
		{saas.ListAccounts, "list accounts"},
		{saas.ListGroups, "list groups"},
		{saas.ListPrivileges, "list privileges"},
		{saas.UserGovernance, "user governance"},
		{saas.LogOnActivity, "log-on activity"},
		{saas.UserActivity, "user activity"},
		{saas.AdminActivity, "administrative activity"},
		{saas.PeriodicDLP, "DLP periodic scan"},
		{saas.RealTimeDLP, "DLP near-real-time scan"},
		{saas.SharingControl, "sharing control"},
		{saas.FileGovernance, "file governance"},
		{saas.ViewAppRights, "view app permissions"},
		{saas.RevokeAppRights, "revoke app permissions"},
		{saas.ApplyLabels, "apply sensitivity labels"},
	}
}

// title is how people call a capability.
func title(c saas.Capability) string {
	for _, r := range rows() {
		if r.Capability == c {
			return r.title
		}
	}
	return string(c)
}

// needs are what the vendor asks for before a capability works.
func (a application) needs(c saas.Capability) []saas.Need {
	var out []saas.Need
	for _, n := range a.Needs {
		if n.Capability == c {
			out = append(out, n)
		}
	}
	return out
}

// cover is the application's cell in the table.
func (a application) cover(c saas.Capability) saas.Cover {
	for _, v := range a.Covers {
		if v.Capability == c {
			return v
		}
	}
	return saas.Cover{Capability: c, Level: saas.None}
}
