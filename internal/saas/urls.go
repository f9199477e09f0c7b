package saas

import (
	"fmt"
	"net/url"
	"strings"
)

// BaseURL reads a URL of a configuration that others are below; key names it in an error, and like is an example. The host comes
// in small letters and the path without a slash at its end.
func BaseURL(key, s, like string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("%s: %q is no URL like %s", key, s, like)
	}
	u.Host, u.Path = strings.ToLower(u.Host), strings.TrimRight(u.Path, "/")
	return u, nil
}

// HostsOf are the hosts of URLs, for Instance.Hosts. What is no URL has none.
func HostsOf(urls ...string) (hosts []string) {
	for _, s := range urls {
		if u, err := url.Parse(s); err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}
