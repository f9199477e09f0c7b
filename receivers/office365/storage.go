package office365

import (
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

// storage are sites, drives, their files, what is in them and what was thrown away.
func (t *tenant) storage() []saas.Stream {
	const files, sites = "Files.Read.All|Files.ReadWrite.All|Sites.Read.All", "Sites.Read.All"
	all := []saas.Stream{
		{Name: "sites", Kind: saas.Files, Every: day / 2, Needs: []string{sites}, Gives: []saas.Capability{saas.PeriodicDLP},
			Docs: graphDocs + "site-getallsites", Poll: saas.List(first(sitesURL), teamSites, nextLink),
			Fields: siteFields, Key: saas.KeyOf(1), Map: mapSite, Items: ofSite},
		t.drives("drives", "users", files), t.drives("site_drives", "sites", files),
		{Name: "files", Kind: saas.Files, Over: "drives", Every: 5 * time.Minute, Width: 8, Needs: []string{files},
			Gives: []saas.Capability{saas.PeriodicDLP, saas.RealTimeDLP, saas.SharingControl}, Docs: graphDocs + "driveitem-delta",
			Poll: t.pollFiles, Fields: fileFields, Key: saas.KeyOf(1), Map: mapFile, Items: contentOf},
		{Name: "content", Kind: saas.Content, Over: "files", Width: 16, Needs: []string{files},
			Gives: []saas.Capability{saas.PeriodicDLP, saas.RealTimeDLP}, Docs: graphDocs + "driveitem-get-content",
			Poll: t.pollContent, Fields: fileFields, Key: saas.KeyOf(1), Map: mapFile},
		{Name: "recycled", Kind: saas.Files, Over: "drives", Every: day, Width: 2, Needs: []string{sharePointRight},
			Gives: []saas.Capability{saas.FileGovernance}, Docs: recycleDocs, Poll: t.pollRecycled,
			Fields: recycledFields, Key: saas.KeyOf(1), Map: mapRecycled},
	}
	if t.Files.SkipTrash {
		all = all[:len(all)-1]
	}
	return inventoried(all)
}

// drives are those of people, or of sites.
func (t *tenant) drives(name, over, right string) saas.Stream {
	return saas.Stream{Name: name, Kind: saas.Files, Over: over, Every: day / 2, Width: 4, Needs: []string{right},
		Gives: []saas.Capability{saas.PeriodicDLP}, Docs: graphDocs + "drive-list", Poll: pollDrives(over), Fields: driveFields,
		Key: saas.KeyOf(1), Map: mapDrive, Items: t.ofDrive}
}

// inventoried are streams of what a tenant has.
func inventoried(all []saas.Stream) []saas.Stream {
	for i := range all {
		all[i].Dataset = inventorySet
	}
	return all
}

const (
	// sharePointRight is a permission on SharePoint's own API, which takes tokens that were got with a certificate only.
	sharePointRight = "SharePoint Sites.FullControl.All"
	recycleDocs     = "https://learn.microsoft.com/previous-versions/office/developer/sharepoint-rest-reference/dn531432(v=office.15)"
)
