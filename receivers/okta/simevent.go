package okta

import (
	"strconv"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simParty is an actor or a target of an event.
type simParty struct{ id, kind, alternate, name string }

// simPlace is where requests come from.
type simPlace struct {
	city, state, country, postal, lat, lon string
	as                                     int
	asOrg, domain                          string
}

// simEvent is one System Log event before it is written.
type simEvent struct {
	rnd                         *sim.Rand // the rest of what the event holds
	uuid, kind, legacy, message string
	at                          time.Time
	severity                    string
	actor                       simParty
	place                       *simPlace // nil = no request of a person: nulls
	ip, agent, os, browser      string
	zone, session               string
	result, reason              string
	uri                         string
	note                        string // free text in debugData
	transaction, apiToken       string
	targets                     []simParty // nil = null
	proxied                     bool
}

// simText appends a JSON string.
func simText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// simField appends ,"name":"value", or null for an empty value.
func simField(b []byte, name, value string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	if value == "" {
		return append(b, "null"...)
	}
	return simText(b, value)
}

func (p simParty) write(b []byte) []byte {
	b = simText(append(b, `{"id":`...), p.id)
	b = simField(b, "type", p.kind)
	b = simField(b, "alternateId", p.alternate)
	b = simField(b, "displayName", p.name)
	return append(b, `,"detailEntry":null}`...)
}

// write appends the event as the API gives it.
func (e *simEvent) write(b []byte) []byte {
	b = simText(append(b, `{"uuid":`...), e.uuid)
	b = append(b, `,"published":"`...)
	b = e.at.UTC().AppendFormat(b, simTime)
	b = append(b, '"')
	b = simField(b, "eventType", e.kind)
	b = append(b, `,"version":"0"`...)
	b = simField(b, "severity", e.severity)
	b = simField(b, "legacyEventType", e.legacy)
	b = simField(b, "displayMessage", e.message)
	b = e.actor.write(append(b, `,"actor":`...))
	b = e.client(append(b, `,"client":`...))
	b = append(b, `,"authenticationContext":{"authenticationProvider":null,"credentialProvider":null,"credentialType":null,`+
		`"issuer":null,"interface":null,"authenticationStep":0`...)
	b = simField(b, "externalSessionId", e.session)
	b = simText(append(b, `},"outcome":{"result":`...), e.result)
	b = simField(b, "reason", e.reason)
	b = e.security(append(b, `},"securityContext":`...))
	b = e.debug(append(b, `,"debugContext":{"debugData":{`...))
	b = append(b, `}},"transaction":{"type":"WEB"`...)
	if e.place == nil {
		b = append(b[:len(b)-4], `JOB"`...)
	}
	b = simField(b, "id", e.transaction)
	b = append(b, `,"detail":{`...)
	if e.apiToken != "" {
		b = simText(append(b, `"requestApiTokenId":`...), e.apiToken)
	}
	b = e.chain(append(b, `}},"request":{"ipChain":[`...))
	b = append(b, `]},"target":`...)
	if e.targets == nil {
		return append(b, "null}"...)
	}
	b = append(b, '[')
	for i, t := range e.targets {
		if i > 0 {
			b = append(b, ',')
		}
		b = t.write(b)
	}
	return append(b, "]}"...)
}

func (e *simEvent) client(b []byte) []byte {
	if e.place == nil {
		return append(b, `{"userAgent":null,"zone":null,"device":null,"id":null,"ipAddress":null,"geographicalContext":null}`...)
	}
	b = simText(append(b, `{"userAgent":{"rawUserAgent":`...), e.agent)
	b = simField(b, "os", e.os)
	b = simField(b, "browser", e.browser)
	b = append(b, '}')
	b = simField(b, "zone", e.zone)
	device := "Computer"
	if e.os == "iOS" || e.os == "Android" {
		device = "Mobile"
	}
	b = simField(b, "device", device)
	b = append(b, `,"id":null`...)
	b = simField(b, "ipAddress", e.ip)
	b = e.place.write(append(b, `,"geographicalContext":`...))
	return append(b, '}')
}

func (p *simPlace) write(b []byte) []byte {
	b = simText(append(b, `{"city":`...), p.city)
	b = simField(b, "state", p.state)
	b = simField(b, "country", p.country)
	b = simField(b, "postalCode", p.postal)
	b = append(append(b, `,"geolocation":{"lat":`...), p.lat...)
	b = append(append(b, `,"lon":`...), p.lon...)
	return append(b, "}}"...)
}

func (e *simEvent) security(b []byte) []byte {
	if e.place == nil {
		return append(b, `{"asNumber":null,"asOrg":null,"isp":null,"domain":null,"isProxy":null}`...)
	}
	b = strconv.AppendInt(append(b, `{"asNumber":`...), int64(e.place.as), 10)
	b = simField(b, "asOrg", e.place.asOrg)
	b = simField(b, "isp", e.place.asOrg)
	b = simField(b, "domain", e.place.domain)
	return append(strconv.AppendBool(append(b, `,"isProxy":`...), e.proxied), '}')
}

// debug appends the members of debugData, whose values are all strings.
func (e *simEvent) debug(b []byte) []byte {
	b = simText(append(b, `"requestId":`...), e.transaction)
	b = simField(b, "requestUri", e.uri)
	b = append(b, `,"threatSuspected":"false"`...)
	if e.place != nil {
		b = append(e.rnd.Name(append(b, `,"dtHash":"`...), 64), '"')
		risk := sim.Pick(e.rnd, []string{"LOW", "LOW", "LOW", "MEDIUM", "HIGH"})
		b = append(append(append(b, `,"risk":"{level=`...), risk...), `}"`...)
		b = append(b, `,"behaviors":"{New Geo-Location=NEGATIVE, New Device=NEGATIVE, New IP=`...)
		b = append(b, sim.Pick(e.rnd, []string{"NEGATIVE", "NEGATIVE", "POSITIVE"})...)
		b = append(b, `, Velocity=NEGATIVE}"`...)
		b = append(b, `,"logOnlySecurityData":"{\"risk\":{\"level\":\"`...)
		b = append(append(b, risk...), `\"},\"behaviors\":{\"New Geo-Location\":\"NEGATIVE\",\"New Device\":\"NEGATIVE\"}}"`...)
	}
	if e.note != "" {
		b = simField(b, "justification", e.note)
	}
	return b
}

// chain appends the addresses the request came by.
func (e *simEvent) chain(b []byte) []byte {
	if e.place == nil {
		return b
	}
	version := "V4"
	for i := range len(e.ip) {
		if e.ip[i] == ':' {
			version = "V6"
		}
	}
	b = simText(append(b, `{"ip":`...), e.ip)
	b = e.place.write(append(b, `,"geographicalContext":`...))
	b = simField(b, "version", version)
	b = append(b, `,"source":null}`...)
	if e.proxied {
		b = append(b, `,{"ip":"192.0.2.80","geographicalContext":null,"version":"V4","source":null}`...)
	}
	return b
}
