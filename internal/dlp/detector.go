package dlp

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Type is a kind of sensitive data.
type Type struct {
	ID       string // pack, dot, id: "pci.credit_card"
	Name     string // for people
	Pack     string // the pack that brings it: "pci", "pii/us"
	Severity int    // of a finding, 1 (low) to 4 (critical)

	// In lower case, those of two words written as one; they raise the confidence. Accents do not matter. Those of scripts without
	// spaces may stand within other letters.
	keywords string
}

// Version is that of the detectors: another one may find other things in the same text.
const Version = "5"

// The detectors, by their place in types.
const (
	card = iota
	ssn
	iban
	email
	awsKey
	jwt
	nino
	steuerID
	nir
	dni
	fiscalCode
	github
	slack
	google
	privateKey
	ukNHS
	ukUTR
	ukVAT
	ukDL
	ukPassport
	iePPS
	deID
	dePassport
	frCNI
	frNIF
	frPassport
	esNIE
	esNSS
	itPIVA
	nlBSN
	beNN
	atSVNR
	chAHV
	dkCPR
	sePNR
	noFNR
	fiHETU
	eeIK
	plPESEL
	plNIP
	plID
	czRC
	roCNP
	bgEGN
	grAMKA
	hrOIB
	siEMSO
	ptNIF
	ptCC
	trTCKN
	uaRNTRC
	usITIN
	usEIN
	usPassport
	usDL
	usNPI
	usDEA
	usMBI
	usPhone
	usABA
	usAccount
	caSIN
	caTransit
	mxCURP
	mxRFC
	mxCLABE
	brCPF
	brCNPJ
	arDNI
	arCUIT
	clRUT
	ilID
	inAadhaar
	inPAN
	auTFN
	auMedicare
	auBSB
	nzIRD
	sgNRIC
	myNRIC
	hkHKID
	twID
	cnRIC
	jpMyNumber
	krRRN
	thPIN
	idNIK
	pkCNIC
	zaID
	saID
	aeEID
	egNID
	awsSecret
	azureStorage
	azureClient
	azureSAS
	azureDevOps
	gcpAccount
	githubFine
	gitlab
	slackHook
	stripe
	twilio
	sendgrid
	oktaToken
	atlassian
	registry
	modelKey
	serviceToken
	pgpKey
	httpAuth
	connection
	generic
	ipAddr
	macAddr
	imei
	dob
	swiftBIC
	ukSort
	phone
	btc
	eth
	seedPhrase
	mrz
	track1
	track2
	euVAT
	cusip
	isin
	lei
	esCCC
	arCBU
	usATIN
	usPTIN
	vin
	frSIRET
	esCIF
	isKT
	huTAJ
	ruINN
	caPHN
	coNIT
	ecCI
	inGSTIN
	auABN
	jpPassport
	itDL
	phUMID
	nzNHI
	deSVNR
	luID
	chESR
	xmr
	ukElectoral
	ukUPN
	deSTNR
	deDL
	atTIN
	ltAK
	lvPK
	peCUI
	icd10
	ndc
	usMRN
	detectors
)

var table = tables(basic, secrets, national, europe, americas, asia, technical, wallets, documents, vat, further, rarer)

// basic are those with code of their own.
var basic = map[uint8]detector{
	card: {Type: Type{"pci.credit_card", "Payment card number", "pci", 3, `card cards creditcard debitcard cardnumber cc ccn pan visa
		mastercard amex americanexpress discover diners dinersclub jcb unionpay maestro cvv cvv2 cvc cvc2 csc expiry expires expiration exp
		expdate cardholder kreditkarte kartennummer cartebancaire tarjeta`}},
	ssn: {Type: Type{"pii.us_ssn", "US social security number", "pii/us", 3, `ssn ssns ssnumber ssno socialsecurity socsec taxpayer taxid`}},
	iban: {Type: Type{"finance.iban", "International bank account number", "finance", 2, `iban ibans account accounts bankaccount accountnumber
		bank banking bic swift sepa konto kontonummer compte cuenta`}, least: minIBAN, own: (*scanner).iban,
		openings: strings.Join(slices.Sorted(maps.Keys(ibans)), " | "), then: 'd'},
	email: {Type: Type{"pii.email", "E-mail address", "pii/contact", 1, `email emails emailaddress mail mails mailto mailbox contact courriel
		correo`}, least: minEmail},
}

// tables puts tables into one.
func tables(of ...map[uint8]detector) (all [detectors]detector) {
	for _, m := range of {
		for kind, d := range m {
			all[kind] = d
		}
	}
	return all
}

// Types are all kinds of sensitive data that there are detectors for.
func Types() []Type {
	out := make([]Type, 0, detectors)
	for i := range table {
		out = append(out, table[i].Type)
	}
	return out
}

// Packs are the names under which detectors are turned on, sorted. The first part of a name with a slash stands for all
// that begin with it.
func Packs() []string {
	var out []string
	for _, t := range table {
		first, _, _ := strings.Cut(t.Pack, "/")
		out = append(out, t.Pack, first)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// CheckPacks says which name is no pack.
func CheckPacks(packs []string) error {
	known := Packs()
	for _, p := range packs {
		if !slices.Contains(known, p) {
			return fmt.Errorf("no detector pack is called %q: want any of %s", p, strings.Join(known, ", "))
		}
	}
	return nil
}

func wanted(pack string, packs []string) bool {
	first, _, _ := strings.Cut(pack, "/")
	return slices.Contains(packs, pack) || slices.Contains(packs, first)
}
