package extract

// What compressed RTF begins with: packed, or as it is.
const (
	rtfPacked = 0x75465a4c
	rtfPlain  = 0x414c454d
	rtfRing   = 4096 // bytes that are remembered
)

// rtfKnown is what is remembered at the beginning ([MS-OXRTFCP] 2.1.2.1).
const rtfKnown = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArial` +
	`Times New RomanCourier{\colortbl\red0\green0\blue0` + "\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

// rtfUnpack unpacks a body of Outlook in RTF. What it costs is counted.
func (x *run) rtfUnpack(b []byte) ([]byte, error) {
	if len(b) < 16 {
		return nil, flawf("damaged: it has no header")
	}
	size, kind := int(le.Uint32(b[4:])), le.Uint32(b[8:])
	b = b[16:]
	switch kind {
	case rtfPlain:
		return b[:min(size, len(b))], nil
	case rtfPacked:
	default:
		return nil, flawf("damaged: it cannot be unpacked")
	}
	var ring [rtfRing]byte
	at := copy(ring[:], rtfKnown)
	var out []byte
	put := func(c byte) {
		ring[at] = c
		at = (at + 1) % rtfRing
		out = append(out, c)
	}
	for len(b) > 0 && len(out) < size {
		flags := b[0]
		b = b[1:]
		was := len(out)
		for bit := range 8 {
			if flags>>bit&1 == 0 {
				if len(b) < 1 {
					break
				}
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				b = nil
				break
			}
			ref := int(b[0])<<8 | int(b[1])
			b = b[2:]
			from, n := ref>>4, ref&0xf+2
			if from == at { // the end
				b = nil
				break
			}
			for range n {
				put(ring[from])
				from = (from + 1) % rtfRing
			}
		}
		if err := x.charge(int64(len(out) - was)); err != nil {
			return nil, err
		}
	}
	return out[:min(size, len(out))], nil
}
