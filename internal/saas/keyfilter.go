package saas

import "math/bits"

// keyFilter tells of nearly all keys that are not in a set that they are not: the usual answer, without a search. Each key
// sets two bits; at most one key in twenty that is not in the set finds both set by others.
type keyFilter struct {
	words []uint64 // a power of two of them
	added int
}

// newKeyFilter has room for twice as many keys as there are.
func newKeyFilter(keys int) keyFilter {
	return keyFilter{words: make([]uint64, 1<<bits.Len(uint(max(keys, 63))/4))}
}

// full reports whether so many were added that too many others would find their bits set.
func (f *keyFilter) full() bool { return f.added >= len(f.words)*8 }

func (f *keyFilter) add(h uint64) {
	a, b := f.places(h)
	f.words[a>>6] |= 1 << (a & 63)
	f.words[b>>6] |= 1 << (b & 63)
	f.added++
}

// may is false for a key that is not in the set.
func (f *keyFilter) may(h uint64) bool {
	if len(f.words) == 0 {
		return false
	}
	a, b := f.places(h)
	return f.words[a>>6]>>(a&63)&1 != 0 && f.words[b>>6]>>(b&63)&1 != 0
}

// places are the bits of a key, whose halves are random already.
func (f *keyFilter) places(h uint64) (a, b uint64) {
	mask := uint64(len(f.words))<<6 - 1
	return h & mask, h >> 32 & mask
}
