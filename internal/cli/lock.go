package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// lock keeps a second run of the same config off this machine until the first has ended, however it ends: the kernel
// frees the lock of a dead process. Two machines may run at the same time; Azure's conflicts keep them apart.
func lock(path string, configs []string) (unlock func(), err error) {
	if path == "" {
		if path, err = defaultLock(configs); err != nil {
			return nil, err
		}
	}
	const advice = "--lock-file names another place for the lock"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, withHint(fmt.Errorf("locking: %w", err), advice)
	}
	f := flock.New(path)
	ok, err := f.TryLock()
	if err != nil {
		return nil, withHint(fmt.Errorf("locking: %w", err), advice)
	}
	if !ok {
		return nil, withCode(exitLocked, fmt.Errorf("another run holds the lock %q", path), "wait for it to end; the lock goes with the process")
	}
	return func() { f.Unlock() }, nil //nolint:errcheck // the kernel frees it anyway
}

// defaultLock returns a file in the user's cache folder, one per set of config files.
func defaultLock(configs []string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	full := make([]string, len(configs))
	for i, c := range configs {
		if full[i], err = filepath.Abs(c); err != nil {
			return "", fmt.Errorf("locking: %w", err)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(full, "\n")))
	return filepath.Join(dir, "azbackup", "lock-"+hex.EncodeToString(sum[:8])), nil
}
