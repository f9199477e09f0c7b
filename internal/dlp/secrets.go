package dlp

import "bytes"

// secrets are keys, tokens and passwords. Sources: the vendors' documents of their formats, and what their tokens look like.
var secrets = map[uint8]detector{
	awsKey: {Type: Type{"secrets.aws_access_key", "AWS access key id", "secrets", 4, `aws amazon iam accesskey accesskeyid awskey secretkey
		credentials`}, exact: true, openings: "AKIA<t16> | ASIA<t16> | ABIA<t16> | ACCA<t16>", check: accountKey},
	awsSecret: {Type: Type{"secrets.aws_secret", "AWS secret access key", "secrets", 4, `aws amazon accesskey secretkey secretaccess`},
		exact: true, least: lenAWSSecret, own: (*scanner).awsSecret, openings: "AKIA | ASIA | aws_secret | AWS_SECRET | awsSecret |" +
			" SecretAccessKey | secretAccessKey | secret_access_key | SECRET_ACCESS_KEY | SecretKey | secretKey | secret_key | Secret"},
	azureStorage: {Type: Type{"secrets.azure_storage", "Azure storage account key", "secrets", 4, `azure accountname storageaccount
		storage connectionstring`}, exact: true, openings: "AccountKey=<b86>=="},
	azureClient: {Type: Type{"secrets.azure_client_secret", "Microsoft Entra client secret", "secrets", 4, `azure entra clientsecret
		appsecret clientid secret tenant`}, exact: true, least: minAzureClient},
	azureSAS: {Type: Type{"secrets.azure_sas", "Azure shared access signature", "secrets", 4, `azure sas sastoken sharedaccess blob
		windows`}, exact: true, openings: "sig=", least: 3 + minSAS, own: (*scanner).sharedAccess},
	azureDevOps: {Type: Type{"secrets.azure_devops_pat", "Azure DevOps access token", "secrets", 4, `azure devops vsts pat azdo
		personalaccess`}, exact: true, least: lenOldDevOps},
	gcpAccount: {Type: Type{"secrets.gcp_service_account", "Google service account key id", "secrets", 3, `serviceaccount gserviceaccount
		privatekey`}, exact: true, forms: "!X{40}", check: hexadecimal},
	google: {Type: Type{"secrets.gcp_api_key", "Google API key", "secrets", 4, `google googleapi gcp gmaps maps firebase apikey apikeys key
		googleapikey youtube gemini`}, exact: true, openings: "AIza<u35>", check: func(v []byte) verdict { return strong(varied(v[4:], 12)) }},
	github: {Type: Type{"secrets.github_token", "GitHub token", "secrets", 4, `github gh ghtoken pat token tokens accesstoken personalaccess
		authorization bearer`}, exact: true, openings: "ghp_<w36> | gho_<w36> | ghu_<w36> | ghs_<w36> | ghr_<w36>", check: summed},
	githubFine: {Type: Type{"secrets.github_fine_pat", "GitHub fine-grained access token", "secrets", 4, `github gh ghtoken pat token
		personalaccess authorization bearer`}, exact: true, openings: "github_pat_<w22>_<w59>"},
	gitlab: {Type: Type{"secrets.gitlab_pat", "GitLab token", "secrets", 4, `gitlab pat token tokens accesstoken personalaccess runner
		deploytoken privatetoken`}, exact: true, openings: "glpat-<u20> | glpat-<u27,300>.<a2><a7> | gldt-<u20> | glrt-<u20> | glft-<u20> |" +
		" glimt-<u25> | glsoat-<u20> | glptt-<x40> | glagent-<u50> | gloas-<u64> | glcbt-<w1,5>_<u20>"},
	slack: {Type: Type{"secrets.slack_token", "Slack token", "secrets", 4, `slack slacktoken slackbot bottoken token tokens apptoken bearer
		authorization`}, exact: true, openings: "xox | xapp", least: minSlack, own: (*scanner).slack},
	slackHook: {Type: Type{"secrets.slack_webhook", "Slack webhook", "secrets", 3, `slack webhook webhooks hook incomingwebhook`}, exact: true,
		openings: "hooks.slack.com/services/<b43,56> | hooks.slack.com/workflows/<b43,56> | hooks.slack.com/triggers/<b43,56>"},
	stripe: {Type: Type{"secrets.stripe_key", "Stripe key", "secrets", 4, `stripe apikey secretkey payment restrictedkey`}, exact: true,
		openings: "sk_live_<w10,99> | sk_test_<w10,99> | sk_prod_<w10,99> | rk_live_<w10,99> | rk_test_<w10,99> | rk_prod_<w10,99>"},
	twilio: {Type: Type{"secrets.twilio", "Twilio API key", "secrets", 4, `twilio apikey sid apisecret`}, exact: true, openings: "SK<X32>"},
	sendgrid: {Type: Type{"secrets.sendgrid", "SendGrid API key", "secrets", 4, `sendgrid apikey mail twilio`}, exact: true,
		openings: "SG.<u22>.<u43>"},
	oktaToken: {Type: Type{"secrets.okta_token", "Okta API token", "secrets", 4, `okta ssws oktatoken apitoken`}, exact: true,
		openings: "!00<e40>"},
	atlassian: {Type: Type{"secrets.atlassian_token", "Atlassian API token", "secrets", 4, `atlassian jira confluence apitoken bitbucket`},
		exact: true, openings: "ATATT3<e186>"},
	registry: {Type: Type{"secrets.npm_pypi_token", "Package registry token", "secrets", 4, `npm pypi registry authtoken twine npmrc npmtoken
		publish`}, exact: true, openings: "npm_<w36> | pypi-AgEIcHlwaS5vcmc<u50,1000>", check: func(v []byte) verdict {
		if v[0] == 'n' {
			return summed(v)
		}
		return strong(varied(v[20:], minVaried))
	}},
	modelKey: {Type: Type{"secrets.openai_anthropic", "OpenAI or Anthropic API key", "secrets", 4, `openai anthropic claude gpt chatgpt apikey
		llm`}, exact: true, openings: "sk-<w20>T3BlbkFJ<w20> | sk-proj-<u74>T3BlbkFJ<u74> | sk-proj-<u58>T3BlbkFJ<u58> |" +
		" sk-svcacct-<u74>T3BlbkFJ<u74> | sk-svcacct-<u58>T3BlbkFJ<u58> | sk-admin-<u74>T3BlbkFJ<u74> | sk-admin-<u58>T3BlbkFJ<u58> |" +
		" sk-ant-api03-<u93>AA | sk-ant-admin01-<u93>AA"},
	serviceToken: {Type: Type{"secrets.service_token", "Token of a service", "secrets", 4, `token apikey accesstoken secret bearer
		authorization`}, exact: true, openings: "dop_v1_<x64> | doo_v1_<x64> | dor_v1_<x64> | shpat_<X32> | shpca_<X32> | shppa_<X32> |" +
		" shpss_<X32> | hf_<w34> | dapi<x32> | lin_api_<w40> | dckr_pat_<u27> | dckr_oat_<u32> | dp.pt.<w43> | glsa_<w32>_<X8> |" +
		" pul-<x40> | pscale_tkn_<u32,64> | pscale_pw_<u32,64> | rubygems_<x48> | sq0atp-<u22> | sq0csp-<u43> | hvs.<u90,120> |" +
		" hvb.<u138,212> | ntn_<d11><w35> | secret_<w43> | tfp_<w59> | fo1_<u43> | EZAK<w54> | EZTK<w54> | PMAK-<x24>-<x34>"},
	jwt: {Type: Type{"secrets.jwt", "JSON web token", "secrets", 4, `jwt jwts bearer authorization authentication token tokens idtoken
		accesstoken refreshtoken apikey session cookie`}, exact: true, openings: "eyJ", least: minJWT, own: (*scanner).jwt},
	privateKey: {Type: Type{"secrets.private_key", "Private key", "secrets", 4, `privatekey rsa ssh openssh pem pkcs8 idrsa keyfile signingkey
		secretkey`}, openings: "BEGIN", least: minPEM, own: (*scanner).privateKey},
	pgpKey: {Type: Type{"secrets.putty_pgp_key", "PuTTY or OpenPGP private key", "secrets", 4, `putty ppk pgp gpg openpgp privatekey ssh
		secretkey`}, openings: "BEGIN | PuTTY", least: minPEM, own: (*scanner).otherKey},
	httpAuth: {Type: Type{"secrets.http_auth", "HTTP credentials", "secrets", 3, `curl http https header headers request`}, exact: true,
		openings: "Authorization | authorization | AUTHORIZATION", least: len("Authorization: Basic ") + minBasic, own: (*scanner).httpAuth},
	connection: {Type: Type{"secrets.db_connection", "Connection string with a password", "secrets", 4, `connectionstring database jdbc dsn
		datasource databaseurl connstr dburl`}, exact: true, least: minConnection, own: (*scanner).password,
		openings: "Password | Pwd | password | pwd | PASSWORD | PWD"},
	generic: {Type: Type{"secrets.generic_secret", "Password or secret in an assignment", "secrets", 3, ``}, exact: true, least: minGeneric},
}

// hexadecimal is for digests of keys.
func hexadecimal(v []byte) verdict {
	return loosely(len(bytes.Trim(v, "0123456789ABCDEF")) == 0 && varied(v, minVaried))
}
