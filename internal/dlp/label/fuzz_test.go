package label

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// seeds are files of every kind.
func seeds(f *testing.F, add func(b []byte)) {
	for _, p := range []parts{plain, withInfo(infoOf(secret, site, "")), withInfo(""), withCustom(props(secret, site, "Secret")...),
		withBoth(infoOf(public, other, ""), props(secret, site, "Secret")...), {"a.txt", "x"},
		withInfo("").with(docLabels, `<l:labelList xmlns:l="`+infoSpace+`"/>`)} {
		add(p.zip(f))
	}
	add([]byte(ole("EncryptedPackage")))
	add([]byte("Date: x\nFrom: y\nmsip_labels: MSIP_Label_" + secret + "_Enabled=true;\n MSIP_Label_" + secret + "_SiteId=" + site + "\n\n"))
}

// sound fails if what was found is not what may be found.
func sound(t *testing.T, f Found) {
	t.Helper()
	if f.Read != (f.Reason == "") || len(f.Labels) > maxLabels || len(f.Flaws) > maxFlaws {
		t.Fatalf("%+v", f)
	}
	for _, l := range f.Labels {
		if l.ID == "" || len(l.ID) > maxText || len(l.Name) > maxText || len(l.Method) > maxText || len(l.Places) == 0 {
			t.Fatalf("%+v", l)
		}
	}
	for _, s := range append(f.Flaws, f.Reason) {
		if !utf8.ValidString(s) || len(s) > 200 {
			t.Fatalf("%q", s)
		}
	}
}

func FuzzReadLabel(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b, "", "") })
	f.Add([]byte(nil), infoXML(infoOf(secret, site, "")), customXML(props(secret, site, "Secret")...))
	f.Fuzz(func(t *testing.T, b []byte, info, custom string) {
		if info+custom != "" { // what it is about is reached at once
			b = withBoth("").with(docLabels, info, docCustom, custom).zip(t)
		}
		sound(t, read(t, b))
	})
}

func FuzzSetLabel(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b, "", "", "Secret", false) })
	f.Add([]byte(nil), infoXML(infoOf(secret, site, "")), customXML(props(secret, site, "Secret")...), "<&>", false)
	f.Add([]byte(nil), infoXML("<clbl:extLst/>"), customXML(), "", true)
	f.Fuzz(func(t *testing.T, b []byte, info, custom, name string, remove bool) {
		if info+custom != "" {
			b = withBoth("").with(docLabels, info, docCustom, custom).zip(t)
		}
		c := Change{ID: secret, Site: site, Name: name, At: day, Remove: remove}
		e, err := Set(bytes.NewReader(b), int64(len(b)), c)
		var r *Refusal
		if errors.As(err, &r) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := e.Write(&out); errors.As(err, &r) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		found := read(t, out.Bytes())
		sound(t, found)
		if !found.Read || !equal(found.Labels, e.After) {
			t.Fatalf("the file says\n%s\nand it should say\n%s", told(found), told(Found{Labels: e.After}))
		}
		for _, l := range found.Labels {
			if l.Site == site && l.InForce() && (remove || l.ID != secret) {
				t.Fatalf("%s", told(found))
			}
		}
		if !remove && !strings.Contains(told(found), secret) {
			t.Fatalf("the label is not there: %s", told(found))
		}
		if again, err := Set(bytes.NewReader(out.Bytes()), int64(out.Len()), c); err != nil || len(again.Parts) > 0 {
			t.Fatalf("set once more: %v\n%s\n%s", err, told(found), told(Found{Labels: again.After}))
		}
	})
}
