package sim

// Hash mixes the seed with parts: what is generated depends on nothing else.
func Hash(seed int64, parts ...uint64) uint64 {
	h := mix(uint64(seed) + 0x9E3779B97F4A7C15)
	for _, p := range parts {
		h = mix(h ^ (p + 0x9E3779B97F4A7C15))
	}
	return h
}

// mix is the finaliser of splitmix64.
func mix(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

// KeySum hashes a key for Digest.
func KeySum(key string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return mix(h)
}

// Rand is a small seeded generator. Its zero value works.
type Rand struct{ state uint64 }

// NewRand starts a generator for one thing: the seed and what it is.
func NewRand(seed int64, parts ...uint64) *Rand { return &Rand{state: Hash(seed, parts...)} }

// Next is the next number.
func (r *Rand) Next() uint64 {
	r.state += 0x9E3779B97F4A7C15
	return mix(r.state)
}

// N is a number in [0, n).
func (r *Rand) N(n int) int { return int(r.Next() % uint64(n)) }

// Pick is one of the values.
func Pick[T any](r *Rand, of []T) T { return of[r.N(len(of))] }

func chance(h uint64, share float64) bool { return float64(h>>11)/(1<<53) < share }

const (
	letters  = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
	alphabet = letters + "0123456789"
)

// Name appends n characters as vendors make ids of. Each digit stands between letters, so that no run of them can be
// taken for a number that dlp looks for.
func (r *Rand) Name(b []byte, n int) []byte {
	for i := range n {
		if i%4 == 3 {
			b = append(b, alphabet[r.N(len(alphabet))])
		} else {
			b = append(b, letters[r.N(len(letters))])
		}
	}
	return b
}

// UUID appends a random UUID. Every group has letters at fixed places, for the reason of Name.
func (r *Rand) UUID(b []byte) []byte {
	const hex = "0123456789abcdef"
	var a, c uint64 = r.Next(), r.Next()
	for i := range 32 {
		n := a & 15
		if i >= 16 {
			n = c & 15
			c >>= 4
		} else {
			a >>= 4
		}
		switch i {
		case 12:
			n = 4
		case 0, 4, 8, 13, 16, 20, 24, 28: // 16 is the variant too: a or b
			n = 10 + n&1
		}
		if i == 8 || i == 12 || i == 16 || i == 20 {
			b = append(b, '-')
		}
		b = append(b, hex[n])
	}
	return b
}
