package dlp

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/tyler-smith/go-bip39"
	"github.com/tyler-smith/go-bip39/wordlists"
	"golang.org/x/crypto/sha3"
)

// wallets are addresses of cryptocurrencies, and the words that open a wallet.
var wallets = map[uint8]detector{
	btc: {Type: Type{"finance.btc", "Bitcoin address", "finance", 1, `bitcoin btc wallet wallets satoshi crypto address`}, exact: true,
		openings: "1<c25,33> | 3<c25,33> | bc1<l39> | bc1<l59>", check: bitcoin},
	eth: {Type: Type{"finance.eth", "Ethereum address", "finance", 1, `ethereum eth ether wallet wallets erc20 crypto address`}, exact: true,
		openings: "0x<X40>", check: ethereum},
	seedPhrase: {Type: Type{"secrets.bip39_seed", "Seed phrase of a wallet", "secrets", 4, `seed mnemonic recovery seedphrase wallet
		recoveryphrase`}, exact: true, least: minSeed, own: (*scanner).seed,
		openings: "seed | Seed | SEED | mnemonic | Mnemonic | MNEMONIC | recovery | Recovery | RECOVERY | wallet | Wallet"},
}

// bitcoin checks Base58Check (BIP-13) or Bech32 and Bech32m (BIP-173, BIP-350).
func bitcoin(v []byte) verdict {
	if v[0] == 'b' {
		return strong(bech32(v))
	}
	var raw [25]byte
	for _, c := range v {
		carry := bytes.IndexByte([]byte(base58), c)
		for k := len(raw) - 1; k >= 0; k-- {
			carry += 58 * int(raw[k])
			raw[k] = byte(carry)
			carry >>= 8
		}
		if carry != 0 {
			return refused
		}
	}
	first := sha256.Sum256(raw[:21])
	sum := sha256.Sum256(first[:])
	return strong((raw[0] == 0 || raw[0] == 5) && string(sum[:4]) == string(raw[21:]))
}

const (
	base58      = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	bech32Chars = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
)

// bech32 checks an address that begins with bc1.
func bech32(v []byte) bool {
	sum := 1
	step := func(x int) {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ x
		for i, g := range [...]int{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 != 0 {
				sum ^= g
			}
		}
	}
	for _, x := range [...]int{'b' >> 5, 'c' >> 5, 0, 'b' & 31, 'c' & 31} {
		step(x)
	}
	for _, c := range v[3:] {
		step(bytes.IndexByte([]byte(bech32Chars), c))
	}
	return sum == 1 || sum == 0x2bc830a3
}

// ethereum checks the case of the letters (EIP-55). In one case there is no check.
func ethereum(v []byte) verdict {
	of := mixed(v[2:])
	switch {
	case !varied(v[2:], minVaried):
		return refused
	case of&letter != letter:
		return plausible
	}
	h := sha3.NewLegacyKeccak256()
	h.Write(bytes.ToLower(v[2:]))
	sum := h.Sum(nil)
	for i, c := range v[2:] {
		if nibble := sum[i/2] >> (4 - i%2*4) & 15; class[c] != digit && (class[c] == upper) != (nibble >= 8) {
			return refused
		}
	}
	return holds
}

const (
	minSeed  = 12*3 + 11
	maxWords = 24
)

// seed looks behind its name for 12 to 24 words of BIP-39 whose checksum holds.
func (s *scanner) seed(kind uint8, _, end int) {
	b := s.text[:min(len(s.text), end+512)]
	for k := end; k < min(len(b), end+96); k++ {
		if class[b[k]] != lower || class[b[k-1]]&inWord != 0 {
			continue
		}
		if to := phrase(b, k); to > 0 {
			s.claim(kind, k, to, true, false)
			return
		}
	}
}

// phrase gives the end of a seed phrase, or 0.
func phrase(b []byte, i int) int {
	var words [maxWords][]byte
	n, ends := 0, [maxWords]int{}
	for k := i; k < len(b) && n < maxWords; n++ {
		start := k
		for k < len(b) && class[b[k]] == lower {
			k++
		}
		if _, known := slices.BinarySearch(wordlists.English, string(b[start:k])); !known {
			break
		}
		words[n], ends[n] = b[start:k], k
		k = skip(b, k, " ,\n\r", 2)
	}
	for n = n / 3 * 3; n >= 12; n -= 3 {
		if bip39.IsMnemonicValid(string(bytes.Join(words[:n], []byte(" ")))) {
			return ends[n-1]
		}
	}
	return 0
}
