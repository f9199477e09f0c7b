package saas

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// ReadKey reads the private key of a configuration, which has it as text or in a file, and checks that alg, where set, fits
// it. An error begins with the key of the configuration: private_key, private_key_file or algorithm.
func ReadKey(key, file string, passphrase []byte, alg string) (crypto.Signer, error) {
	text, from := []byte(key), "private_key"
	switch {
	case key != "" && file != "":
		return nil, fmt.Errorf("private_key_file: %q is set beside private_key, want one of them", file)
	case key == "" && file == "":
		return nil, errors.New("private_key: empty, want the key in PEM, or its path in private_key_file")
	case file != "":
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("private_key_file: read %q: %w", file, err)
		}
		from = fmt.Sprintf("private_key_file: %q", file)
	}
	k, err := ParseKey(text, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	if fits := Algorithms(k); alg != "" && !slices.Contains(fits, alg) {
		return nil, fmt.Errorf("algorithm: %q does not fit the key, want one of %s", alg, strings.Join(fits, ", "))
	}
	return k, nil
}
