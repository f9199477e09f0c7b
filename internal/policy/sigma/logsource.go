package sigma

import "strings"

// logsources says in which datasets lies what a rule's logsource names (schema.md §10). Names are Sigma's.
var logsources = []struct{ product, service, module, datasets string }{
	{"aws", "cloudtrail", "aws", "aws.cloudtrail"},
	{"azure", "signinlogs", "azure", "azure.signinlogs"},
	{"azure", "auditlogs", "azure", "azure.auditlogs"},
	{"azure", "activitylogs", "azure", "azure.activitylogs"},
	{"azure", "riskdetection", "azure", "azure.identity_protection"},
	{"azure", "pim", "azure", "azure.identity_protection azure.auditlogs"},
	{"gcp", "gcp.audit", "gcp", "gcp.audit"},
	{"gcp", "google_workspace.admin", "google_workspace", "google_workspace.admin"},
	{"gcp", "google_workspace.login", "google_workspace", "google_workspace.login"},
	{"github", "audit", "github", "github.audit"},
	{"m365", "audit", "o365", "o365.audit"},
	{"m365", "exchange", "o365", "o365.audit"},
	{"m365", "threat_management", "o365", "o365.audit"},
	{"m365", "threat_detection", "o365", "o365.audit"},
	{"okta", "okta", "okta", "okta.system"},
}

// Datasets lists the datasets in which what the rule describes can be; none when its logsource is of no application here.
// A dataset's data stream is logs-<dataset>-saas.
func (r *Rule) Datasets() (names []string) {
	for _, l := range logsources {
		if r.Source.names(l.product, l.service) {
			names = append(names, strings.Fields(l.datasets)...)
		}
	}
	return names
}

// Module is event.module of what the rule is for; "" when its logsource is of no application here.
func (r *Rule) Module() string {
	for _, l := range logsources {
		if r.Source.names(l.product, l.service) {
			return l.module
		}
	}
	return ""
}

// names says whether a logsource covers a product's service; one that leaves the service open covers all.
func (s Source) names(product, service string) bool {
	return strings.EqualFold(s.Product, product) && (s.Service == "" || strings.EqualFold(s.Service, service))
}

func (r *Rule) meant(dataset string) bool {
	for _, l := range logsources {
		if !r.Source.names(l.product, l.service) {
			continue
		}
		for name := range strings.FieldsSeq(l.datasets) {
			if name == dataset {
				return true
			}
		}
	}
	return false
}
