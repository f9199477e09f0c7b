package aws

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// The credential report takes a while to make, and can be made again after four hours.
const (
	simReportTakes = 3 * time.Second
	simReportKeeps = 4 * time.Hour
)

func (s *simCloud) generateReport(c *simCall) (string, *simError) {
	i, now := &c.account.iam, s.o.Now()
	switch {
	case !i.asked.IsZero() && now.Sub(i.asked) < simReportTakes:
		return simTag("State", "INPROGRESS"), nil
	case !i.asked.IsZero() && now.Sub(i.asked) < simReportKeeps:
		return simTag("State", "COMPLETE"), nil
	}
	i.asked = now
	return simTag("State", "STARTED") + simTag("Description", "No report exists. Starting a new report generation task"), nil
}

const simReportHead = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation," +
	"mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
	"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"

func (s *simCloud) credentialReport(c *simCall) (string, *simError) {
	i, now := &c.account.iam, s.o.Now()
	switch {
	case i.asked.IsZero():
		return "", simErr(410, "ReportNotPresent", "No report exists. Please generate a credential report first.")
	case now.Sub(i.asked) < simReportTakes:
		return "", simErr(404, "ReportInProgress", "Report is in progress. Please wait.")
	case now.Sub(i.asked) > simReportKeeps:
		return "", simErr(410, "ReportExpired", "The most recent credential report has expired. To generate a new credential report, use "+
			"GenerateCredentialReport.")
	}
	stamp := func(t time.Time, none string) string {
		if t.IsZero() {
			return none
		}
		return t.UTC().Format("2006-01-02T15:04:05+00:00")
	}
	root := append(strings.Split("<root_account>,"+s.arn("iam", "", c.account.id, "root"), ","), stamp(c.account.joined, ""),
		"not_supported",
		stamp(c.account.joined, ""), "not_supported", "not_supported", "true")
	for range 2 {
		root = append(root, "false", "N/A", "N/A", "N/A", "N/A")
	}
	rows := [][]string{strings.Split(simReportHead, ","), append(root, "false", "N/A", "false", "N/A")}
	for _, u := range i.users {
		row := []string{u.name, u.arn, stamp(u.created, ""), strconv.FormatBool(u.login), "N/A", "N/A", "N/A",
			strconv.FormatBool(len(u.mfa) > 0)}
		if u.login {
			row[4], row[5] = stamp(u.loggedOn, "no_information"), stamp(u.created, "")
		}
		for k := range 2 {
			if k >= len(u.keys) {
				row = append(row, "false", "N/A", "N/A", "N/A", "N/A")
				continue
			}
			key := u.keys[k]
			row = append(row, strconv.FormatBool(key.status == "Active"), stamp(key.created, ""), stamp(key.used, "N/A"), s.home(), "s3")
		}
		rows = append(rows, append(row, "false", "N/A", "false", "N/A"))
	}
	return simTag("Content", base64.StdEncoding.EncodeToString(sim.CSV(rows...))) + simTag("ReportFormat", "text/csv") +
		simTag("GeneratedTime", simStamp(i.asked.Add(simReportTakes))), nil
}

// simulate is SimulatePrincipalPolicy: what the credential may do.
func (s *simCloud) simulate(c *simCall) (string, *simError) {
	var out []string
	for i := 1; c.form.Has("ActionNames.member." + strconv.Itoa(i)); i++ {
		action := c.form.Get("ActionNames.member." + strconv.Itoa(i))
		as := *c
		as.service, as.op, _ = strings.Cut(action, ":")
		decision := "allowed"
		if s.permit(&as) != nil {
			decision = "implicitDeny"
		}
		out = append(out, simTag("EvalActionName", action)+simTag("EvalResourceName", "*")+simTag("EvalDecision",
			decision)+"<MatchedStatements/>"+
			"<MissingContextValues/>")
	}
	return simMembers("EvaluationResults", out, func(v string) string { return v }) + simTag("IsTruncated", "false"), nil
}
