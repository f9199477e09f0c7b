package simtest

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRealHTTPRunsInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Net{}
		base, stop := n.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/hang" {
				<-r.Context().Done()
				return
			}
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "slow")
		}))
		defer stop()
		wrap, err := n.GetHTTPRoundTripper(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rt, err := wrap(t.Context(), &http.Transport{})
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{Transport: rt}
		defer c.CloseIdleConnections()
		for range 2 {
			began := time.Now()
			resp, err := c.Get(base + "/")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(body) != "slow" || time.Since(began) != time.Hour {
				t.Errorf("got %q after %v: %v", body, time.Since(began), err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, base+"/hang", nil)
		if resp, err := c.Do(req); err == nil {
			resp.Body.Close()
			t.Error("a request that hangs was answered")
		}
		if _, err := c.Get("http://203.0.113.1:80/"); err == nil {
			t.Error("an address that nobody serves was reached")
		}
		if got := n.Dialed(); got[base[len("http://"):]] != 1 || got["203.0.113.1:80"] != 1 {
			t.Errorf("dialed %v, want one connection for each", got)
		}
	})
}
