package dlp

import "golang.org/x/sys/cpu"

// readBlock finds out what 64 bytes are.
func readBlock(m *block, b *[perBlock]byte) {
	if cpu.X86.HasAVX2 {
		readLanes(m, b)
		return
	}
	readWords(m, b)
}

// readLanes is readWords, 32 bytes at a time. It needs AVX2.
//
//go:noescape
func readLanes(m *block, b *[perBlock]byte)
