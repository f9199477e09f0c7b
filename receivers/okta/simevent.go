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

func (p simParty) write(b []byte) []byte {
	b = sim.Text(append(b, `{"id":`...), p.id)
	b = sim.Field(b, "type", p.kind)
	b = sim.Field(b, "alternateId", p.alternate)
	b = sim.Field(b, "displayName", p.name)
	return append(b, `,"detailEntry":null}`...)
}

// write appends the event as the API gives it.
func (e *simEvent) write(b []byte) []byte {
	b = sim.Text(append(b, `{"uuid":`...), e.uuid)
	b = append(b, `,"published":"`...)
	b = e.at.UTC().AppendFormat(b, simTime)
	b = append(b, '"')
	b = sim.Field(b, "eventType", e.kind)
	b = append(b, `,"version":"0"`...)
	b = sim.Field(b, "severity", e.severity)
	b = sim.Field(b, "legacyEventType", e.legacy)
	b = sim.Field(b, "displayMessage", e.message)
	b = e.actor.write(append(b, `,"actor":`...))
	b = e.client(append(b, `,"client":`...))
	b = append(b, `,"authenticationContext":{"authenticationProvider":null,"credentialProvider":null,"credentialType":null,`+
		`"issuer":null,"interface":null,"authenticationStep":0`...)
	b = sim.Field(b, "externalSessionId", e.session)
	b = sim.Text(append(b, `},"outcome":{"result":`...), e.result)
	b = sim.Field(b, "reason", e.reason)
	b = e.security(append(b, `},"securityContext":`...))
	b = e.debug(append(b, `,"debugContext":{"debugData":{`...))
	b = append(b, `}},"transaction":{"type":"WEB"`...)
	if e.place == nil {
		b = append(b[:len(b)-4], `JOB"`...)
	}
	b = sim.Field(b, "id", e.transaction)
	b = append(b, `,"detail":{`...)
	if e.apiToken != "" {
		b = sim.Text(append(b, `"requestApiTokenId":`...), e.apiToken)
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
	b = sim.Text(append(b, `{"userAgent":{"rawUserAgent":`...), e.agent)
	b = sim.Field(b, "os", e.os)
	b = sim.Field(b, "browser", e.browser)
	b = append(b, '}')
	b = sim.Field(b, "zone", e.zone)
	device := "Computer"
	if e.os == "iOS" || e.os == "Android" {
		device = "Mobile"
	}
	b = sim.Field(b, "device", device)
	b = append(b, `,"id":null`...)
	b = sim.Field(b, "ipAddress", e.ip)
	b = e.place.write(append(b, `,"geographicalContext":`...))
	return append(b, '}')
}

func (p *simPlace) write(b []byte) []byte {
	b = sim.Text(append(b, `{"city":`...), p.city)
	b = sim.Field(b, "state", p.state)
	b = sim.Field(b, "country", p.country)
	b = sim.Field(b, "postalCode", p.postal)
	b = append(append(b, `,"geolocation":{"lat":`...), p.lat...)
	b = append(append(b, `,"lon":`...), p.lon...)
	return append(b, "}}"...)
}

func (e *simEvent) security(b []byte) []byte {
	if e.place == nil {
		return append(b, `{"asNumber":null,"asOrg":null,"isp":null,"domain":null,"isProxy":null}`...)
	}
	b = strconv.AppendInt(append(b, `{"asNumber":`...), int64(e.place.as), 10)
	b = sim.Field(b, "asOrg", e.place.asOrg)
	b = sim.Field(b, "isp", e.place.asOrg)
	b = sim.Field(b, "domain", e.place.domain)
	return append(strconv.AppendBool(append(b, `,"isProxy":`...), e.proxied), '}')
}

// debug appends the members of debugData, whose values are all strings.
func (e *simEvent) debug(b []byte) []byte {
	b = sim.Text(append(b, `"requestId":`...), e.transaction)
	b = sim.Field(b, "requestUri", e.uri)
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
		b = sim.Field(b, "justification", e.note)
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
	b = sim.Text(append(b, `{"ip":`...), e.ip)
	b = e.place.write(append(b, `,"geographicalContext":`...))
	b = sim.Field(b, "version", version)
	b = append(b, `,"source":null}`...)
	if e.proxied {
		b = append(b, `,{"ip":"192.0.2.80","geographicalContext":null,"version":"V4","source":null}`...)
	}
	return b
}
