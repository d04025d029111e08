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

// lock prevents a second run of the same config on this machine until unlock is called or the process has ended: the
// kernel frees the lock of a dead process. Runs on two machines are not prevented: Azure's conflicts and the comparison
// before each write keep them from undoing each other's work. A run of all subscriptions takes the lock of the config
// alone; runs of shards share it, and each takes a lock of its shard besides. A held lock is an error with the exit
// code [exitLocked].
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

// defaultLock returns the path of a lock file in the user's cache folder. It is the same for the same config files,
// whatever links or folders they are reached by; empty names do not count. All configs from standard input share one
// lock, because nothing shows whether two of them are the same config.
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
