package dlp

// kinds are some of the detectors: a bit for each.
type kinds [(detectors + 63) / 64]uint64

func (k *kinds) add(kind uint8) { k[kind>>6] |= 1 << (kind & 63) }

func (k *kinds) has(kind uint8) bool { return k[kind>>6]>>(kind&63)&1 != 0 }

func (k *kinds) join(o *kinds) {
	for i := range k {
		k[i] |= o[i]
	}
}
