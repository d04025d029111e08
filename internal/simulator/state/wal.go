package state

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/gofrs/flock"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// WriteAheadLog is the journal next to an estate file, with the changes since: first a line that identifies the file,
// then one line for each batch of changes. A request is answered when its line is on disk. A truncated last line was
// not answered and is ignored.
type WriteAheadLog struct {
	path string
	file *os.File
	lock *flock.Flock

	mu sync.Mutex
	// written and synced count bytes; sync raises the second to the first for all waiting requests.
	written, synced int64
	syncing         sync.Mutex
}

type walHeader struct {
	// Estate is the fingerprint of the file the changes belong to.
	Estate string `json:"estate,omitempty"`
	// Compacted is the fingerprint of the file that includes the changes: after a crash between writing that file and
	// removing the journal no change is applied twice.
	Compacted string `json:"folded,omitempty"`
}

type walLine struct {
	walHeader
	Changes []Change `json:"changes,omitempty"`
}

// Open reads the estate in the file at path, applies the journal of an earlier run, and keeps the file locked until the
// log is closed. The bodies stay in the file.
func Open(path string) (_ *State, _ *WriteAheadLog, err error) {
	j := &WriteAheadLog{path: path + ".journal", lock: flock.New(path + ".journal")}
	src, err := os.Open(path) //nolint:gosec // the path is the caller's
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, src.Close(), j.lock.Unlock())
		}
	}()
	locked, err := j.lock.TryLock()
	if isReadOnly(err) {
		locked, err = true, nil // a folder that cannot be written: reading works, the first write fails
	}
	if err == nil && !locked {
		err = errors.New("another process uses it")
	}
	if err != nil {
		return nil, nil, err
	}
	e, err := load(bufio.NewReaderSize(src, rawjson.BufferSize), src)
	if err != nil {
		return nil, nil, err
	}
	st := ownState(e)
	print, err := fingerprint(src)
	if err == nil {
		err = j.replay(st, print)
	}
	if err != nil {
		return nil, nil, err
	}
	return st, j, nil
}

// fingerprint identifies an estate file by size, beginning and end.
func fingerprint(f *os.File) (string, error) {
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	const edge = 64 << 10
	h := sha256.New()
	_, _ = fmt.Fprintln(h, info.Size())
	for _, off := range []int64{0, max(0, info.Size()-edge)} {
		if _, err := io.Copy(h, io.NewSectionReader(f, off, edge)); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// replay applies the journal of an earlier run and prepares it for appending.
func (j *WriteAheadLog) replay(st *State, estate string) error {
	raw, err := os.ReadFile(j.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var lines []walLine
	whole := 0
	for len(raw) > whole {
		end := bytes.IndexByte(raw[whole:], '\n')
		var line walLine
		if end < 0 || json.Unmarshal(raw[whole:whole+end], &line) != nil {
			break // cut off when it was killed
		}
		lines = append(lines, line)
		whole += end + 1
	}
	if len(lines) > 0 {
		if lines[len(lines)-1].Compacted == estate {
			lines, whole = nil, 0
		} else if lines[0].Estate != estate {
			return fmt.Errorf("%s belongs to another version of this file: remove it, or put the old file back", j.path)
		}
	}
	for _, line := range lines {
		for _, c := range line.Changes {
			st.apply(c)
		}
	}
	return j.prepare(int64(whole), estate)
}

// prepare opens the journal after its last complete line. In a read-only folder the first write fails.
func (j *WriteAheadLog) prepare(whole int64, estate string) error {
	f, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600)
	if isReadOnly(err) {
		return nil
	}
	if err != nil {
		return err
	}
	j.file = f
	if err := f.Truncate(whole); err != nil {
		return err
	}
	if _, err := f.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	j.written = whole
	if whole == 0 {
		_, err = j.appendLine(walLine{walHeader: walHeader{Estate: estate}})
	}
	return err
}

func isReadOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// IsWritable reports whether changes can be written: the folder of the estate may be read-only.
func (j *WriteAheadLog) IsWritable() bool { return j.CheckWritable() == nil }

// CheckWritable returns why changes cannot be written, or nil.
func (j *WriteAheadLog) CheckWritable() error {
	if j.file == nil {
		return fmt.Errorf("writing %s: %w", j.path, fs.ErrPermission)
	}
	return nil
}

// Append writes a batch and returns the offset to sync to.
func (j *WriteAheadLog) Append(changes []Change) (int64, error) {
	return j.appendLine(walLine{Changes: changes})
}

func (j *WriteAheadLog) appendLine(l walLine) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.CheckWritable(); err != nil {
		return 0, err
	}
	n, err := j.file.Write(append(rawjson.Encode(l), '\n'))
	if err != nil {
		// Half a line would hide every line behind it.
		if _, seekErr := j.file.Seek(j.written, io.SeekStart); seekErr != nil || j.file.Truncate(j.written) != nil {
			err = errors.Join(err, j.file.Close())
			j.file = nil
		}
		return 0, err
	}
	j.written += int64(n)
	return j.written, nil
}

// Sync returns when everything up to upTo is on disk. Requests that wait together share one fsync.
func (j *WriteAheadLog) Sync(upTo int64) error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if j.synced >= upTo {
		return nil
	}
	j.mu.Lock()
	f, all := j.file, j.written
	j.mu.Unlock()
	if f == nil {
		return fs.ErrClosed
	}
	if err := f.Sync(); err != nil {
		return err
	}
	j.synced = all
	return nil
}

// Progress returns how many bytes of the log are on disk, and how many were written.
func (j *WriteAheadLog) Progress() (onDisk, written int64) {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.synced, j.written
}

// Abandon lets the next process open the estate and leaves the files as they are, like the death of this process: the log
// cannot be used after it.
func (j *WriteAheadLog) Abandon() error { return j.lock.Unlock() }

// Release closes the estate's file, which stays as it is, and the log: for an estate that is not served after all.
func (j *WriteAheadLog) Release(st *State) error {
	var err error
	if source, isFile := st.src.(*os.File); isFile {
		err = source.Close()
	}
	return errors.Join(err, j.Close())
}

// Close closes the log and lets the next process open the estate.
func (j *WriteAheadLog) Close() error {
	var err error
	if j.file != nil {
		err = j.file.Close()
		j.file = nil
	}
	return errors.Join(err, j.lock.Unlock())
}
