package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
)

type object = map[string]any

// The versions in which Kibana 7.10 and OpenSearch Dashboards 1 and 2 store these objects; later ones migrate them.
const (
	viewVersion      = "7.6.0"
	panelVersion     = "7.10.0"
	dashboardVersion = "7.9.3"
)

// columns and the sizes of panels in the grid of a dashboard.
const (
	columns    = 48
	numberTall = 7
	tall       = 14
)

// Objects writes all dashboards, with the views and panels they need, as saved objects: one a line.
func Objects() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	var all []object
	for _, v := range []View{Records, Entities, Letters} {
		all = append(all, v.object())
	}
	for _, d := range All {
		for i, p := range d.Panels {
			all = append(all, p.object(d.panelID(i)))
		}
		all = append(all, d.object())
	}
	for _, o := range all {
		if err := enc.Encode(o); err != nil {
			return nil, fmt.Errorf("encode saved object %v: %w", o["id"], err)
		}
	}
	return out.Bytes(), nil
}

func (d Dashboard) panelID(i int) string { return fmt.Sprintf("%s-%d", d.ID, i+1) }

// text is an object within a string, as saved objects keep them.
func text(o any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(o) // strings, numbers, booleans, lists and maps of them
	return string(bytes.TrimSpace(out.Bytes()))
}

func (v View) object() object {
	attributes := object{"title": v.Pattern}
	if v.Timed {
		attributes["timeFieldName"] = "@timestamp"
	}
	return object{"type": "index-pattern", "id": v.ID, "attributes": attributes, "references": []any{},
		"migrationVersion": object{"index-pattern": viewVersion}}
}

const viewRef = "kibanaSavedObjectMeta.searchSourceJSON.index"

func (p Panel) object(id string) object {
	source := object{"query": object{"query": p.Query, "language": "lucene"}, "filter": []any{}, "indexRefName": viewRef}
	state := object{"title": p.Title, "type": p.Kind, "params": p.params(), "aggs": p.aggs()}
	return object{"type": "visualization", "id": id, "migrationVersion": object{"visualization": panelVersion},
		"attributes": object{"title": p.Title, "description": "", "version": 1, "uiStateJSON": "{}", "visState": text(state),
			"kibanaSavedObjectMeta": object{"searchSourceJSON": text(source)}},
		"references": []any{object{"name": viewRef, "type": "index-pattern", "id": p.View.ID}}}
}

// params are how a visualization looks.
func (p Panel) params() object {
	switch p.Kind {
	case Number:
		return object{"type": "metric", "addTooltip": true, "addLegend": false, "metric": object{"percentageMode": false, "useRanges": false,
			"colorSchema": "Green to Red", "metricColorMode": "None", "colorsRange": []any{object{"from": 0, "to": 10000}},
			"labels": object{"show": true}, "invertColors": false,
			"style": object{"bgFill": "#000", "bgColor": false, "labelColor": false, "subText": "", "fontSize": 36}}}
	case Pie:
		return object{"type": "pie", "addTooltip": true, "addLegend": true, "legendPosition": "right", "isDonut": true,
			"labels": object{"show": false, "values": true, "last_level": true, "truncate": 100}}
	case Bars:
		return bars
	}
	return object{"perPage": 10, "showPartialRows": false, "showMetricsAtAllLevels": false, "showTotal": false, "totalFunc": "sum",
		"percentageCol": ""}
}

var bars = object{"type": "histogram", "addTooltip": true, "addLegend": true, "legendPosition": "right", "addTimeMarker": false,
	"times": []any{}, "grid": object{"categoryLines": false}, "labels": object{"show": false},
	"thresholdLine": object{"show": false, "value": 10, "width": 1, "style": "full", "color": "#E7664C"},
	"categoryAxes": []any{object{"id": "CategoryAxis-1", "type": "category", "position": "bottom", "show": true, "style": object{},
		"scale": object{"type": "linear"}, "labels": object{"show": true, "filter": true, "truncate": 100}, "title": object{}}},
	"valueAxes": []any{object{"id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value", "position": "left", "show": true,
		"style": object{}, "scale": object{"type": "linear", "mode": "normal"},
		"labels": object{"show": true, "rotate": 0, "filter": false, "truncate": 100}, "title": object{"text": "Count"}}},
	"seriesParams": []any{object{"show": true, "type": "histogram", "mode": "stacked", "data": object{"label": "Count", "id": "1"},
		"valueAxis": "ValueAxis-1", "drawLinesBetweenPoints": true, "lineWidth": 2, "showCircles": true}}}

// shown is how many values of a field a panel shows.
func (p Panel) shown() int {
	if p.Kind == Table {
		return 50
	}
	return 10
}

// aggs are what a visualization counts.
func (p Panel) aggs() []object {
	agg := func(n int, typ, schema string, params object) object {
		return object{"id": fmt.Sprint(n), "enabled": true, "type": typ, "schema": schema, "params": params}
	}
	all := []object{agg(1, "count", "metric", object{})}
	if p.Count != "" {
		all[0] = agg(1, "cardinality", "metric", object{"field": p.Count})
	}
	n := 1
	if p.Last != "" {
		n++
		all = append(all, agg(n, "max", "metric", object{"field": p.Last}))
	}
	if p.Kind == Bars {
		n++
		all = append(all, agg(n, "date_histogram", "segment", object{"field": "@timestamp", "useNormalizedEsInterval": true,
			"interval": "auto", "drop_partials": false, "min_doc_count": 1, "extended_bounds": object{}}))
	}
	schema := map[Kind]string{Pie: "segment", Bars: "group", Table: "bucket"}[p.Kind]
	for _, field := range p.By {
		n++
		all = append(all, agg(n, "terms", schema, object{"field": field, "orderBy": "1", "order": "desc", "size": p.shown(),
			"otherBucket": false, "otherBucketLabel": "Other", "missingBucket": false, "missingBucketLabel": "Missing"}))
	}
	return all
}

func (d Dashboard) object() object {
	var panels, refs []any
	x, y, row := 0, 0, 0
	for i, p := range d.Panels {
		w, h := p.size()
		if x+w > columns {
			x, y, row = 0, y+row, 0
		}
		n, ref := fmt.Sprint(i+1), fmt.Sprintf("panel_%d", i)
		panels = append(panels, object{"version": panelVersion, "panelIndex": n, "embeddableConfig": object{}, "panelRefName": ref,
			"gridData": object{"x": x, "y": y, "w": w, "h": h, "i": n}})
		refs = append(refs, object{"name": ref, "type": "visualization", "id": d.panelID(i)})
		x, row = x+w, max(row, h)
	}
	source := text(object{"query": object{"query": "", "language": "lucene"}, "filter": []any{}})
	return object{"type": "dashboard", "id": d.ID, "migrationVersion": object{"dashboard": dashboardVersion}, "references": refs,
		"attributes": object{"title": d.Title, "description": d.Text, "hits": 0, "version": 1, "panelsJSON": text(panels),
			"optionsJSON": text(object{"useMargins": true, "hidePanelTitles": false}), "timeRestore": true, "timeFrom": "now-30d",
			"timeTo": "now", "refreshInterval": object{"pause": true, "value": 0},
			"kibanaSavedObjectMeta": object{"searchSourceJSON": source}}}
}

func (p Panel) size() (wide, high int) {
	switch p.Kind {
	case Number:
		return columns / 3, numberTall
	case Bars:
		return columns, tall
	}
	return columns / 2, tall
}

// Body is the search that a panel makes, without the time picker and with days on the axis of time.
func (p Panel) Body() []byte {
	find := object{"match_all": object{}}
	if p.Query != "" {
		find = object{"query_string": object{"query": p.Query, "analyze_wildcard": true}}
	}
	metrics := object{}
	order := object{"_count": "desc"}
	if p.Count != "" {
		metrics["count"] = object{"cardinality": object{"field": p.Count}}
		order = object{"count": "desc"}
	}
	if p.Last != "" {
		metrics["last"] = object{"max": object{"field": p.Last}}
	}
	aggs := metrics
	for i := len(p.By) - 1; i >= 0; i-- {
		terms := object{"terms": object{"field": p.By[i], "size": p.shown(), "order": order}}
		inner := object{}
		for name, agg := range metrics {
			inner[name] = agg
		}
		if i < len(p.By)-1 {
			inner["by"] = aggs["by"]
		}
		if len(inner) > 0 {
			terms["aggs"] = inner
		}
		aggs = object{"by": terms}
	}
	if p.Kind == Bars {
		over := object{"date_histogram": object{"field": "@timestamp", "calendar_interval": "day", "min_doc_count": 1}}
		if len(aggs) > 0 {
			over["aggs"] = aggs
		}
		aggs = object{"over": over}
	}
	return []byte(text(object{"size": 0, "track_total_hits": true, "query": find, "aggs": aggs}))
}
