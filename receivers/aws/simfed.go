package aws

import (
	"slices"
	"strings"
)

// simMetadata is what a provider of identities says of itself; its certificate makes it long.
var simMetadata = `<EntityDescriptor entityID="https://idp.contoso.example/saml"><X509Certificate>` + strings.Repeat("MIIDdzCCAl-", 100) +
	`</X509Certificate></EntityDescriptor>`

func (s *simCloud) samlProviders(c *simCall) (string, *simError) {
	return simMembers("SAMLProviderList", c.account.iam.saml, func(f simFederation) string {
		return simTag("Arn", f.arn) + simTag("ValidUntil", simStamp(s.o.Start.AddDate(10, 0, 0))) + simTag("CreateDate",
			simStamp(s.o.Start.AddDate(-1, 0, 0)))
	}), nil
}

func (s *simCloud) oidcProviders(c *simCall) (string, *simError) {
	return simMembers("OpenIDConnectProviderList", c.account.iam.oidc, func(f simFederation) string { return simTag("Arn", f.arn) }), nil
}

func (s *simCloud) oidcProvider(c *simCall) (string, *simError) {
	for _, f := range c.account.iam.oidc {
		if f.arn == c.form.Get("OpenIDConnectProviderArn") {
			return simTag("Url", f.url) + simMembers("ClientIDList", f.clients, simEscapeText) +
				simMembers("ThumbprintList", []string{s.hex(62, uint64(c.account.n), 40)}, simEscapeText) +
				simTag("CreateDate", simStamp(s.o.Start.AddDate(-1, 0, 0))), nil
		}
	}
	return "", simErr(404, "NoSuchEntity", "OpenIDConnect Provider not found for arn "+c.form.Get("OpenIDConnectProviderArn"))
}

func (s *simCloud) samlProvider(c *simCall) (string, *simError) {
	for _, f := range c.account.iam.saml {
		if f.arn == c.form.Get("SAMLProviderArn") {
			return simTag("SAMLMetadataDocument", f.document) + simTag("CreateDate", simStamp(s.o.Start.AddDate(-1, 0, 0))) +
				simTag("ValidUntil", simStamp(s.o.Start.AddDate(10, 0, 0))), nil
		}
	}
	return "", simErr(404, "NoSuchEntity", "Manifest not found for arn "+c.form.Get("SAMLProviderArn"))
}

func (s *simCloud) createSAML(c *simCall) (string, *simError) {
	f := simFederation{arn: s.arn("iam", "", c.account.id, "saml-provider/"+c.form.Get("Name")),
		document: c.form.Get("SAMLMetadataDocument")}
	if len(f.document) < 1000 || !strings.HasPrefix(f.document, "<") || c.form.Get("Name") == "" {
		return "", simErr(400, "InvalidInput", "Could not parse metadata")
	}
	return simTag("SAMLProviderArn", f.arn), simFederate(&c.account.iam.saml, f)
}

func (s *simCloud) createOIDC(c *simCall) (string, *simError) {
	host := strings.TrimPrefix(c.form.Get("Url"), "https://")
	f := simFederation{arn: s.arn("iam", "", c.account.id, "oidc-provider/"+host), url: host}
	for name, v := range c.form {
		if strings.HasPrefix(name, "ClientIDList.member.") {
			f.clients = append(f.clients, v[0])
		}
	}
	if slices.Sort(f.clients); host == c.form.Get("Url") {
		return "", simErr(400, "ValidationError", "Invalid Open ID Connect Provider URL")
	}
	return simTag("OpenIDConnectProviderArn", f.arn), simFederate(&c.account.iam.oidc, f)
}

func simFederate(list *[]simFederation, f simFederation) *simError {
	if slices.ContainsFunc(*list, func(o simFederation) bool { return o.arn == f.arn }) {
		return simErr(409, "EntityAlreadyExists", "Provider with arn "+f.arn+" already exists.")
	}
	*list = append(*list, f)
	return nil
}
