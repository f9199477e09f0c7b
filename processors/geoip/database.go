package geoip

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// maxFile bounds a file: the largest public ones have a third of it.
const maxFile = 1 << 30

// database is one file.
type database struct {
	path   string
	stamp  stamp // of the last reading, also of one that failed
	reader atomic.Pointer[maxminddb.Reader]
}

// stamp tells one state of a file from another.
type stamp struct {
	size int64
	at   time.Time
}

// entry is what files say of an address, as far as it is used. Absent is not zero.
type entry struct {
	Continent struct {
		Code  string `maxminddb:"code"`
		Names names  `maxminddb:"names"`
	} `maxminddb:"continent"`
	Country      area   `maxminddb:"country"`
	Subdivisions []area `maxminddb:"subdivisions"`
	City         area   `maxminddb:"city"`
	Postal       struct {
		Code string `maxminddb:"code"`
	} `maxminddb:"postal"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
		Zone      string   `maxminddb:"time_zone"`
	} `maxminddb:"location"`
	Traits struct {
		Proxy        bool   `maxminddb:"is_anonymous_proxy"`
		Satellite    bool   `maxminddb:"is_satellite_provider"`
		Number       int64  `maxminddb:"autonomous_system_number"`
		Organization string `maxminddb:"autonomous_system_organization"`
	} `maxminddb:"traits"`
	Number       int64  `maxminddb:"autonomous_system_number"`
	Organization string `maxminddb:"autonomous_system_organization"`
}

type area struct {
	Code  string `maxminddb:"iso_code"`
	Names names  `maxminddb:"names"`
}

type names struct {
	English string `maxminddb:"en"`
}

// kinds are the types of databases whose entries are understood, as a part of the type's name.
var kinds = []string{"city", "country", "enterprise", "asn", "isp"}

// load reads the file if it is not the one read last, and keeps the one before when it cannot.
func (d *database) load() (fresh bool, err error) {
	info, err := os.Stat(d.path)
	if err != nil {
		again := d.stamp == stamp{}
		if d.stamp = (stamp{}); again && d.reader.Load() != nil {
			return false, nil // said before
		}
		return false, fmt.Errorf("find database: %w", err)
	}
	now := stamp{info.Size(), info.ModTime()}
	if now == d.stamp {
		return false, nil
	}
	d.stamp = now
	if now.size > maxFile {
		return false, fmt.Errorf("read database %q: %d bytes, at most %d", d.path, now.size, maxFile)
	}
	raw, err := os.ReadFile(d.path)
	if err != nil {
		return false, fmt.Errorf("read database: %w", err)
	}
	r, err := maxminddb.OpenBytes(raw)
	if err == nil {
		err = readable(r)
	}
	if err != nil {
		return false, fmt.Errorf("read database %q: it is damaged or none: %w", d.path, err)
	}
	typ := strings.ToLower(r.Metadata.DatabaseType)
	for _, kind := range kinds {
		if strings.Contains(typ, kind) {
			d.reader.Store(r)
			return true, nil
		}
	}
	return false, fmt.Errorf("read database %q: its type is %q, want one of cities, countries or networks (%s)", d.path,
		r.Metadata.DatabaseType, strings.Join(kinds, ", "))
}

// samples is how many entries of a file are read before it is used.
const samples = 20_000

// readable goes through all networks of a file, and reads entries spread over it: reading all takes seconds for large ones. The
// library's own Verify refuses files for a missing description, too.
func readable(r *maxminddb.Reader) error {
	step, n := max(1, int(r.Metadata.NodeCount)/samples), 0
	for found := range r.Networks() {
		if err := found.Err(); err != nil {
			return fmt.Errorf("network %d: %w", n, err)
		}
		if n%step == 0 {
			if err := found.Decode(&entry{}); err != nil {
				return fmt.Errorf("entry of %v: %w", found.Prefix(), err)
			}
		}
		n++
	}
	return nil
}

// look reads what the file says of an address; nothing when it does not have it.
func (d *database) look(a netip.Addr, e *entry) (bool, error) {
	r := d.reader.Load()
	if r == nil {
		return false, errors.New("no database is open")
	}
	found := r.Lookup(a)
	if err := found.Err(); err != nil || !found.Found() {
		if a.Is6() && r.Metadata.IPVersion == 4 {
			return false, nil // a file of the old addresses only
		}
		return false, err
	}
	return true, found.Decode(e)
}

// nowhere is said of countries that are none: anonymous proxies, satellites, unknown, regions.
var nowhere = []string{"A1", "A2", "AP", "EU", "T1", "XX", "ZZ"}

// reserved are networks that belong to nobody on the Internet, beside the private and local ones.
var reserved = prefixes("0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 " +
	"100::/64 2001:2::/48 2001:10::/28 2001:20::/28 2001:db8::/32 3fff::/20 5f00::/16 fec0::/10")

func prefixes(list string) (out []netip.Prefix) {
	for p := range strings.FieldsSeq(list) {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// public reads an address of the Internet.
func public(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return netip.Addr{}, false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return netip.Addr{}, false
		}
	}
	return a, true
}
