package analysts

import "slices"

// answers are what the story says to each question, found by reading story_test.go and not by asking. A row is its columns.
var answers = map[string][]string{
	"01-sign-ins-without-second-factor": {"Box | stolen", "Payroll | stolen", "Wiki | denied"},
	"02-password-spray":                 {sprayer + " | 12"}, // ten accounts, two names that are none
	"03-admin-roles-granted-and-held":   {"heidi.hall@contoso.example | alice.arnold@contoso.example"},
	"04-oauth-grants-to-mail-and-files": {
		"Drive Reader | 00u0dav0000000000013 | drive.readonly",
		"MailSync Pro | 00u0bob0000000000011 | files.read.all",
		"MailSync Pro | 00u0bob0000000000011 | mail.read",
	},
	"05-files-with-findings-shared-outside": {"customers.csv | pci.credit_card",
		"payroll.csv | pci.credit_card"},
	"06-mass-downloads":              {"bob.baker@contoso.example | 60"},
	"07-active-here-suspended-there": {"erin.evans@contoso.example"},
	"08-everything-one-user-did":     ofBob,
	"09-what-governance-changed":     {"suspend_user | kim.kang@contoso.example | "},
	"10-mfa-reset-then-new-address":  {"bob.baker@contoso.example | " + attacker, "ivan.ito@contoso.example | " + cabin},
	"11-countries-never-seen":        {"bob.baker@contoso.example | Romania", "dave.diaz@contoso.example | Norway"},
	"12-dormant-administrators":      {"grace.green@contoso.example"},
	"13-tokens-created":              {"heidi.hall@contoso.example | 00Tbackup"},
	"14-policies-weakened": {
		"alice.arnold@contoso.example | SHIELD_INFORMATION_BARRIER_DISABLED | ",
		"heidi.hall@contoso.example | policy.rule.deactivate | Second factor for everybody",
		"heidi.hall@contoso.example | policy.rule.delete | Old devices",
		"heidi.hall@contoso.example | system.log_stream.lifecycle.deactivate | To the SIEM",
	},
	"15-public-links-created":   {"payroll.csv | bob.baker@contoso.example"},
	"16-external-collaborators": {"evil.example | 1", "partner.example | 2"}, // a folder, and the file in it
	"17-applications-installed": {"Box Sync Robot | alice.arnold@contoso.example", "Data Exporter | heidi.hall@contoso.example"},
	"18-failed-admin-console":   {"bob.baker@contoso.example | " + attacker, "ivan.ito@contoso.example | 198.51.100.9"},
	"19-files-not-scanned": {
		"broken.docx | not_scanned | a damaged archive: it has no directory",
		"video.mp4 | not_scanned | it has 104857600 bytes, more than max_size, 64MiB",
	},
	"20-collection-health":   {"box | content | 1", "box | files | 1"}, // memo.txt, which is gone; what Grace has
	"21-alerts-of-providers": {"box | SHIELD_ALERT | Downloads of a month", "okta | security.threat.detected | "},
	"22-changes-to-admin-groups": {
		"IT Admins | carol.chen@contoso.example | group_member_add",
		"IT Admins | ivan.ito@contoso.example | group_member_remove",
	},
	"23-deleted-then-restored": {"contract.docx"},
	"24-accounts-without-second-factor": {"bob.baker@contoso.example",
		"ivan.ito@contoso.example"},
	"25-old-credentials": {"api_token | 00Told | 00u0ali0000000000010"},
}

// ofBob is what was done in Bob's name, from the first attempt on.
var ofBob = slices.Concat([]string{
	"okta | user.session.start | failure",
	"okta | user.session.start | success",
	"okta | user.authentication.sso | success",
	"okta | user.authentication.sso | success",
	"okta | app.oauth2.consent.grant | success",
	"okta | user.session.access_admin_app | failure",
	"box | LOGIN | success",
}, slices.Repeat([]string{"box | DOWNLOAD | "}, 60), []string{
	"box | SHIELD_ALERT | ",
	"box | ITEM_SHARED_CREATE | ",
	"box | COLLABORATION_INVITE | ",
})
