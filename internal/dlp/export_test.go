package dlp

import "github.com/longshore-dev/longshore/internal/sim"

// Made is a value of the type at a place in Types, as its issuer would write it, and what may stand before it.
func Made(r *sim.Rand, kind int) (before, value string) {
	n := noise{r}
	switch kind {
	case card, ssn, iban, awsKey, jwt:
		of := map[int]string{card: sim.Card, ssn: sim.SSN, iban: sim.IBAN, awsKey: sim.AWSKey, jwt: sim.JWT}
		return "", sim.Plant(r, of[kind])
	case email:
		return "mail ", "nobody" + n.digits(6) + "@private.example"
	}
	if lettered[uint8(kind)] != nil {
		return "", made(n, uint8(kind))
	}
	return sim.Pick(r, keywordsOf(uint8(kind))), made(n, uint8(kind))
}
