package aws

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/saas"
)

// partition is a part of AWS that shares nothing with the others: names of hosts, accounts, and the first word of ARNs.
type partition struct {
	name, regions, suffix string // Regions begin with regions
	global                string // where services without Regions are signed for
	iam, organizations    string // their hosts, and the Region that organizations is signed for
	orgRegion             string
}

// partitions are in the order in which their Regions are looked at; the last has all others.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
var partitions = []partition{
	{"aws-cn", "cn-", "amazonaws.com.cn", "cn-north-1", "iam.cn-north-1.amazonaws.com.cn",
		"organizations.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
	{"aws-us-gov", "us-gov-", "amazonaws.com", "us-gov-west-1", "iam.us-gov.amazonaws.com",
		"organizations.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
	{"aws-iso", "us-iso-", "c2s.ic.gov", "us-iso-east-1", "iam.us-iso-east-1.c2s.ic.gov",
		"organizations.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
	{"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "us-isob-east-1", "iam.us-isob-east-1.sc2s.sgov.gov",
		"organizations.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
	{"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "eu-isoe-west-1", "iam.eu-isoe-west-1.cloud.adc-e.uk",
		"organizations.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"},
	{"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "us-isof-south-1", "iam.us-isof-south-1.csp.hci.ic.gov",
		"organizations.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"},
	{"aws-eusc", "eusc-", "amazonaws.eu", "eusc-de-east-1", "iam.eusc-de-east-1.amazonaws.eu",
		"organizations.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
	{"aws", "", "amazonaws.com", "us-east-1", "iam.amazonaws.com", "organizations.us-east-1.amazonaws.com", "us-east-1"},
}

// partitionOf is the partition of a Region.
func partitionOf(region string) *partition {
	i := 0
	for !strings.HasPrefix(region, partitions[i].regions) {
		i++
	}
	return &partitions[i]
}

// service is an interface of AWS as it is asked.
type service struct {
	host    string // before the Region
	signs   string // the name in signatures
	target  string // of the JSON protocols, before the operation
	content string // its Content-Type
	version string // of the query protocol
}

// services by the names of config's endpoints.
var services = map[string]service{
	"cloudtrail":    {"cloudtrail", "cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "application/x-amz-json-1.1", ""},
	"sqs":           {"sqs", "sqs", "AmazonSQS.", "application/x-amz-json-1.0", ""},
	"organizations": {"organizations", "organizations", "AWSOrganizationsV20161128.", "application/x-amz-json-1.1", ""},
	"identitystore": {"identitystore", "identitystore", "AWSIdentityStore.", "application/x-amz-json-1.1", ""},
	"sso":           {"sso", "sso", "SWBExternalService.", "application/x-amz-json-1.1", ""},
	"account":       {"account", "account", "", "application/json", ""},
	"iam":           {"iam", "iam", "", "application/x-www-form-urlencoded", "2010-05-08"},
	"sts":           {"sts", "sts", "", "application/x-www-form-urlencoded", "2011-06-15"},
	"s3":            {"s3", "s3", "", "application/xml", ""},
	"s3control":     {"s3-control", "s3", "", "application/xml", ""},
}

// scopeHeader says for which Region and service a request is to be signed; it is not sent.
const scopeHeader = "Longshore-Scope"

// place is where services are asked.
type place struct {
	*partition
	region   string
	endpoint string // of all services; "" = AWS's own
	own      map[string]string
}

// hosts are where requests may go.
func (p *place) hosts() (list []string) {
	list = append(list, "*."+p.suffix)
	for _, s := range p.own {
		_, host, _ := strings.Cut(s, "://")
		host, _, _ = strings.Cut(host, "/")
		list = append(list, host)
	}
	return list
}

// at is the base URL of a service in a Region ("" = the configured one), and the Region for which it is signed.
func (p *place) at(name, region string) (base, signs string) {
	region = cmp.Or(region, p.region)
	host := services[name].host + "." + region + "." + p.suffix
	switch name {
	case "iam":
		host, region = p.iam, p.global
	case "organizations":
		host, region = p.organizations, p.orgRegion
	case "account":
		host, region = "account."+p.global+"."+p.suffix, p.global
	}
	return strings.TrimRight(cmp.Or(p.own[name], p.endpoint, "https://"+host), "/"), region
}

// scoped is a request on behalf of an account ("" = the credential's own), signed for a service in a Region.
func (p *place) scoped(name, region, as string) saas.Req {
	base, region := p.at(name, region)
	return saas.Req{Method: http.MethodPost, URL: base + "/", As: as,
		Header: map[string]string{scopeHeader: region + "/" + services[name].signs, "Content-Type": services[name].content}}
}

// params are those of a request.
type params map[string]any

// json asks a service that speaks JSON.
func (p *place) json(name, region, as, operation string, in params) saas.Req {
	q := p.scoped(name, region, as)
	if services[name].target != "" {
		q.Header["X-Amz-Target"] = services[name].target + operation
	} else {
		q.URL += operation
	}
	q.Removes = removes(operation)
	body, _ := json.Marshal(in) // strings, numbers and lists of them have a JSON form
	q.Body = string(body)
	return q
}

// query asks a service that takes forms and answers in XML: IAM and STS. in is names and values in turn; an empty value is left out.
func (p *place) query(name, as, action string, in ...string) saas.Req {
	q := p.scoped(name, "", as)
	form := url.Values{"Action": {action}, "Version": {services[name].version}}
	for i := 0; i < len(in); i += 2 {
		if in[i+1] != "" {
			form.Set(in[i], in[i+1])
		}
	}
	q.Removes = removes(action)
	q.Body = form.Encode()
	return q
}

// removes says whether an operation leaves less behind.
func removes(operation string) bool {
	return slices.ContainsFunc([]string{"Delete", "Remove", "Detach", "Deactivate"}, func(with string) bool {
		return strings.HasPrefix(operation, with)
	})
}

// s3 is a request for a bucket, or an object in it. query is written as it is sent, without the question mark.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func (p *place) s3(method string, b bucket, key, query string) saas.Req {
	base, region := p.at("s3", b.Region)
	switch host, own := strings.CutPrefix(base, "https://"); {
	case b.Name == "":
	case !own || strings.Contains(b.Name, ".") || p.endpoint != "" || p.own["s3"] != "": // no certificate is for a name with dots
		base += "/" + b.Name
	default:
		base = "https://" + b.Name + "." + host
	}
	q := saas.Req{Method: method, URL: base + "/" + escapeKey(key), As: b.Account,
		Header: map[string]string{scopeHeader: region + "/s3", "Accept-Encoding": "identity"}}
	if query != "" {
		q.URL += "?" + query
	}
	return q
}

// control is a request for what an account says of all its buckets.
func (p *place) control(method, region, account string) saas.Req {
	base, region := p.at("s3control", region)
	if p.endpoint == "" && p.own["s3control"] == "" {
		base = strings.Replace(base, "https://", "https://"+account+".", 1)
	}
	return saas.Req{Method: method, URL: base + "/v20180820/configuration/publicAccessBlock", As: account,
		Header: map[string]string{scopeHeader: region + "/s3", "X-Amz-Account-Id": account}}
}

// escapeKey writes a key as a path that is signed as it is sent: everything but unreserved characters and slashes is escaped.
func escapeKey(key string) string {
	var b strings.Builder
	for _, c := range []byte(key) {
		if c == '/' || plain(c) {
			b.WriteByte(c)
			continue
		}
		const digits = "0123456789ABCDEF"
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0
}
