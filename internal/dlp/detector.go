package dlp

import (
	"fmt"
	"slices"
	"strings"
)

// Type is a kind of sensitive data.
type Type struct {
	ID       string // pack, dot, id: "pci.credit_card"
	Name     string // for people
	Pack     string // the pack that brings it: "pci", "pii/us"
	Severity int    // of a finding, 1 (low) to 4 (critical)

	keywords []string // lower case, words joined without a space; they raise the confidence
}

// Version of the detectors: findings by different versions may differ.
const Version = "1"

// The detectors, by their place in types.
const (
	card = iota
	ssn
	iban
	email
	awsKey
	jwt
	detectors
)

var types = [detectors]Type{
	card: {"pci.credit_card", "Payment card number", "pci", 3, words(`card cards creditcard debitcard cardnumber cc ccn pan visa mastercard
		amex americanexpress discover diners jcb unionpay maestro cvv cvv2 cvc cvc2 csc expiry expires expiration exp expdate cardholder
		kreditkarte kartennummer cartebancaire cartedecredit tarjeta`)},
	ssn: {"pii.us_ssn", "US social security number", "pii/us", 3, words(`ssn ssns ssnumber ssno socialsecurity socsec socialsec socialsecurityno
		socialsecuritynumber taxpayer taxid itin`)},
	iban: {"finance.iban", "International bank account number", "finance", 2, words(`iban ibans account accounts bankaccount accountnumber bank
		banking bic swift konto kontonummer compte cuenta sepa`)},
	email: {"pii.email", "E-mail address", "pii/contact", 1, words(`email emails emailaddress mail mails mailto mailbox contact courriel
		correo`)},
	awsKey: {"secrets.aws_access_key", "AWS access key id", "secrets", 4, words(`aws amazon iam accesskey accesskeyid awsaccesskey
		awsaccesskeyid awssecret secretkey secretaccesskey credentials`)},
	jwt: {"secrets.jwt", "JSON web token", "secrets", 4, words(`jwt jwts bearer authorization authentication token tokens idtoken accesstoken
		refreshtoken apikey session cookie`)},
}

func words(s string) []string { return strings.Fields(s) }

// Types are all types of sensitive data that there are detectors for.
func Types() []Type { return slices.Clone(types[:]) }

// Packs are the names under which detectors are turned on, sorted: a pack, or the first part of packs with a slash.
func Packs() []string {
	var out []string
	for _, t := range types {
		out = append(out, t.Pack)
		if first, _, ok := strings.Cut(t.Pack, "/"); ok {
			out = append(out, first)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// CheckPacks says which pack has no detectors.
func CheckPacks(packs []string) error {
	known := Packs()
	for _, p := range packs {
		if !slices.Contains(known, p) {
			return fmt.Errorf("no detector pack is called %q: want any of %s", p, strings.Join(known, ", "))
		}
	}
	return nil
}

// in says whether a pack is wanted.
func in(pack string, wanted []string) bool {
	first, _, _ := strings.Cut(pack, "/")
	return slices.Contains(wanted, pack) || slices.Contains(wanted, first)
}
