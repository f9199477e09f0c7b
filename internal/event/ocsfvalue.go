package event

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// conv is how a value is written.
type conv uint8

const (
	convText conv = iota
	convInt
	convBool
	convTime // in milliseconds
	convIP
	convPort
	convEmail
	convMAC
	convMethod // one of HTTP's verbs
	convJoin   // a list as one text
	convLat
	convLon
	convPublic
	convList // from here on lists
	convFactors
	convFound
	convLabels
	convEnum // from here on a number and its caption
	convUser
	convProtocol
	convRisk
	convFile
	convOS
	convOutcome
	convFinding
	convScan
	convCategory
	convSeverity
	convEntity
	convDevice
)

var convNames = map[string]conv{"method": convMethod, "list": convList,
	"join": convJoin, "lat": convLat, "lon": convLon, "public": convPublic,
	"factors": convFactors, "found": convFound, "labels": convLabels, "user": convUser, "protocol": convProtocol, "risk": convRisk,
	"file": convFile, "os": convOS, "outcome": convOutcome, "finding": convFinding, "scan": convScan, "category": convCategory,
	"severity": convSeverity, "entity": convEntity, "device": convDevice}

// convOf is a conversion by its name, else what the attribute or the field asks for.
func convOf(name, path string, kind fieldKind) conv {
	if cv, ok := convNames[name]; ok {
		return cv
	} else if name != "" {
		panic("event: no conversion " + name)
	}
	switch _, last, _ := cutLast(path); last {
	case "ip":
		return convIP
	case "port":
		return convPort
	case "mac":
		return convMAC
	case "email_addr":
		return convEmail
	case "privileges":
		return convList
	}
	switch kind {
	case longKind, floatKind:
		return convInt
	case boolKind:
		return convBool
	case dateKind:
		return convTime
	}
	return convText
}

// enums are the numbers that OCSF has for our words, which are in lower case, and their captions.
var enums = map[conv]map[string]caption{
	convUser:     {"user": {1, "User"}, "admin": {2, "Admin"}, "system": {3, "System"}, "service_account": {4, "Service"}},
	convProtocol: {"oidc": {4, "OpenID"}, "saml": {5, "SAML"}, "oauth2": {6, "OAUTH 2.0"}, "radius": {10, "RADIUS"}, "ldap": {12, "LDAP"}},
	convRisk:     {"info": {0, "Info"}, "low": {1, "Low"}, "medium": {2, "Medium"}, "high": {3, "High"}, "critical": {4, "Critical"}},
	convFile:     {"file": {1, "Regular File"}, "dir": {2, "Folder"}, "symlink": {7, "Symbolic Link"}},
	convOutcome:  {"success": {1, "Success"}, "failure": {2, "Failure"}, "unknown": {0, "Unknown"}},
	convFinding:  {"new": {1, "New"}, "suppressed": {3, "Suppressed"}, "resolved": {4, "Resolved"}},
	convScan:     {"done": {1, "Complete"}, "partial": {2, "Partial"}},
	convCategory: {"pii": {1, "Personal"}, "pci": {3, "Financial"}, "secrets": {6, "Security"}},
	convEntity:   {"device": {1, "Device"}, "policy": {5, "Policy"}, "networkzone": {7, "Network Zone"}},
	convDevice:   {"desktop": {2, "Desktop"}, "laptop": {3, "Laptop"}, "tablet": {4, "Tablet"}, "mobile": {5, "Mobile"}},
	convFactors: {"sms": {1, "SMS"}, "question": {2, "Security Question"}, "call": {3, "Phone Call"}, "push": {5, "Push Notification"},
		"otp": {7, "OTP"}, "email": {8, "Email"}, "fido2": {10, "WebAuthn"}, "password": {11, "Password"}},
	convLabels: {"confidential": {2, "Confidential"}, "secret": {3, "Secret"}, "top secret": {4, "Top Secret"},
		"private": {5, "Private"}, "restricted": {6, "Restricted"}},
}

type caption struct {
	id   int
	text string
}

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"}

// severities are those of events; an alert's are one higher, for the first is for what is only told.
var severities = [...]string{"Unknown", "Informational", "Low", "Medium", "High", "Critical"}

var systems = []struct {
	word string
	caption
}{{"windows", caption{100, "Windows"}}, {"android", caption{201, "Android"}}, {"ipad", caption{302, "iPadOS"}},
	{"iphone", caption{301, "iOS"}}, {"ios", caption{301, "iOS"}}, {"mac", caption{300, "macOS"}}, {"linux", caption{200, "Linux"}}}

// enum is the number and the caption of a word; 99 and the word, where OCSF has another.
func enum(cv conv, word string) caption {
	switch cv {
	case convOS:
		for _, s := range systems {
			if containsFold(word, s.word) {
				return s.caption
			}
		}
	case convCategory:
		word, _, _ = strings.Cut(word, ".")
	}
	if found, ok := enums[cv][word]; ok {
		return found
	}
	var buf [32]byte
	if low := lower(buf[:0], word); low != nil {
		if found, ok := enums[cv][string(low)]; ok {
			return found
		}
	}
	return caption{99, word}
}

// lower is a short text in lower case; nil of a long one.
func lower(dst []byte, s string) []byte {
	if len(s) > cap(dst) {
		return nil
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// containsFold says whether s has a word of lower case in it, in any case.
func containsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// scalar is a value that is one, or the only one of a list.
func scalar(v pcommon.Value) (pcommon.Value, bool) {
	if v.Type() == pcommon.ValueTypeSlice {
		if v.Slice().Len() != 1 {
			return v, false
		}
		v = v.Slice().At(0)
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return v, v.Str() != ""
	case pcommon.ValueTypeInt, pcommon.ValueTypeBool, pcommon.ValueTypeDouble:
		return v, true
	}
	return v, false
}

// first is a list's first value, or the value itself, as text.
func first(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0 {
		v = v.Slice().At(0)
	}
	return v.AsString()
}

// fits says whether a value can be written so.
func fits(cv conv, v pcommon.Value) bool {
	switch {
	case cv == convJoin || cv == convCategory || cv >= convList && cv < convEnum:
		return v.Type() != pcommon.ValueTypeSlice || v.Slice().Len() > 0
	case cv == convLat || cv == convLon:
		_, ok := coordinate(cv, v)
		return ok
	}
	v, ok := scalar(v)
	if !ok {
		return false
	}
	switch cv {
	case convInt:
		_, ok = whole(v)
	case convPort:
		n, isInt := whole(v)
		ok = isInt && n >= 0 && n <= math.MaxUint16
	case convBool:
		ok = v.Type() == pcommon.ValueTypeBool
	case convTime:
		_, ok = ParseTime(v.AsString())
	case convIP:
		_, err := netip.ParseAddr(v.AsString())
		ok = err == nil
	case convEmail:
		ok = isEmail(v.AsString())
	case convMAC:
		ok = isMAC(v.AsString())
	case convMethod:
		ok = slices.Contains(methods, v.AsString())
	}
	return ok
}

// whole is a whole number that every reader of JSON reads exactly.
func whole(v pcommon.Value) (int64, bool) {
	var n int64
	switch v.Type() {
	case pcommon.ValueTypeInt:
		n = v.Int()
	case pcommon.ValueTypeDouble:
		if f := v.Double(); f != math.Trunc(f) || math.Abs(f) > maxExact {
			return 0, false
		}
		n = int64(v.Double())
	case pcommon.ValueTypeStr:
		var err error
		if n, err = strconv.ParseInt(v.Str(), 10, 64); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	return n, n <= maxExact && n >= -maxExact
}

func coordinate(cv conv, v pcommon.Value) (float64, bool) {
	if v.Type() != pcommon.ValueTypeMap {
		return 0, false
	}
	name := "lat"
	if cv == convLon {
		name = "lon"
	}
	v, ok := v.Map().Get(name)
	switch {
	case !ok:
	case v.Type() == pcommon.ValueTypeDouble:
		return v.Double(), !math.IsNaN(v.Double()) && !math.IsInf(v.Double(), 0)
	case v.Type() == pcommon.ValueTypeInt:
		return float64(v.Int()), true
	}
	return 0, false
}

// isEmail says whether OCSF takes s as an address.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 {
		return false
	}
	for i := range at {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),:;<>@[\]`, c) >= 0 {
			return false
		}
	}
	domain := s[at+1:]
	for i := range len(domain) {
		if c := domain[i]; !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	dot := strings.IndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1
}

func isMAC(s string) bool {
	if len(s) != 17 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; i%3 == 2 && c != ':' && c != '-' || i%3 != 2 && strings.IndexByte("0123456789abcdefABCDEF", c) < 0 {
			return false
		}
	}
	return true
}
