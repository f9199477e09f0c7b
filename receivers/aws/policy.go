package aws

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// accountOf is the account in an ARN.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// outsider says whether a principal is somebody else's: another account's, anybody, or a provider of identities.
func outsider(principal string, own map[string]bool) bool {
	kind, name, _ := strings.Cut(principal, " ")
	switch kind {
	case "AWS", "*":
		if accountID.MatchString(name) {
			return !own[name]
		}
		return name == "*" || name == "" || accountOf(name) != "" && !own[accountOf(name)]
	case "Federated":
		return !strings.Contains(name, ":saml-provider/AWSSSO") // of Identity Center, which is one's own
	}
	return false
}

// policy is a policy document. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type policy struct {
	Statement statements
}

type statements []statement

type statement struct {
	Sid          string
	Effect       string
	Principal    json.RawMessage
	NotPrincipal json.RawMessage
	Action       texts
	Resource     texts
}

// UnmarshalJSON also reads one statement that is no list.
func (s *statements) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*s = make(statements, 1)
		return json.Unmarshal(b, &(*s)[0])
	}
	return json.Unmarshal(b, (*[]statement)(s))
}

// texts is a text or a list of them.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*t = make(texts, 1)
		return json.Unmarshal(b, &(*t)[0])
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// readPolicy reads a document, which IAM writes as in a URL. What is none grants nothing.
func readPolicy(doc string) (p policy) {
	if strings.HasPrefix(doc, "%7B") {
		doc, _ = url.PathUnescape(doc)
	}
	_ = json.Unmarshal([]byte(doc), &p)
	return p
}

// allowed are the principals that a policy allows something, each as kind and name: "AWS arn:aws:iam::111122223333:root".
func (p policy) allowed() (list []string) {
	for _, s := range p.Statement {
		if s.Effect == "Allow" {
			list = append(list, s.principals()...)
		}
	}
	return list
}

func (s statement) principals() (list []string) {
	if saas.Text(s.Principal) == "*" {
		return []string{"AWS *"}
	}
	for kind, val := range event.Members(s.Principal) {
		var names texts
		if json.Unmarshal(val, &names) == nil {
			for _, name := range names {
				list = append(list, kind+" "+name)
			}
		}
	}
	return list
}

// everything says whether a policy allows all there is.
func (p policy) everything() bool {
	return slices.ContainsFunc(p.Statement, func(s statement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Action, "*") && slices.Contains(s.Resource, "*")
	})
}

// withoutPrincipals is a policy whose statements allow nothing to the principals that drop names; nil = nothing is left of it.
func withoutPrincipals(doc []byte, drop func(string) bool) (out []byte, cut bool) {
	var whole map[string]json.RawMessage
	if json.Unmarshal(doc, &whole) != nil {
		return doc, false
	}
	raws := []json.RawMessage{whole["Statement"]}
	if len(raws[0]) > 0 && raws[0][0] == '[' {
		raws = slices.Collect(event.Elems(whole["Statement"]))
	}
	var kept []json.RawMessage
	for _, raw := range raws {
		var s statement
		if json.Unmarshal(raw, &s) != nil || s.Effect != "Allow" {
			kept = append(kept, raw)
			continue
		}
		left := map[string][]string{}
		before := s.principals()
		for _, p := range before {
			if kind, name, _ := strings.Cut(p, " "); !drop(p) {
				left[kind] = append(left[kind], name)
			} else {
				cut = true
			}
		}
		if len(left) == 0 && len(before) > 0 {
			continue
		}
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(raw, &fields) // which was read
		if len(before) > 0 {
			fields["Principal"], _ = json.Marshal(left)
		}
		row, _ := json.Marshal(fields)
		kept = append(kept, row)
	}
	if !cut || len(kept) == 0 {
		return nil, cut
	}
	whole["Statement"] = saas.Array(kept)
	out, _ = json.Marshal(whole)
	return out, true
}
