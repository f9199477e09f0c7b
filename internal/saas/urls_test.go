package saas

import (
	"slices"
	"testing"
)

func TestABaseURLIsReadOrRefused(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		u, err := BaseURL("urls.token", in, "https://host.example")
		if got := ""; err == nil {
			if got = u.String(); got != want {
				t.Errorf("%q gives %q, want %q", in, got, want)
			}
		} else if want != "" || err.Error() != `urls.token: "`+in+`" is no URL like https://host.example` {
			t.Errorf("%q: %v", in, err)
		}
	}
	f("https://API.example/2.0//", "https://api.example/2.0")
	f("http://127.0.0.1:99", "http://127.0.0.1:99")
	f("api.example", "")
	f("ftp://api.example", "")
	f("https://api.example?a=b", "")
	f("https://user@api.example", "")
	f("https://", "")
}

func TestHostsOfURLs(t *testing.T) {
	got := HostsOf("https://a.example/b", "nothing", "http://127.0.0.1:8080", "%")
	if !slices.Equal(got, []string{"a.example", "127.0.0.1:8080"}) {
		t.Errorf("%q", got)
	}
}
