package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/azbackup/azbackup/config"
)

// lock keeps a second run of the same config off this machine until the first has ended, however it ends: the kernel
// frees the lock of a dead process. Two machines may run at the same time; Azure's conflicts keep them apart. A shard has
// a lock of its own beside that of the config, which the shards share and a run of all subscriptions takes alone.
func lock(path string, configs []string, shard config.Shard) (unlock func(), err error) {
	if path == "" {
		if path, err = defaultLock(configs); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, lockingError(err)
	}
	if shard.IsAll() {
		return tryLock(path, (*flock.Flock).TryLock)
	}
	unlockAll, err := tryLock(path, (*flock.Flock).TryRLock)
	if err != nil {
		return nil, err
	}
	unlockShard, err := tryLock(fmt.Sprintf("%s-shard-%d-of-%d", path, shard.Index, shard.Count), (*flock.Flock).TryLock)
	if err != nil {
		unlockAll()
		return nil, err
	}
	return func() { unlockShard(); unlockAll() }, nil
}

func tryLock(path string, try func(*flock.Flock) (bool, error)) (unlock func(), err error) {
	f := flock.New(path)
	ok, err := try(f)
	if err != nil {
		return nil, lockingError(err)
	}
	if !ok {
		return nil, withCode(exitLocked, fmt.Errorf("another run holds the lock %q", path), "wait for it to end; the lock goes with the process")
	}
	return func() { f.Unlock() }, nil //nolint:errcheck // the kernel frees it anyway
}

func lockingError(err error) error {
	return withHint(fmt.Errorf("locking: %w", err), "--lock-file names another place for the lock")
}

// defaultLock returns a file in the user's cache folder, one per set of paths, by whatever links or folders they are
// reached; empty names are none. All configs from standard input share one: whether two are versions of the same is
// not known.
func defaultLock(configs []string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	var full []string
	for _, c := range configs {
		if c == "" { // it would be the folder that this is run in
			continue
		}
		path := c
		if c != config.Stdin {
			if path, err = filepath.Abs(c); err != nil {
				return "", fmt.Errorf("locking: %w", err)
			}
			if target, err := filepath.EvalSymlinks(path); err == nil {
				path = target
			}
		}
		full = append(full, path)
	}
	sum := sha256.Sum256([]byte(strings.Join(full, "\n")))
	return filepath.Join(dir, "azbackup", "lock-"+hex.EncodeToString(sum[:8])), nil
}
