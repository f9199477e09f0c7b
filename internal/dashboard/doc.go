// Package dashboard holds the dashboards that come with Longshore, as a table of panels, and writes them as saved objects
// that Kibana and OpenSearch Dashboards import (deploy/kibana, deploy/opensearch).
//
// It promises: the same table gives the same bytes; every panel is a Lucene query and aggregations over fields of the
// record, so Body gives the search that the panel makes, and a test can run it. It keeps to the visualizations that both
// programs have, written as their last common version stored them; either brings them up to date when it imports.
package dashboard
