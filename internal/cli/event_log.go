package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// eventLog is the file of --journal: a line about the run, then one per event. Lines are written as events happen, so a
// killed run leaves all of them. Without a file it discards everything.
type eventLog struct {
	path     string
	file     *os.File
	observer apply.Observer
	err      error // the first error of a write
	isCut    bool  // the file ends within a line
	isStream bool  // the file is stdout or stderr
}

func openEventLog(path string, a *app, s *session, p plan.Plan) (*eventLog, error) {
	j := &eventLog{path: path, observer: func(apply.Event) {}, isCut: endsWithinLine(path)}
	if path == "" {
		return j, nil
	}
	if info, err := os.Stat(path); err == nil {
		// A file that a shell opened for stdout is written where stdout stands: two that write at their own places overwrite each other.
		j.file = standardStream(info)
		j.isStream = j.file != nil
	}
	var err error
	if !j.isStream {
		if j.file, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return nil, fmt.Errorf("opening the journal: %w", err)
		}
	}
	head, err := json.Marshal(map[string]any{
		"time": s.Now(), "kind": "run", "version": a.Version, "correlation_id": s.CorrelationID(), "fingerprint": p.Fingerprint,
		"config": p.Config, "cloud": p.Cloud,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the journal: %w", err), j.closeFile())
	}
	j.observer = apply.NewEventLog(j)
	_, _ = j.Write(append(head, '\n')) // kept in err
	return j, nil
}

// endsWithinLine reports whether the last line of a file was cut, as a full disk does it.
func endsWithinLine(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// Write appends a line, on a line of its own also where the last one was cut, and keeps the first error: the run continues, and its
// end reports the error.
func (j *eventLog) Write(line []byte) (int, error) {
	if j.isCut {
		line = append([]byte{'\n'}, line...)
	}
	n, err := writeAll(j.file, line)
	if n > 0 {
		j.isCut = n < len(line)
	}
	if j.err == nil {
		j.err = err
	}
	return n, err
}

func (j *eventLog) observe(e apply.Event) { j.observer(e) }

func (j *eventLog) close() error {
	if j.file == nil {
		return nil
	}
	err := j.err
	if info, statErr := j.file.Stat(); statErr != nil || info.Mode().IsRegular() { // pipes and devices cannot be synced
		err = errors.Join(err, j.file.Sync())
	}
	if err = errors.Join(err, j.closeFile()); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

func (j *eventLog) closeFile() error {
	if j.isStream { // the result is still to come
		return nil
	}
	return j.file.Close()
}
