package office365

import "testing"

// TestQuotasAreThoseOfTheTenantsSize: https://learn.microsoft.com/graph/throttling-limits and, of files,
// https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
func TestQuotasAreThoseOfTheTenantsSize(t *testing.T) {
	for _, want := range []struct{ licenses, files, directory int }{{0, 1200, 3500}, {49, 1200, 3500}, {50, 1200, 5000}, {999, 1200, 8000},
		{1000, 2400, 8000}, {14_999, 3600, 8000}, {15_000, 4800, 8000}, {1_000_000, 6000, 8000}} {
		got := map[string]int{}
		for _, b := range (&tenant{Config: &Config{Licenses: want.licenses}}).budgets() {
			got[b.Name] = b.Limit
		}
		if got[toFiles] != want.files || got[toDirectory] != want.directory {
			t.Errorf("%d licences: %v, want %+v", want.licenses, got, want)
		}
	}
}
