package sim

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// The data types that fakes plant, as findings name them.
const (
	Card   = "pci.credit_card"
	SSN    = "pii.us_ssn"
	IBAN   = "finance.iban"
	AWSKey = "secrets.aws_access_key"
	JWT    = "secrets.jwt"
)

// PlantTypes are the planted data types, in the order in which Plant takes turns.
var plantTypes = [...]string{Card, SSN, IBAN, AWSKey, JWT}

// every is how many records come to one that holds a value, and to one that holds a decoy.
const every = 200

// Planted says whether record i of a kind of records holds a value, and of which type; decoy = it holds something that
// only looks like one. One record in 200 is planted, at a place of its own in each 200.
func Planted(seed int64, kind, i uint64) (dataType string, decoy bool) {
	h := Hash(seed, 5, kind, i/every)
	at, fake := h%every, (h>>16)%every
	switch i % every {
	case at:
		return plantTypes[(h>>32)%uint64(len(plantTypes))], false
	case fake:
		return "", true
	}
	return "", false
}

// CountPlanted counts the planted among the first n records of a kind, by type.
func CountPlanted(seed int64, kind uint64, n int) map[string]int {
	count := map[string]int{}
	for first := uint64(0); first < uint64(n); first += every {
		if at := first + Hash(seed, 5, kind, first/every)%every; at < uint64(n) {
			t, _ := Planted(seed, kind, at)
			count[t]++
		}
	}
	return count
}

// everyFile is how many files come to one that holds a value, and to one that holds a decoy.
const everyFile = 25

// PlantedFile is Planted for file i: one in 25 is planted.
func PlantedFile(seed int64, i int) (dataType string, decoy bool) {
	h := Hash(seed, 60, uint64(i/everyFile))
	switch i % everyFile {
	case int(h % everyFile):
		return plantTypes[(h>>32)%uint64(len(plantTypes))], false
	case int((h >> 16) % everyFile):
		return "", true
	}
	return "", false
}

// CountPlantedFiles counts, by type, those that PlantedFile names of the first n files that can be read.
func CountPlantedFiles(seed int64, n int, readable func(i int) bool) map[string]int {
	count := map[string]int{}
	for first := 0; first < n; first += everyFile {
		i := first + int(Hash(seed, 60, uint64(first/everyFile))%everyFile)
		if i >= n || !readable(i) {
			continue
		}
		t, _ := PlantedFile(seed, i)
		count[t]++
	}
	return count
}

// Plant is a sentence with a valid value of the data type, the keyword beside it.
func Plant(r *Rand, dataType string) string {
	switch dataType {
	case Card:
		return "paid with card " + grouped(card(r, 16), r.N(3)) + " exp 09/29"
	case SSN:
		return "payroll asked for SSN " + ssn(r)
	case IBAN:
		v := iban(r)
		if r.N(2) == 0 {
			v = grouped(v, 1)
		}
		return "refund to IBAN " + v
	case AWSKey:
		return "aws access key id AKIA" + pick(r, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
	case JWT:
		return "Authorization: Bearer " + jwt(r)
	}
	panic("plant: no such data type: " + dataType)
}

// Decoy is a sentence with something that looks like a value and is none.
func Decoy(r *Rand) string {
	switch r.N(5) {
	case 0:
		c := []byte(card(r, 16))
		c[15] = '0' + (c[15]-'0'+1+byte(r.N(9)))%10 // a wrong check digit
		return "order " + string(c)
	case 1:
		return "SSN 000-" + pick(r, 2, "123456789") + "-" + pick(r, 4, "123456789") + " was a placeholder"
	case 2:
		return "trace " + string(r.UUID(nil))
	case 3:
		return "meter " + "9" + pick(r, 39, "0123456789")
	}
	v := []byte(iban(r))
	v[2] = '0' + (v[2]-'0'+1)%10 // wrong check digits
	return "reference " + string(v)
}

func pick(r *Rand, n int, from string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = from[r.N(len(from))]
	}
	return string(b)
}

// grouped writes groups of four: run together, with spaces, with hyphens.
func grouped(s string, how int) string {
	if how == 0 {
		return s
	}
	var out []string
	for ; len(s) > 4; s = s[4:] {
		out = append(out, s[:4])
	}
	return strings.Join(append(out, s), string(" -"[how-1]))
}

// card is a number that passes Luhn's check, of an issuer's range.
func card(r *Rand, n int) string {
	prefix := Pick(r, []string{"4539", "4716", "5254", "5378", "6011"})
	body := prefix + pick(r, n-1-len(prefix), "0123456789")
	return body + luhn(body)
}

// luhn is the check digit of a card number.
func luhn(body string) string {
	sum := 0
	for i := range len(body) {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return strconv.Itoa((10 - sum%10) % 10)
}

// cardless says that no groups of the number, run together, could be taken for a card.
func cardless(v string) bool {
	groups := strings.Fields(grouped(v, 1))
	for i := range groups {
		for j := i + 1; j <= len(groups); j++ {
			s := strings.Join(groups[i:j], "")
			if k := len(s) - 1; k >= 12 && strings.Trim(s, "0123456789") == "" && luhn(s[:k]) == s[k:] {
				return false
			}
		}
	}
	return true
}

func ssn(r *Rand) string {
	area := 100 + r.N(500) // neither 000, 666, 9xx nor the areas of the published fakes
	if area == 219 || area == 457 {
		area++
	}
	return fmt.Sprintf("%03d-%02d-%04d", area, 1+r.N(98), 1000+r.N(8900))
}

func iban(r *Rand) string {
	for {
		if v := anyIBAN(r); cardless(v) {
			return v
		}
	}
}

func anyIBAN(r *Rand) string {
	country, body := "DE", pick(r, 18, "123456789")
	switch r.N(3) {
	case 1:
		country, body = "GB", Pick(r, []string{"NWBK", "BARC", "MIDL"})+pick(r, 14, "123456789")
	case 2:
		country, body = "NL", Pick(r, []string{"ABNA", "INGB", "RABO"})+pick(r, 10, "123456789")
	}
	var digits strings.Builder
	for _, c := range body + country + "00" {
		if c >= 'A' {
			digits.WriteString(strconv.Itoa(int(c-'A') + 10))
		} else {
			digits.WriteRune(c)
		}
	}
	n, _ := new(big.Int).SetString(digits.String(), 10)
	rest := new(big.Int).Mod(n, big.NewInt(97)).Int64()
	return fmt.Sprintf("%s%02d%s", country, 98-rest, body)
}

func jwt(r *Rand) string {
	e := base64.RawURLEncoding.EncodeToString
	sign := make([]byte, 32)
	for i := range sign {
		sign[i] = byte(r.Next())
	}
	claims := fmt.Sprintf(`{"sub":"%s","aud":"https://api.example.com","exp":%d}`, r.Name(nil, 12), 1790000000+r.N(10000000))
	return e([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + e([]byte(claims)) + "." + e(sign)
}
