package box

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/sim"
)

// simTenant is a tree of n files of users; every seventh user is inactive.
func simTenant(seed int64, users, files int) *simTree {
	var owners []simPerson
	for i := range users {
		id := itoa(1000 + i)
		owners = append(owners, simPerson{id, "User " + id, "user" + id + "@contoso.example", i%7 != 6})
	}
	o := sim.Options{Seed: seed, Files: files, Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	return newSimTree(o.Filled(), owners)
}

// simSeen walks the tree of a user and calls f for everything he finds, with how deep it lies.
func simSeen(t *simTree, user, folder string, depth int, f func(it *simItem, depth int)) {
	t.list(user, folder, 0, func(it *simItem, _ int) bool {
		f(it, depth)
		if it.kind == "folder" {
			simSeen(t, user, it.id, depth+1, f)
		}
		return true
	})
}

func TestFakeFilesAreAFunctionOfTheSeed(t *testing.T) {
	digest := func(seed int64) (sum uint64) {
		tree := simTenant(seed, 9, 400)
		tree.every(func(it *simItem, live bool) bool {
			sum += sim.KeySum(it.id + it.name + it.parent + it.class)
			for _, v := range it.versions {
				sum += sim.KeySum(v.id + string(v.bytes()))
			}
			return true
		})
		return sum
	}
	if a, b, c := digest(1), digest(1), digest(2); a != b || a == c {
		t.Error(a, b, c)
	}
}

func TestEveryFakeFileIsFoundOnceByItsOwner(t *testing.T) {
	f := func(users, files int) {
		t.Helper()
		tree := simTenant(3, users, files)
		want := map[string]bool{} // live
		tree.every(func(it *simItem, live bool) bool {
			if _, twice := want[it.id]; twice || tree.get(it.id) == nil {
				t.Fatalf("%s %s comes twice or cannot be got", it.kind, it.id)
			}
			want[it.id] = live
			return true
		})
		got, deepest, trashed, shared, foreign := map[string]bool{}, 0, 0, 0, 0
		for _, o := range tree.owners[:users] {
			names := map[string]bool{}
			simSeen(tree, o.id, simRoot(o.id), 0, func(it *simItem, depth int) {
				switch owner := tree.ownerOf(it); {
				case owner == simPartner.id:
					foreign++
				case owner != o.id:
					shared++
				case got[it.id]:
					t.Errorf("%s is listed twice", it.id)
				default:
					got[it.id] = true
					deepest = max(deepest, depth)
				}
				if names[it.parent+"/"+it.name] || tree.role(o.id, it) == "" {
					t.Errorf("%q of %s has the name of another or cannot be seen", it.name, o.id)
				}
				names[it.parent+"/"+it.name] = true
			})
			tree.bin(o.id, 0, func(it *simItem, _ int) bool {
				trashed++
				return it.owner == o.id && !want[it.id]
			})
		}
		maps.DeleteFunc(want, func(_ string, live bool) bool { trashed -= map[bool]int{false: 1}[live]; return !live })
		if !maps.Equal(got, want) || trashed != 0 {
			t.Errorf("%d users, %d files: found %d of %d items, %d too many in trashes", users, files, len(got), len(want), trashed)
		}
		if users > 2 && (deepest < 2 || shared == 0 || foreign == 0) {
			t.Errorf("%d users, %d files: %d deep, %d shared, %d of partners", users, files, deepest, shared, foreign)
		}
	}
	f(1, 1)
	f(2, 20)
	f(12, 120)
	f(5, 3001)
}

// simPlain is the text of a file, read apart from the product's own reading.
func simPlain(t *testing.T, name string, b []byte) string {
	t.Helper()
	var out strings.Builder
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "zip", "docx", "xlsx", "pptx":
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, e := range z.File {
			r, err := e.Open()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			in, err := io.ReadAll(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out.WriteString(simPlain(t, e.Name, in) + "\n")
		}
		return out.String()
	case "xml", "rels":
		d := xml.NewDecoder(bytes.NewReader(b))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		fallthrough
	case "html":
		b = regexp.MustCompile(`</(w:p|a:p|si|p|remark)>`).ReplaceAll(b, []byte("\n"))
		return string(regexp.MustCompile(`<[^>]*>`).ReplaceAll(b, nil))
	case "json":
		if !json.Valid(b) {
			t.Fatalf("%s is no JSON", name)
		}
	case "csv":
		if _, err := csv.NewReader(bytes.NewReader(b)).ReadAll(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return string(b)
}

func TestFakeFilesHoldWhatPlantedCounts(t *testing.T) {
	set, err := dlp.New(dlp.Options{Packs: []string{"pci", "pii/us", "finance", "secrets"}})
	if err != nil {
		t.Fatal(err)
	}
	s := set.Scanner()
	tree := simTenant(5, 20, 2000)
	got, kinds, hashes, largest := map[string]int{}, map[string]int{}, map[string]bool{}, 0
	tree.every(func(it *simItem, live bool) bool {
		if it.kind != "file" {
			return true
		}
		b := it.versions[len(it.versions)-1].bytes()
		sum, size := simSum(b)
		hashes[sum], largest = true, max(largest, size)
		kinds[it.name[strings.LastIndexByte(it.name, '.')+1:]]++
		s.Reset()
		s.Text([]byte(simPlain(t, it.name, b)), "")
		for _, f := range s.Findings() {
			got[f.Type.ID]++
			if !live {
				t.Errorf("%s is in a trash and holds a %s", it.name, f.Type.ID)
			}
		}
		return true
	})
	if want := tree.planted(); !maps.Equal(got, want) || len(want) != 5 {
		t.Errorf("found %v, planted %v", got, want)
	}
	if len(kinds) != len(sim.DocKinds) || len(hashes) < 1800 || len(hashes) > 1950 || largest < 100<<10 || largest > 300<<10 {
		t.Errorf("kinds %v, %d contents, the largest has %d bytes", kinds, len(hashes), largest)
	}
	for i := range 3 {
		if small := simTenant(int64(i), 3, 40+i).planted(); small[sim.Card]+small[sim.SSN]+small[sim.IBAN]+small[sim.AWSKey]+small[sim.JWT] > 2 {
			t.Errorf("%d files hold %v", 40+i, small)
		}
	}
}

func TestAMillionFakeFilesAreNotHeld(t *testing.T) {
	tree := simTenant(1, 100, 1_000_000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	rows := 0
	for _, o := range tree.owners[40:41] {
		view := &simView{t: tree, user: o.id}
		simSeen(tree, o.id, simRoot(o.id), 0, func(it *simItem, _ int) {
			rows++
			if view.item(it, []string{"name", "size", "sha1", "shared_link", "parent"})["name"] == "" {
				t.Fatal("a row without a name")
			}
		})
	}
	each := time.Since(start) / time.Duration(rows)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); rows < 10_000 || len(tree.changed) != 0 || held > 4<<20 {
		t.Errorf("%d rows left %d bytes and %d items held", rows, held, len(tree.changed))
	}
	if n := tree.planted(); n[sim.Card] < 5000 || n[sim.Card] > 9000 {
		t.Error(n)
	}
	t.Logf("%d rows, %v each", rows, each)
}
