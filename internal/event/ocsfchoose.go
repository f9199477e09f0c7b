package event

var (
	idActivity      = fieldID("saas.activity")
	idCategory      = fieldID("event.category")
	idActionID      = fieldID("saas.action.id")
	idActionMode    = fieldID("saas.action.mode")
	idFindingStatus = fieldID("saas.finding.status")
	idFindingTypes  = fieldID("saas.finding.data_type")
	idEntityName    = fieldID("entity.name")
	idRuleset       = fieldID("rule.ruleset")
)

// choose finds the plan for a record and its activity: the first of the classes for such a record that it has enough for.
func (c *ocsfEncoder) choose(b *ocsfBook) *plan {
	chain := c.chain(b)
	for !c.suffices(chain[0]) {
		chain = chain[1:] // the last needs nothing
	}
	c.activity(chain[0].class)
	return chain[0]
}

func (c *ocsfEncoder) suffices(p *plan) bool {
	for _, need := range p.needs {
		if !c.any(p, need) {
			return false
		}
	}
	return true
}

// chain are the plans to try for a record.
func (c *ocsfEncoder) chain(b *ocsfBook) []*plan {
	kind, what := c.str(idKind), c.str(idActivity)
	c.alert = kind == "alert"
	switch {
	case c.has(idActionID):
		return b.action
	case c.alert && (c.has(idFindingTypes) || c.str(idRuleset) == "dlp"):
		return b.dlp
	case c.alert:
		return b.alert
	case kind == "asset" && c.in(idEntityType, "user", "service_account"):
		return b.user
	case kind == "asset":
		return b.entity
	case kind == "state":
		return b.state
	case c.in(idCategory, "file"):
		return b.file
	case what == "app_install" || what == "app_uninstall":
		return b.install
	case c.in(idCategory, "iam"):
		return c.iam(b, what)
	case c.in(idCategory, "authentication", "session"):
		return b.auth
	}
	return b.api
}

// iam are the plans for a change of users, groups, roles and credentials.
func (c *ocsfEncoder) iam(b *ocsfBook, what string) []*plan {
	admin := c.in(idType, "admin")
	if chain := b.iam[what]; chain != nil && what != "" && !(what == "app_consent" && admin) {
		return chain
	}
	for _, word := range [...]string{"group", "admin", "user"} {
		if c.in(idType, word) {
			return b.iam[word]
		}
	}
	return b.iam[""]
}

// activity finds the number of what was done.
func (c *ocsfEncoder) activity(k *ocsfClass) {
	c.act = 0
	switch k.uid {
	case 2004, 2006:
		if c.actName = c.str(idFindingStatus); c.actName == "" {
			c.actName = "new"
		}
	case 7001, 7002:
		if c.actName = c.str(idAction); c.str(idActionMode) == "undo" {
			c.actName = "undo"
		}
	case 5003, 5023:
		c.actName = "*"
	default:
		c.actName = c.str(idActivity)
	}
	if c.act = k.words[c.actName]; c.act > 0 {
		return
	}
	if len(k.types) > 0 && c.has(idType) {
		for typ, n := range k.types {
			if c.in(idType, typ) && (c.act == 0 || n < c.act) {
				c.act = n
			}
		}
		if c.act > 0 {
			return
		}
	}
	if c.actName == "" {
		c.actName = c.str(idAction)
	}
	if c.actName != "" {
		c.act = -1
	}
}
