package dlp

import "encoding/hex"

// Each sets what is told of every value that counts, with the text that it stands in: both are valid until it returns. nil = nobody.
func (s *Scanner) Each(see func(text []byte, c Claim)) { s.each = see }

// Hidden says whether the claim is of a detector that counts in rules only.
func (c Claim) Hidden() bool { return c.own != nil && c.own.hidden }

// Print is the fingerprint of a claim's value, as findings have it.
func (s *Scanner) Print(c Claim, value []byte) string {
	if c.own != nil {
		value = s.set.custom.Normal(c.own.at, value)
	} else {
		value = normal(c.kind, value)
	}
	return s.Key(c.Type().ID, value)
}

// Key is a keyed hash of a value of some kind: who has no key cannot try values out.
func (s *Scanner) Key(kind string, value []byte) string {
	sum := s.tally.print(kind, value)
	return hex.EncodeToString(sum[:])
}
