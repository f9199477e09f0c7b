package dlp

import (
	"strconv"
	"strings"
	"testing"

	"github.com/zricethezav/gitleaks/v8/detect"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/sim"
)

// leaked are the secrets that gitleaks has a rule for: our type, its rule, and lines with one. <w36> is 36 characters of a class, <w9,12>
// is 9 to 12; what is between braces is the secret.
var leaked = []struct{ id, rule, text string }{
	{"secrets.aws_access_key", "aws-access-token", "key = {AKIA<t16>}"},
	{"secrets.azure_client_secret", "azure-ad-client-secret", "secret = '{<w3>8Q~<u31,34>}'"},
	{"secrets.gcp_api_key", "gcp-api-key", "key={AIza<u35>}"},
	{"secrets.github_token", "github-pat", "token: {ghp_<w36>}"},
	{"secrets.github_token", "github-oauth", "token: {gho_<w36>}"},
	{"secrets.github_token", "github-refresh-token", "token: {ghr_<w36>}"},
	{"secrets.github_token", "github-app-token", "token: {ghs_<w36>}"},
	{"secrets.github_fine_pat", "github-fine-grained-pat", "token: {github_pat_<w22>_<w59>}"},
	{"secrets.gitlab_pat", "gitlab-pat", "token: {glpat-<u20>}"},
	{"secrets.gitlab_pat", "gitlab-pat-routable", "token: {glpat-<u27,60>.<a2><a7>}"},
	{"secrets.gitlab_pat", "gitlab-deploy-token", "token: {gldt-<u20>}"},
	{"secrets.gitlab_pat", "gitlab-runner-authentication-token", "token: {glrt-<u20>}"},
	{"secrets.gitlab_pat", "gitlab-ptt", "token: {glptt-<x40>}"},
	{"secrets.slack_token", "slack-bot-token", "token: {xoxb-<d11>-<d12>-<w24>}"},
	{"secrets.slack_webhook", "slack-webhook-url", "url: https://{hooks.slack.com/services/<A9>/<A11>/<w24>}"},
	{"secrets.stripe_key", "stripe-access-token", "key: {sk_live_<w24,60>}"},
	{"secrets.twilio", "twilio-api-key", "key: {SK<x32>}"},
	{"secrets.sendgrid", "sendgrid-api-token", "key: {SG.<u22>.<u43>}"},
	{"secrets.okta_token", "okta-access-token", "okta_token = '{00<u40>}'"},
	{"secrets.atlassian_token", "atlassian-api-token", "jira: {ATATT3<u177>=<X8>}"},
	{"secrets.npm_pypi_token", "npm-access-token", "token: {npm_<a36>}"},
	{"secrets.npm_pypi_token", "pypi-upload-token", "token: {pypi-AgEIcHlwaS5vcmc<u60,120>}"},
	{"secrets.openai_anthropic", "openai-api-key", "key: {sk-<w20>T3BlbkFJ<w20>}"},
	{"secrets.openai_anthropic", "openai-api-key", "key: {sk-proj-<u74>T3BlbkFJ<u74>}"},
	{"secrets.openai_anthropic", "anthropic-api-key", "key: {sk-ant-api03-<u93>AA}"},
	{"secrets.openai_anthropic", "anthropic-admin-api-key", "key: {sk-ant-admin01-<u93>AA}"},
	{"secrets.service_token", "digitalocean-pat", "token: {dop_v1_<x64>}"},
	{"secrets.service_token", "shopify-access-token", "token: {shpat_<X32>}"},
	{"secrets.service_token", "huggingface-access-token", "token: {hf_<l34>}"},
	{"secrets.service_token", "databricks-api-token", "token: {dapi<x32>}"},
	{"secrets.service_token", "linear-api-key", "token: {lin_api_<a40>}"},
	{"secrets.service_token", "doppler-api-token", "token: {dp.pt.<a43>}"},
	{"secrets.service_token", "grafana-service-account-token", "token: {glsa_<w32>_<X8>}"},
	{"secrets.service_token", "pulumi-api-token", "token: {pul-<x40>}"},
	{"secrets.service_token", "planetscale-api-token", "token: {pscale_tkn_<u32,64>}"},
	{"secrets.service_token", "rubygems-api-token", "token: {rubygems_<x48>}"},
	{"secrets.service_token", "vault-service-token", "token: {hvs.<u90,120>}"},
	{"secrets.service_token", "vault-batch-token", "token: {hvb.<u138,212>}"},
	{"secrets.service_token", "notion-api-token", "token: {ntn_<d11><w35>}"},
	{"secrets.service_token", "postman-api-token", "token: {PMAK-<x24>-<x34>}"},
	{"secrets.service_token", "easypost-api-token", "token: {EZAK<a54>}"},
	{"secrets.jwt", "jwt", "token: {eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi<w40>.<u43>}"},
}

// TestSecretsAreToldAsGitleaksTellsThem compares verdicts on tokens of each format and near it: one character less, one more, one of
// another kind. Left out is what is decided otherwise on purpose: the beginning of a longer token is none; a token of Slack has its last
// part; what follows a token may be any mark.
func TestSecretsAreToldAsGitleaksTellsThem(t *testing.T) {
	theirs, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		t.Fatal(err)
	}
	set, err := dlp.New(dlp.Options{Packs: []string{"secrets"}})
	if err != nil {
		t.Fatal(err)
	}
	ours := set.Scanner()
	for i, l := range leaked {
		r, other, both := sim.NewRand(78, uint64(i)), []string{}, 0
		for n := range 600 {
			text, start, end := bear(r, l.text)
			switch n % 6 {
			case 3: // one less
				text, end = text[:end-1]+text[end:], end-1
			case 4:
				text, end = text[:end]+"7"+text[end:], end+1
			case 5:
				k := start + r.N(end-start)
				text = text[:k] + "!" + text[k+1:]
			}
			we, they := false, false
			for _, c := range ours.Claims([]byte(text), "") {
				we = we || c.Type().ID == l.id && c.Start < end && c.End > start
			}
			for _, f := range theirs.DetectString(text) {
				they = they || f.RuleID == l.rule
			}
			switch {
			case n%6 == 4 && !we, n%6 == 5 && l.id == "secrets.slack_token" && !we, n%6 == 5 && we && !they:
			case we != they:
				other = append(other, strconv.FormatBool(we)+": "+text)
			case we:
				both++
			}
		}
		t.Logf("%s as %s: 600 texts, %d told by both, %d told otherwise", l.id, l.rule, both, len(other))
		if both < 200 || len(other) > 6 {
			t.Errorf("%s as %s: %d of 600 are told otherwise, %d by both, as %q", l.id, l.rule, len(other), both, other[:min(4, len(other))])
		}
	}
}

const letters = "0123456789abcdefABCDEFghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ"

// alphabets are those of the classes.
var alphabets = map[byte]string{'d': letters[:10], 'x': letters[:16], 'X': letters[:10] + letters[16:22], 'w': letters, 'u': letters + "-_",
	'a': letters[:16] + letters[22:42], 'A': letters[:10] + letters[16:22] + letters[42:], 't': "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
	'l': letters[10:16] + letters[22:42]}

// bear fills a line in and says where the secret is. Hyphens end no run.
func bear(r *sim.Rand, template string) (text string, start, end int) {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		switch c := template[i]; c {
		case '{':
			start = b.Len()
		case '}':
			end = b.Len()
		case '<':
			close := i + strings.IndexByte(template[i:], '>')
			of := alphabets[template[i+1]]
			from, to, ranged := strings.Cut(template[i+2:close], ",")
			n, _ := strconv.Atoi(from)
			if ranged {
				most, _ := strconv.Atoi(to)
				n += r.N(most - n + 1)
			}
			for k := range n {
				c := of[r.N(len(of))]
				if k == 0 || k == n-1 {
					c = of[r.N(min(len(of), 16))]
				}
				b.WriteByte(c)
			}
			i = close
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), start, end
}
