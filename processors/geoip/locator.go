package geoip

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/longshore-dev/longshore/internal/event"
)

// locator adds places and networks to records.
type locator struct {
	next    consumer.Logs
	log     *zap.Logger
	every   time.Duration
	files   []*database
	stop    chan struct{}
	running sync.WaitGroup
	failing atomic.Bool // a look-up failed, and the log says so
	filled  metric.Int64Counter
	self    metric.MeasurementOption
}

func newLocator(set processor.Settings, cfg *Config, next consumer.Logs) (*locator, error) {
	g := &locator{next: next, log: set.Logger, every: cfg.ReloadInterval,
		self: metric.WithAttributes(attribute.String("processor", set.ID.String()))}
	for _, path := range cfg.Databases {
		g.files = append(g.files, &database{path: path})
	}
	const name = "longshore_geoip_records"
	var err error
	g.filled, err = set.MeterProvider.Meter("github.com/longshore-dev/longshore/processors/geoip").
		Int64Counter(name, metric.WithDescription("Records that a place or network was added to"))
	if err != nil {
		return nil, fmt.Errorf("make metric %s: %w", name, err)
	}
	return g, nil
}

// Start reads the files and looks after them from then on.
func (g *locator) Start(context.Context, component.Host) error {
	for _, d := range g.files {
		if _, err := d.load(); err != nil {
			return fmt.Errorf("start geoip: %w", err)
		}
		m := d.reader.Load().Metadata
		g.log.Info("database of addresses is read", zap.String("file", d.path), zap.String("type", m.DatabaseType),
			zap.Time("built", m.BuildTime().UTC()))
	}
	g.stop = make(chan struct{})
	g.running.Go(g.watch)
	return nil
}

// Shutdown ends that.
func (g *locator) Shutdown(context.Context) error {
	if g.stop != nil {
		close(g.stop)
		g.running.Wait()
		g.stop = nil
	}
	return nil
}

func (g *locator) watch() {
	tick := time.NewTicker(g.every)
	defer tick.Stop()
	for {
		select {
		case <-g.stop:
			return
		case <-tick.C:
			g.reload()
		}
	}
}

// reload reads the files that have changed.
func (g *locator) reload() {
	for _, d := range g.files {
		switch fresh, err := d.load(); {
		case err != nil:
			g.log.Warn("the database of addresses that was read before stays in use", zap.Error(err))
		case fresh:
			g.failing.Store(false)
			g.log.Info("database of addresses is read again", zap.String("file", d.path),
				zap.Time("built", d.reader.Load().Metadata.BuildTime().UTC()))
		}
	}
}

// Capabilities says that records are changed.
func (g *locator) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeLogs adds to a batch what the files know and hands it on.
func (g *locator) ConsumeLogs(ctx context.Context, l plog.Logs) error {
	n := int64(0)
	for w := range event.Views(l) {
		if g.fill(w.Log.Attributes()) {
			n++
		}
	}
	if n > 0 {
		g.filled.Add(ctx, n, g.self)
	}
	if err := g.next.ConsumeLogs(ctx, l); err != nil {
		return fmt.Errorf("hand records on: %w", err)
	}
	return nil
}

// fill adds to a record's attributes, and says whether it did.
func (g *locator) fill(attrs pcommon.Map) bool {
	ip, ok := attrs.Get("source.ip")
	if !ok || ip.Type() != pcommon.ValueTypeStr {
		return false
	}
	a, ok := public(ip.Str())
	if !ok {
		return false
	}
	geo, as := !has(attrs, "source.geo"), !has(attrs, "source.as")
	before := attrs.Len()
	for _, d := range g.files {
		if !geo && !as {
			break
		}
		var e entry
		found, err := d.look(a, &e)
		if err != nil {
			g.fail(d, a, err)
			continue
		}
		if !found {
			continue
		}
		geo = geo && !place(attrs, &e)
		as = as && !network(attrs, &e)
	}
	return attrs.Len() > before
}

// fail tells of the first look-up that failed, without the address.
func (g *locator) fail(d *database, a netip.Addr, err error) {
	if !g.failing.Swap(true) {
		text := strings.ReplaceAll(err.Error(), a.String(), "…")
		g.log.Error("look up an address", zap.String("file", d.path), zap.Error(errors.New(text)))
	}
}

// has says whether there is any field of a group.
func has(attrs pcommon.Map, group string) bool {
	for name := range attrs.All() {
		if strings.HasPrefix(name, group) && (len(name) == len(group) || name[len(group)] == '.') {
			return true
		}
	}
	return false
}

// place adds where an address is. It says true when the entry settles that, be it that there is no place.
func place(attrs pcommon.Map, e *entry) bool {
	if e.Traits.Proxy || e.Traits.Satellite || slices.Contains(nowhere, e.Country.Code) {
		return true
	}
	before := attrs.Len()
	put := func(name, val string) {
		if val != "" {
			attrs.PutStr("source.geo."+name, val)
		}
	}
	put("continent_code", e.Continent.Code)
	put("continent_name", e.Continent.Names.English)
	put("country_iso_code", e.Country.Code)
	put("country_name", e.Country.Names.English)
	if len(e.Subdivisions) > 0 {
		if s := e.Subdivisions[0]; s.Code != "" && e.Country.Code != "" {
			put("region_iso_code", e.Country.Code+"-"+s.Code)
		}
		put("region_name", e.Subdivisions[0].Names.English)
	}
	put("city_name", e.City.Names.English)
	put("postal_code", e.Postal.Code)
	put("timezone", e.Location.Zone)
	if lat, lon := e.Location.Latitude, e.Location.Longitude; lat != nil && lon != nil && onEarth(*lat, *lon) {
		at := attrs.PutEmptyMap("source.geo.location")
		at.PutDouble("lat", *lat)
		at.PutDouble("lon", *lon)
	}
	return attrs.Len() > before
}

// onEarth is false of what cannot be, and of 0,0, which stands for nothing known.
func onEarth(lat, lon float64) bool {
	return math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && (lat != 0 || lon != 0)
}

// network adds whose network an address belongs to.
func network(attrs pcommon.Map, e *entry) bool {
	number, name := e.Number, e.Organization
	if number == 0 {
		number, name = e.Traits.Number, e.Traits.Organization
	}
	if number <= 0 {
		return false
	}
	attrs.PutInt("source.as.number", number)
	if name != "" {
		attrs.PutStr("source.as.organization.name", name)
	}
	return true
}
