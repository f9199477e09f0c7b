package dlp

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp"
	"github.com/longshore-dev/longshore/internal/sim"
	"github.com/longshore-dev/longshore/oracles/procs"
)

func TestMain(m *testing.M) { procs.Main(m) }

// asked are the types that python-stdnum has a module for: type, module, a field's name that is a keyword, and templates of numbers.
// In these 9 is any digit, A any letter, <y>, <Y>, <m>, <d> parts of a date, (a|b) one of these, # and @ each digit and letter in turn.
var asked = []struct{ id, module, field, templates string }{
	{"pii.de_steuerid", "de.idnr", "steuerid", "9999999999#"},
	{"pii.fr_nir", "fr.nir", "nir", "(1|2|7|8)<y><m>(01|75|99)999999##"},
	{"pii.es_dni", "es.dni", "dni", "99999999@"},
	{"pii.uk_nhs", "gb.nhs", "nhs", "999999999#"},
	{"pii.uk_utr", "gb.utr", "utr", "#999999999"},
	{"pii.uk_vat", "gb.vat", "vat", "GB9999999##"},
	{"pii.ie_pps", "ie.pps", "pps", "9999999@ 9999999@(A|B|W)"},
	{"pii.fr_nif", "fr.nif", "nif", "(0|1|2|3|4)999999999###"},
	{"pii.es_nie", "es.nie", "nie", "(X|Y|Z|A)9999999@"},
	{"pii.it_piva", "it.iva", "piva", "9999999(001|058|100|120|888|999|777)#"},
	{"pii.nl_bsn", "nl.bsn", "bsn", "99999999#"},
	{"pii.be_nn", "be.nn", "bnn", "<y><m><d>999##"},
	{"pii.at_svnr", "at.vnr", "svnr", "999#(01|09|28)(01|05|12)<y>"},
	{"pii.ch_ahv", "ch.ssn", "ahv", "756999999999#"},
	{"pii.dk_cpr", "dk.cpr", "cpr", "<d><m>(4|7|8|9)9-(0|1|2|3)999"},
	{"pii.se_pnr", "se.personnummer", "pnr", "<y><m><d>-999# (19)<y><m><d>-999#"},
	{"pii.no_fnr", "no.fodselsnummer", "fnr", "<d><m><y>999##"},
	{"pii.fi_hetu", "fi.hetu", "hetu", "<d><m><y>-999@ <d><m><y>-999# <d><m><y>+999@"},
	{"pii.ee_ik", "ee.ik", "isikukood", "(1|3|4|5|6)<y><m><d>999#"},
	{"pii.pl_pesel", "pl.pesel", "pesel", "<y><m><d>9999#"},
	{"pii.pl_nip", "pl.nip", "nip", "999999999#"},
	{"pii.cz_rc", "cz.rc", "rc", "(5|6|7|8|9)9<m><d>/999#"},
	{"pii.ro_cnp", "ro.cnp", "cnp", "(1|2|5|6)<y><m><d>(01|12|40|52|51|99)999#"},
	{"pii.bg_egn", "bg.egn", "egn", "<y><m><d>999#"},
	{"pii.gr_amka", "gr.amka", "amka", "<d><m><y>9999#"},
	{"pii.hr_oib", "hr.oib", "oib", "9999999999#"},
	{"pii.si_emso", "si.emso", "emso", "<d><m>9<y>50999#"},
	{"pii.pt_nif", "pt.nif", "nif", "99999999#"},
	{"pii.pt_cc", "pt.cc", "bi", "999999999(ZZ|ZY|A1|2B)#"},
	{"pii.tr_tckn", "tr.tckimlik", "tckn", "999999999##"},
	{"pii.ua_rntrc", "ua.rntrc", "rntrc", "999999999#"},
	{"pii.us_itin", "us.itin", "itin", "999-(49|66|70|88|89|90|92|93|94)-9999"},
	{"pii.us_ein", "us.ein", "ein", "99-9999999"},
	{"finance.aba_routing", "us.rtn", "aba", "(00|01|12|21|32|61|72|80)999999#"},
	{"pii.ca_sin", "ca.sin", "sin", "99999999#"},
	{"pii.mx_curp", "mx.curp", "curp", "BOXW<y><m><d>(H|M|Z)(DF|NE|JC|QQ)RXN(0|1|A)#"},
	{"pii.mx_rfc", "mx.rfc", "rfc", "GODE<y><m><d>AA# GAB<y><m><d>9A#"},
	{"pii.br_cpf", "br.cpf", "cpf", "999999999##"},
	{"pii.br_cnpj", "br.cnpj", "cnpj", "999999999999##"},
	{"pii.ar_cuit", "ar.cuit", "cuit", "(20|23|24|27|30|33|34|50|99)-99999999-#"},
	{"pii.cl_rut", "cl.rut", "rut", "99999999-# 9999999-# 99999999-K"},
	{"pii.il_id", "il.idnr", "idnumber", "99999999#"},
	{"pii.in_aadhaar", "in_.aadhaar", "uid", "99999999999#"},
	{"pii.in_pan", "in_.pan", "pan", "AAA(P|C|H|Z|D|F)A9999A"},
	{"pii.au_tfn", "au.tfn", "tfn", "99999999#"},
	{"pii.nz_ird", "nz.ird", "ird", "9999999# 1(0|3|4|5|6)999999#"},
	{"pii.cn_ric", "cn.ric", "idcard", "(110101|360426|440300)<Y><m><d>999# (110101|360426)<Y><m><d>999X"},
	{"pii.jp_mynumber", "jp.in_", "mynumber", "99999999999#"},
	{"pii.kr_rrn", "kr.rrn", "rrn", "<y><m><d>-(1|2)99999#"},
	{"pii.th_pin", "th.pin", "pin", "99999999999#9 (1|3)99999999999#"},
	{"pii.za_id", "za.idnr", "idnumber", "<y><m><d>9999(0|1|5)8#"},
	{"finance.eu_vat", "eu.vat", "vat", "ATU9999999# BE0999999(00|12|45|77|91)## DE99999999# DK9999999# EE99999999# EL99999999# FI9999999# FR##" +
		"(552100554|732829320|404833048) HU9999999# LU999999## MT999999## NL99999999#B(01|02|23) SE999999999#01 SI9999999#"},
	{"finance.btc", "bitcoin", "btc", "1NEDqZPvTWRaoho48qXuLLsrYomMXPABf@ bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t#"},
	{"technical.imei", "imei", "imei", "(35|86|01)999999999999#"},
	{"finance.cusip", "cusip", "cusip", "A9999999# 99A9999A#"},
	{"finance.isin", "isin", "isin", "US999999999# DE0A999999# ZZ999999999#"},
	{"finance.lei", "lei", "lei", "A9999999999999999A##"},
	{"finance.es_ccc", "es.ccc", "ccc", "99999999##9999999999"},
	{"finance.cbu", "ar.cbu", "cbu", "9999999#9999999999999#"},
	{"pii.fr_siret", "fr.siret", "siret", "(732829320|404833048|732829321)9999#"},
	{"pii.es_cif", "es.cif", "cif", "(P|Q)9999999@ (A|B|E)9999999# J9999999@ J9999999#"},
	{"pii.is_kt", "is_.kennitala", "kt", "<d><m><y>-99#(9|0)"},
	{"pii.ru_inn", "ru.inn", "inn", "999999999# 9999999999##"},
	{"health.ca_bc_phn", "ca.bc_phn", "phn", "(9|8)99999999#"},
	{"pii.co_nit", "co.nit", "nit", "999999999-#"},
	{"pii.ec_ci", "ec.ci", "ci", "(17|09|24|30|25)(1|5|6)999999#"},
	{"pii.in_gstin", "in_.gstin", "gst", "(27|22)AAPFU0939F(1|2|3|4|5)Z@ (27|22|39)AAPFU9939F1Z#"},
	{"pii.au_abn", "au.abn", "abn", "##999999999"},
	{"finance.ch_esr", "ch.esr", "esr", "99999999999999999999999999#"},
	{"pii.uk_upn", "gb.upn", "upn", "@(201|301|880|420|840|938)999999999"},
	{"pii.at_tin", "at.tin", "steuernummer", "(03|59|23)-999/999#"},
	{"pii.lt_ak", "lt.asmens", "ak", "(3|4|5)<y><m><d>999#"},
	{"pii.lv_pk", "lv.pvn", "pk", "<d><m><y>-(0|1|2)999# 32(7|8)999-9999#"},
	{"pii.pe_cui", "pe.cui", "cui", "99999999-#"},
	{"pii.pk_cnic", "pk.cnic", "cnic", "99999-9999999-9"},
}

const each = 10_000 // numbers of a type

// fill makes numbers of a template.
func fill(r *sim.Rand, template string) []string {
	out := []string{""}
	add := func(texts ...string) {
		var longer []string
		for _, o := range out {
			for _, t := range texts {
				longer = append(longer, o+t)
			}
		}
		out = longer
	}
	for i := 0; i < len(template); i++ {
		switch c := template[i]; c {
		case '9':
			add(fmt.Sprint(r.N(10)))
		case 'A':
			add(string(rune('A' + r.N(26))))
		case '#':
			add(strings.Split("0123456789", "")...)
		case '@':
			add(strings.Split("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "")...)
		case '<':
			add(map[byte]string{'y': fmt.Sprintf("%02d", r.N(100)), 'Y': fmt.Sprint(1990 + r.N(35)), 'm': fmt.Sprintf("%02d", r.N(14)),
				'd': fmt.Sprintf("%02d", r.N(33))}[template[i+1]])
			i += 2
		case '(':
			end := i + strings.IndexByte(template[i:], ')')
			add(sim.Pick(r, strings.Split(template[i+1:end], "|")))
			i = end
		default:
			add(string(c))
		}
	}
	return out
}

// TestChecksDecideAsStdnum compares verdicts near and off each form. Left out is what is decided otherwise on purpose: groups 50 to 65 of
// ITINs, which the IRS gives out; routing numbers whose first digits are nobody's; days of birth that there are not in Austrian numbers; letters for
// digits, and the other way round, where the kind of a Spanish company has one of them.
func TestChecksDecideAsStdnum(t *testing.T) {
	python := filepath.Join(procs.Python(t, "requirements.txt"), "python")
	set, err := dlp.New(dlp.Options{Packs: dlp.Packs()})
	if err != nil {
		t.Fatal(err)
	}
	scanner := set.Scanner()
	for i, a := range asked {
		r := sim.NewRand(77, uint64(i))
		var numbers []string
		var lines bytes.Buffer
		for len(numbers) < each {
			for template := range strings.FieldsSeq(a.templates) {
				numbers = append(numbers, fill(r, template)...)
			}
		}
		for _, n := range numbers {
			fmt.Fprintf(&lines, "%s\t%s\n", a.module, n)
		}
		cmd := exec.Command(python, "validate.py")
		cmd.Stdin = &lines
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", a.module, err, out)
		}
		verdicts := strings.Fields(string(out))
		if len(verdicts) != len(numbers) {
			t.Fatalf("%s: %d verdicts of %d numbers", a.module, len(verdicts), len(numbers))
		}
		valid, other := 0, []string{}
		for k, n := range numbers {
			found := false
			for _, c := range scanner.Claims([]byte(n), a.field) {
				found = found || c.Type().ID == a.id && c.End-c.Start == len(n)
			}
			if want := verdicts[k] == "1"; want != found {
				other = append(other, fmt.Sprintf("%s: %t, want %t", n, found, want))
			} else if want {
				valid++
			}
		}
		t.Logf("%s: %d numbers, %d valid, %d told otherwise", a.id, len(numbers), valid, len(other))
		if valid < 5 || len(other)*200 > len(numbers) {
			t.Errorf("%s: %d of %d numbers are told otherwise than by stdnum.%s, as %q", a.id, len(other), len(numbers), a.module,
				other[:min(5, len(other))])
		}
	}
}
