package elasticsearch

import (
	"encoding/base64"
	"fmt"
	"net"
	"strings"
)

// cloudAddress is the Elasticsearch address in a cloud id, name:base64(host[:port]$elasticsearch$kibana).
func cloudAddress(id string) (string, error) {
	at := strings.LastIndexByte(id, ':')
	text, err := base64.StdEncoding.DecodeString(id[at+1:])
	if err != nil {
		if text, err = base64.RawStdEncoding.DecodeString(id[at+1:]); err != nil {
			return "", fmt.Errorf("cloudid %q: the part after the last colon is no base64: %w", id, err)
		}
	}
	host, rest, _ := strings.Cut(string(text), "$")
	name, _, _ := strings.Cut(rest, "$")
	if host == "" || name == "" || strings.ContainsAny(host+name, "/@ \n\x00") {
		return "", fmt.Errorf("cloudid %q: it does not hold a host and the name of a deployment", id)
	}
	port := "443"
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	}
	if n, p, ok := strings.Cut(name, ":"); ok {
		name, port = n, p
	}
	return "https://" + net.JoinHostPort(name+"."+host, port), nil
}
