#include "textflag.h"

// What a byte is: all whose bits are set both for its lower and for its upper half.
//   1 digits, 30 to 39
//   2 letters, 41 to 4f and 61 to 6f
//   4 letters, 50 to 5a and 70 to 7a
//   8 underscore, 5f
//  10 @, 40
//  20 : and =, 3a and 3d
//  40 % and +, 25 and 2b
//  80 ~, 7e

// By the lower half, that of 0 in the lowest byte.
DATA byLower<>+0(SB)/8, $0x0707470707070715
DATA byLower<>+8(SB)/8, $0x0a82220242260707
GLOBL byLower<>(SB), RODATA|NOPTR, $16

DATA byUpper<>+0(SB)/8, $0x84020c1221400000
DATA byUpper<>+8(SB)/8, $0x0000000000000000
GLOBL byUpper<>(SB), RODATA|NOPTR, $16

// The half of a byte, words, letters, signs.
DATA masks<>+0(SB)/4, $0x0f0f0f0f
DATA masks<>+4(SB)/4, $0x06060606
DATA masks<>+8(SB)/4, $0xf0f0f0f0
GLOBL masks<>(SB), RODATA|NOPTR, $12

// CLASSES puts the bits of 32 bytes into R8 (other than words), R9 (digits), R10 (other than letters), R11 (small), R12 (other than
// signs) and R13 (high).
#define CLASSES(at) \
	VMOVDQU   at(SI), Y0     \
	VPSRLW    $4, Y0, Y1     \
	VPAND     Y8, Y0, Y2     \
	VPAND     Y8, Y1, Y1     \
	VPSHUFB   Y2, Y6, Y2     \
	VPSHUFB   Y1, Y7, Y1     \
	VPAND     Y1, Y2, Y1     \
	VPSLLW    $7, Y1, Y2     \
	VPMOVMSKB Y2, R9         \
	VPAND     Y8, Y1, Y2     \
	VPCMPEQB  Y11, Y2, Y2    \
	VPMOVMSKB Y2, R8         \
	VPAND     Y9, Y1, Y2     \
	VPCMPEQB  Y11, Y2, Y2    \
	VPMOVMSKB Y2, R10        \
	VPSLLW    $2, Y0, Y2     \
	VPMOVMSKB Y2, R11        \
	VPAND     Y10, Y1, Y2    \
	VPCMPEQB  Y11, Y2, Y2    \
	VPMOVMSKB Y2, R12        \
	VPMOVMSKB Y0, R13

// BOTH adds the bits of the second half, and writes them.
#define BOTH(low, high, at) \
	SHLQ $32, high     \
	ORQ  low, high     \
	MOVQ high, at(DI)

// func readLanes(m *block, b *[perBlock]byte)
TEXT ·readLanes(SB), NOSPLIT, $0-16
	MOVQ           m+0(FP), DI
	MOVQ           b+8(FP), SI
	VBROADCASTI128 byLower<>(SB), Y6
	VBROADCASTI128 byUpper<>(SB), Y7
	VPBROADCASTD   masks<>+0(SB), Y8
	VPBROADCASTD   masks<>+4(SB), Y9
	VPBROADCASTD   masks<>+8(SB), Y10
	VPXOR          Y11, Y11, Y11
	CLASSES(0)
	MOVQ           R8, AX
	MOVQ           R9, BX
	MOVQ           R10, CX
	MOVQ           R11, DX
	MOVQ           R12, R14
	MOVQ           R13, R15
	CLASSES(32)
	BOTH(BX, R9, 8)
	BOTH(DX, R11, 24)
	BOTH(R15, R13, 40)
	SHLQ           $32, R8
	ORQ            AX, R8
	NOTQ           R8
	MOVQ           R8, 0(DI)
	SHLQ           $32, R10
	ORQ            CX, R10
	NOTQ           R10
	MOVQ           R10, 16(DI)
	SHLQ           $32, R12
	ORQ            R14, R12
	NOTQ           R12
	MOVQ           R12, 32(DI)
	VZEROUPPER
	RET
