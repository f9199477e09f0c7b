package office365

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/internal/sim/simtest"
)

// simDesk is a fake with a drive of a person, one of its files, and its insides.
type simDesk struct {
	*simStaff
	g                            *simtest.Client
	drive, at, root, item, delta string
}

func newSimDesk(t *testing.T, o sim.Options) *simDesk {
	t.Helper()
	if o.Users == 0 {
		o.Users, o.Files = 20, 120
	}
	d := &simDesk{simStaff: newSimStaff(t, o, nil)}
	d.g = d.to(graphAPI)
	d.drive, d.root, d.item, _ = simFirst(d.g)
	d.at = "/v1.0/drives/" + d.drive + "/items/"
	_, d.delta = simRows(d.g, "/v1.0/drives/"+d.drive+"/root/delta")
	return d
}

// changed are the items that a delta query since the last one lists, by id, and how.
func (d *simDesk) changed() map[string]simObj {
	d.T.Helper()
	out := map[string]simObj{}
	rows, next := simRows(d.g.As("Prefer", "deltashowsharingchanges, deltashowremovedasdeleted, deltatraversepermissiongaps, "+
		"hierarchicalsharing"), d.delta)
	for _, r := range rows {
		out[simStr(r, "id")] = r
	}
	d.delta = next
	return out
}

func TestQuickXorHashIsSharePoints(t *testing.T) {
	for in, want := range map[string]string{"": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Sg==": "SgAAAAAAAAAAAAAAAQAAAAAAAAA=",
		"tbQ=": "taAFAAAAAAAAAAAAAgAAAAAAAAA=", "0pZP": "0rDEEwAAAAAAAAAAAwAAAAAAAAA="} {
		b, err := base64.StdEncoding.DecodeString(in)
		if got := simQuickXor(b); err != nil || got != want {
			t.Errorf("%q: %s, want %s, %v", in, got, want, err)
		}
	}
}

func TestDeltaQueriesTellOfEveryChange(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	if rows := d.changed(); len(rows) != 0 {
		t.Errorf("nothing changed, and %v are listed", slices.Collect(maps.Keys(rows)))
	}
	d.g.Must(200, http.MethodPut, d.at+d.item+"/content", "once")
	d.g.Must(200, http.MethodPut, d.at+d.item+"/content", "twice")
	if rows, _ := simRows(d.g, d.delta); len(rows) != 2 {
		t.Errorf("%d items for two changes of one", len(rows))
	}
	if rows := d.changed(); len(rows) != 1 || simStr(rows[d.item], "cTag") == "" {
		t.Error(rows)
	}
	d.g.Must(201, http.MethodPost, d.at+d.item+"/createLink", `{"type":"view","scope":"organization"}`)
	if row := d.changed()[d.item]; row["@microsoft.graph.sharedChanged"] != true || row["shared"] == nil {
		t.Error(row)
	}
	d.g.Must(204, http.MethodDelete, d.at+d.item, "")
	if row := d.changed()[d.item]; row["deleted"] == nil || row["name"] != nil {
		t.Error(row)
	}
	if rows, _ := simRows(d.g, "/v1.0/drives/"+d.drive+"/root/delta?token=2026-11-24T11:59:59Z"); len(rows) != 1 || rows[0]["id"] != d.item {
		t.Error(rows)
	}
	d.g.Must(400, http.MethodGet, "/v1.0/drives/"+d.drive+"/root/delta?token=nonsense", "")
}

func TestDeltaTokensExpire(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4, Limits: -1})
	for n := range 4200 {
		d.g.Must(200, http.MethodPut, d.at+d.item+"/content", fmt.Sprint(n))
	}
	status, h, b := d.g.Do(http.MethodGet, d.delta, "")
	if status != http.StatusGone || !strings.Contains(string(b), `"resyncRequired"`) {
		t.Fatal(status, string(b))
	}
	rows, _ := simRows(d.g, strings.TrimPrefix(h.Get("Location"), simBase))
	if !slices.ContainsFunc(rows, func(r simObj) bool { return r["id"] == d.item }) {
		t.Error("what the refusal says to read instead is not everything")
	}
}

func TestLockedItemsAreReadAndNotChanged(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	d.org.odd.locked[d.item] = true
	d.g.Must(423, http.MethodDelete, d.at+d.item, "")
	d.g.Must(423, http.MethodPost, d.at+d.item+"/extractSensitivityLabels", "")
	d.g.Must(302, http.MethodGet, d.at+d.item+"/content", "")
	d.org.odd.resync = true
	d.g.Must(410, http.MethodGet, d.delta, "")
}

func TestALibraryDoesNotTellWhoMaySeeAnItem(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	sites, _ := simRows(d.g, "/v1.0/sites/getAllSites")
	i := slices.IndexFunc(sites, func(s simObj) bool { return s["isPersonalSite"] == false })
	drive := simStr(simtest.Read[simObj](d.g, "/v1.0/sites/"+simStr(sites[i], "id")+"/drive"), "id")
	rows, delta := simRows(d.g, "/v1.0/drives/"+drive+"/root/delta")
	d.g.Must(201, http.MethodPost, "/v1.0/drives/"+drive+"/items/"+simStr(rows[len(rows)-1], "id")+"/createLink",
		`{"type":"edit","scope":"anonymous"}`)
	if rows, _ := simRows(d.g, delta); len(rows) != 0 {
		t.Error(rows)
	}
}

func TestContentComesFromElsewhereWithoutAToken(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	status, h, _ := d.g.Do(http.MethodGet, d.at+d.item+"/content", "")
	target := strings.TrimPrefix(h.Get("Location"), simBase)
	if status != http.StatusFound || !strings.HasPrefix(target, "/download/") {
		t.Fatal(status, h)
	}
	if status, _, b := d.g.Do(http.MethodGet, target, ""); status != http.StatusUnauthorized {
		t.Errorf("a token was taken where none belongs: %d %s", status, b)
	}
	open := d.As("Authorization", "")
	it := simtest.Read[struct {
		Size int
		File struct{ Hashes struct{ QuickXorHash string } }
	}](d.g, d.at+d.item)
	b := open.Must(http.StatusOK, http.MethodGet, target, "")
	if len(b) != it.Size || simQuickXor(b) != it.File.Hashes.QuickXorHash || it.Size == 0 {
		t.Errorf("%d bytes, the item has %+v", len(b), it)
	}
	if part := open.As("Range", "bytes=1-4").Must(http.StatusPartialContent, http.MethodGet, target, ""); string(part) != string(b[1:5]) {
		t.Errorf("a range gives %q", part)
	}
	open.Must(http.StatusUnauthorized, http.MethodGet, target+"0", "")
	d.clock.t = simNoon.Add(3 * time.Hour)
	d.Must(http.StatusUnauthorized, http.MethodGet, target, "")
}

func TestOverwritingKeepsSharesAndOldVersions(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	d.g.Must(201, http.MethodPost, d.at+d.item+"/createLink", `{"type":"view","scope":"anonymous"}`)
	before, _ := simRows(d.g, d.at+d.item+"/permissions")
	old, _ := simRows(d.g, d.at+d.item+"/versions")
	d.g.Must(200, http.MethodPut, d.at+d.item+"/content", "tombstone")
	after, _ := simRows(d.g, d.at+d.item+"/permissions")
	now, _ := simRows(d.g, d.at+d.item+"/versions")
	if len(after) != len(before) || len(now) != len(old)+1 {
		t.Errorf("%d shares of %d, %d versions after %d", len(after), len(before), len(now), len(old))
	}
	it := simtest.Read[struct {
		IDs struct{ ListItemUniqueID string } `json:"sharepointIds"`
		Web string                            `json:"webUrl"`
	}](d.g, d.at+d.item)
	site := strings.Split(strings.TrimPrefix(it.Web, "https://contoso-my.sharepoint.com"), "/Documents")[0]
	sp := d.to(sharesAPI)
	sp.Must(200, http.MethodPost, site+"/_api/web/GetFileById('"+it.IDs.ListItemUniqueID+"')/versions/DeleteAll()", "")
	if now, _ := simRows(d.g, d.at+d.item+"/versions"); len(now) != 1 {
		t.Errorf("%d versions are left", len(now))
	}
}

func TestCopiesTakeAWhile(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	f := func(name, want string) simObj {
		t.Helper()
		status, h, _ := d.g.Do(http.MethodPost, d.at+d.item+"/copy",
			`{"name":"`+name+`","parentReference":{"driveId":"`+d.drive+`","id":"`+d.root+`"}}`)
		monitor := strings.TrimPrefix(h.Get("Location"), simBase)
		if status != http.StatusAccepted || !strings.Contains(string(d.Must(202, http.MethodGet, monitor, "")), `"inProgress"`) {
			t.Fatal(status, h)
		}
		d.clock.t = d.clock.t.Add(simWorks)
		out := simtest.Read[simObj](d.Client, monitor)
		if out["status"] != want {
			t.Errorf("%s: %v", name, out)
		}
		return out
	}
	id := simStr(f("held.docx", "completed"), "resourceId")
	if it := simtest.Read[simObj](d.g, d.at+id); it["name"] != "held.docx" || it["id"] == d.item || it["shared"] != nil {
		t.Error(it)
	}
	f("held.docx", "failed")
}

func TestLabelsTakeAWhileAndAReasonToLower(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	d.g.Must(200, http.MethodPatch, d.at+d.item, `{"name":"plan.docx"}`)
	label := func() string {
		t.Helper()
		var out struct {
			Labels []struct{ SensitivityLabelID string }
		}
		_ = json.Unmarshal(d.g.Must(200, http.MethodPost, d.at+d.item+"/extractSensitivityLabels", ""), &out)
		if len(out.Labels) == 0 {
			return ""
		}
		return out.Labels[0].SensitivityLabelID
	}
	assign := func(id, why string, want int) {
		t.Helper()
		d.g.Must(want, http.MethodPost, d.at+d.item+"/assignSensitivityLabel", `{"sensitivityLabelId":"`+id+`","assignmentMethod":"standard",`+
			`"justificationText":"`+why+`"}`)
	}
	assign(simLabels[2].id, "", 202)
	if label() != "" {
		t.Error("the label is there at once")
	}
	d.clock.t = d.clock.t.Add(simWorks)
	if label() != simLabels[2].id {
		t.Error(label())
	}
	assign(simLabels[1].id, "", 400)
	assign(simLabels[1].id, "found harmless", 202)
	assign("none", "", 400)
	d.g.Must(200, http.MethodPatch, d.at+d.item, `{"name":"plan.txt"}`)
	assign(simLabels[2].id, "", 400)
}

func TestRecycleBinsGiveBackWhatWasDeleted(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	it := simtest.Read[simObj](d.g, d.at+d.item)
	site := strings.Split(strings.TrimPrefix(simStr(it, "webUrl"), "https://contoso-my.sharepoint.com"), "/Documents")[0]
	sp := d.to(sharesAPI)
	bin := func() (rows []simObj) {
		t.Helper()
		return simtest.Read[struct{ Value []simObj }](sp, site+"/_api/site/RecycleBin").Value
	}
	before := len(bin())
	d.g.Must(204, http.MethodDelete, d.at+d.item, "")
	d.g.Must(404, http.MethodGet, d.at+d.item, "")
	rows := bin()
	if len(rows) != before+1 || rows[0]["LeafName"] != it["name"] || !strings.HasPrefix(simStr(rows[0], "DirName"),
		strings.TrimPrefix(site, "/")) {
		t.Fatal(rows)
	}
	one := site + "/_api/site/RecycleBin('" + simStr(rows[0], "Id") + "')/"
	sp.Must(200, http.MethodPost, one+"restore()", "")
	d.g.Must(200, http.MethodGet, d.at+d.item, "")
	sp.Must(404, http.MethodPost, one+"restore()", "")
	d.g.Must(204, http.MethodDelete, d.at+d.item, "")
	id := simStr(bin()[0], "Id")
	sp.Must(200, http.MethodPost, site+"/_api/site/RecycleBin/RestoreByIds", `{"ids":["`+id+`"]}`)
	d.g.Must(204, http.MethodDelete, d.at+d.item, "")
	sp.Must(200, http.MethodPost, site+"/_api/site/RecycleBin('"+simStr(bin()[0], "Id")+"')/deleteObject()", "")
	if len(bin()) != before {
		t.Error("deleted for good and still in the bin")
	}
	few := newSimStaff(t, sim.Options{Seed: 4, Variant: "few_rights"}, nil)
	few.to(sharesAPI).Must(403, http.MethodGet, "/sites/team0/_api/site/RecycleBin", "")
	few.to(graphAPI).Must(403, http.MethodPatch, "/v1.0/users/none", `{"accountEnabled":false}`)
}

func TestInheritedPermissionsAreOnlyChangedWhereTheyComeFrom(t *testing.T) {
	d := newSimDesk(t, sim.Options{Seed: 4})
	rows, _ := simRows(d.g, d.at+d.item+"/permissions")
	i := slices.IndexFunc(rows, func(r simObj) bool { return r["inheritedFrom"] != nil })
	d.g.Must(403, http.MethodDelete, d.at+d.item+"/permissions/"+simStr(rows[i], "id"), "")
	d.g.Must(404, http.MethodDelete, d.at+d.item+"/permissions/none", "")
	b := d.g.Must(201, http.MethodPost, d.at+d.item+"/createLink", `{"type":"view","scope":"organization"}`)
	link := d.at + d.item + "/permissions/" + simID(t, b)
	d.g.Must(400, http.MethodPatch, link, `{"roles":["write"]}`)
	d.g.Must(400, http.MethodPatch, link, `{"expirationDateTime":"2026-12-31T00:00:00Z"}`)
	d.g.Must(204, http.MethodDelete, link, "")
	d.g.Must(404, http.MethodDelete, link, "")
}

func TestOtherKindsOfTenantsRefuseWhatTheyLack(t *testing.T) {
	free := newSimStaff(t, sim.Options{Seed: 4, Variant: "no_premium"}, nil)
	g := free.to(graphAPI)
	if b := g.Must(403, http.MethodGet, "/v1.0/auditLogs/signIns", ""); !strings.Contains(string(b),
		"Authentication_RequestFromNonPremiumTenantOrB2CTenant") {
		t.Error(string(b))
	}
	g.Must(403, http.MethodPost, "/v1.0/identityProtection/riskyUsers/confirmCompromised", `{"userIds":["x"]}`)
	g.Must(200, http.MethodGet, "/v1.0/auditLogs/directoryAudits", "")
}

func TestLogsAreReadNewestFirstWithinASpan(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 4, Events: 2000, Limits: -1}, nil)
	g := a.to(graphAPI)
	for _, l := range []struct{ stream, set, field string }{{"sign_ins", "signIns", "createdDateTime"},
		{"directory_audits", "directoryAudits", "activityDateTime"}} {
		at := "/v1.0/auditLogs/" + l.set + "?$top=37&$filter=" + l.field
		all, _ := simRows(g, at+"%20ge%202026-11-20T00:00:00Z%20and%20"+l.field+"%20le%202026-11-24T12:00:00Z")
		if len(all) != a.s.Count(l.stream) || len(all) < 100 {
			t.Errorf("%s: %d rows of %d", l.set, len(all), a.s.Count(l.stream))
		}
		for i := 1; i < len(all); i++ {
			if simStr(all[i], l.field) > simStr(all[i-1], l.field) {
				t.Fatalf("%s: row %d is newer than the row before", l.set, i)
			}
		}
		cut := simStr(all[50], l.field)
		first, _ := simRows(g, at+"%20ge%20"+cut)
		rest, _ := simRows(g, at+"%20le%20"+cut)
		same, _ := simRows(g, at+"%20eq%20"+cut)
		if len(first)+len(rest)-len(same) != len(all) || len(same) == 0 {
			t.Errorf("%s: %d from %s on, %d up to it, %d at it, %d in all", l.set, len(first), cut, len(rest), len(same), len(all))
		}
	}
}

func TestFilesHoldWhatPlantedCounts(t *testing.T) {
	a := newSimStaff(t, sim.Options{Seed: 6, Users: 12, Files: 500, Events: 1}, nil)
	set, err := dlp.New(dlp.Options{Packs: dlp.Packs()})
	if err != nil {
		t.Fatal(err)
	}
	s, got := set.Scanner(), 0
	g := a.to(graphAPI)
	sites, _ := simRows(g, "/v1.0/sites/getAllSites")
	for _, site := range sites {
		drive := simStr(simtest.Read[simObj](g, "/v1.0/sites/"+simStr(site, "id")+"/drive"), "id")
		items, _ := simRows(g, "/v1.0/drives/"+drive+"/root/delta")
		for _, it := range items {
			name := simStr(it, "name")
			if it["file"] == nil || !strings.HasSuffix(name, "txt") && !strings.HasSuffix(name, "csv") && !strings.HasSuffix(name, "json") {
				continue
			}
			w := httptest.NewRecorder()
			a.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, simStr(it, "@microsoft.graph.downloadUrl"), nil))
			s.Reset()
			s.Text(w.Body.Bytes(), "")
			got += len(s.Findings())
		}
	}
	all := 0
	for _, n := range a.s.Planted {
		all += n
	}
	if got < 5 || got > all || all != 20 {
		t.Errorf("%d plain files hold something; %d files of all kinds should", got, all)
	}
}
