package salesforce

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

const classes = "io.github.apexdevtools.sobjecttypes."

// kinds are the types of fields that describe gives, by the types of the class files.
var kinds = map[string]string{"String": "string", "Id": "id", "Boolean": "boolean", "Datetime": "datetime", "Date": "date",
	"Decimal": "double", "Double": "double", "Integer": "int", "Long": "int", "Blob": "base64"}

// excused are fields that the fake has otherwise, with the reason.
var excused = map[string]string{}

// class is an object of the release: its fields with their types, and where its relations lead.
type class struct{ fields, to map[string]string }

// release reads the classes of objects; what the release has not is left out.
func release(t *testing.T, jar string, objects []string) map[string]class {
	t.Helper()
	args := []string{"-cp", jar}
	for _, o := range objects {
		args = append(args, classes+o)
	}
	text, _ := exec.CommandContext(t.Context(), "javap", args...).CombinedOutput() // it fails for those that there are not
	out := map[string]class{}
	for _, one := range strings.Split(string(text), "public class "+classes)[1:] {
		c := class{map[string]string{}, map[string]string{}}
		for _, m := range regexp.MustCompile(`(?m)^  public ([\w.]+) (\w+);$`).FindAllStringSubmatch(one, -1) {
			kind := m[1][strings.LastIndexByte(m[1], '.')+1:]
			if strings.Contains(m[1], ".System.") && kinds[kind] != "" {
				c.fields[m[2]] = kinds[kind]
			} else {
				c.to[m[2]] = kind
			}
		}
		out[one[:strings.IndexByte(one, ' ')]] = c
	}
	return out
}

func TestEveryFieldIsOneOfTheRelease(t *testing.T) {
	if _, err := exec.LookPath("javap"); err != nil {
		procs.Absent(t, "javap is not installed")
	}
	jar := filepath.Join(procs.Maven(t, filepath.Join("fields", "pom.xml")), "sobject-types-67.0.0.jar")
	o := start(t, sim.Options{Variant: "client_credentials", Users: 3, Events: 10})
	session := o.session()
	var all struct {
		SObjects []struct{ Name, KeyPrefix string }
	}
	o.get(session, "/services/data/v62.0/sobjects", &all)
	if len(all.SObjects) < 40 {
		t.Fatalf("%d objects", len(all.SObjects))
	}
	var names []string
	for _, x := range all.SObjects {
		names = append(names, x.Name)
	}
	of, used := release(t, jar, names), map[string]bool{}
	for _, x := range all.SObjects {
		var is struct {
			Fields []struct {
				Name, Type, RelationshipName string
				ReferenceTo                  []string
			}
		}
		o.get(session, "/services/data/v62.0/sobjects/"+x.Name+"/describe", &is)
		fields, to := of[x.Name].fields, of[x.Name].to
		if len(fields) == 0 {
			t.Errorf("the release has no object %s", x.Name)
			continue
		}
		for _, f := range is.Fields {
			name := x.Name + "." + f.Name
			kind := f.Type
			if kind == "reference" {
				kind = "id"
			}
			switch want, ok := fields[f.Name]; {
			case ok && want == kind:
			case excused[name] != "":
				used[name] = true
			case !ok:
				t.Errorf("the release has no field %s", name)
			default:
				t.Errorf("%s is %s, in the release %s", name, f.Type, want)
			}
			if f.RelationshipName != "" && to[f.RelationshipName] != f.ReferenceTo[0] {
				t.Errorf("%s leads to %v, in the release to %q", name, f.ReferenceTo, to[f.RelationshipName])
			}
		}
	}
	for name := range excused {
		if !used[name] {
			t.Errorf("%s is excused and need not be", name)
		}
	}
}
