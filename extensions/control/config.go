package control

import (
	"errors"
	"fmt"
	"path/filepath"
)

// DefaultSocket is where the agent listens and the commands look when nothing else is said.
const DefaultSocket = "./data/control.sock"

// maxSocket is what every system's address of a Unix socket has room for, less the folder it is made in.
const maxSocket = 88

// Config is the configuration of the extension.
type Config struct {
	// Socket is the path of the Unix socket. Its folder is made, for the agent's account alone, when it does not exist.
	// Default: ./data/control.sock
	Socket string `mapstructure:"socket"`
}

// Validate refuses a path that no socket can have.
func (c *Config) Validate() error {
	if c.Socket == "" {
		return errors.New("socket: a path is needed, for example " + DefaultSocket)
	}
	if len(filepath.Clean(c.Socket)) > maxSocket {
		return fmt.Errorf("socket: %q is longer than the %d bytes that a Unix socket's path may have", c.Socket, maxSocket)
	}
	return nil
}
