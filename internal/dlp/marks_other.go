//go:build !amd64

package dlp

// readBlock finds out what 64 bytes are.
func readBlock(m *block, b *[perBlock]byte) { readWords(m, b) }
