package dlp

import "testing"

func TestNamesOfFilesThatShowAValueAreKnown(t *testing.T) {
	s := all(t, Medium)
	f := func(text string, want bool, types ...string) {
		t.Helper()
		if got := s.Gives(text, types); got != want {
			t.Errorf("%q of a file with %v: %v", text, types, got)
		}
	}
	f("4539148803436467.txt", true)
	f("/hr/card 4539-1488-0343-6467/a.txt", true)
	f("of_4539148803436467.csv", true)
	f("scan4539148803436467", true)
	f("536904399.pdf", false)
	f("536904399.pdf", true, "pii.us_ssn")
	f("ann_536904399.pdf", true, "pii.us_ssn")
	f("/a/b/ann-536904399-v2.pdf", true, "pii.us_ssn")
	f("ann536904399", true, "pii.us_ssn")
	f("536-90-4399", true)
	f("20261124_101500.jpg", false, "pii.us_ssn", "pci.credit_card", "pii.fr_nir", "pii.de_steuerid")
	f("IMG-20261124-WA0012.jpg", false, "pii.us_ssn", "pci.credit_card")
	f("report (final) v2.docx", false, "pii.us_ssn", "pii.email")
	f("ann@x.co.txt", false)
	f("ann@x.co.txt", true, "pii.email")
	f("de89370400440532013000.pdf", true)
	f("of_ab123456c.txt", true)
	f("token_ghp_0123456789abcdefghijABCDEFGHIJ000000.txt", true)
	f("x_AKIAABCDEFGHIJKLMNOP", true)
	f("rccmnl83s18d969h.pdf", true)
	f("", false, "pii.email")
}
