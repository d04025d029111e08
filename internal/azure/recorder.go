package azure

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/wire"
)

// recorder keeps the bodies that a discovery reads, for a snapshot. It writes them to a temporary file as they arrive,
// in no order, and holds only their offsets in memory. A nil recorder records nothing. It is safe for concurrent use.
type recorder struct {
	mu          sync.Mutex
	spool       *os.File
	size        int64
	bodies      map[string]map[armid.Key]spoolEntry // by section of the estate, then id
	failedReads map[string]failedRead               // by method and path
	err         error                               // the first failure to record
}

// spoolEntry is the place of a body in the spool.
type spoolEntry struct {
	off int64
	n   int
}

// failedRead is a failed read in an estate, so that the same read fails where the estate is replayed.
type failedRead struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// noAnswerStatus represents a read without a usable answer. It is no HTTP status, and none that clients retry.
const noAnswerStatus = 599

func newRecorder() (*recorder, error) {
	f, err := os.CreateTemp("", "azbackup-snapshot-*")
	if err != nil {
		return nil, err
	}
	return &recorder{spool: f, bodies: map[string]map[armid.Key]spoolEntry{}, failedReads: map[string]failedRead{}}, nil
}

func (r *recorder) close() {
	_ = r.spool.Close() // its content is no longer needed
	_ = os.Remove(r.spool.Name())
}

// tee returns the function that receives the raw elements of a section's lists.
func (r *recorder) tee(section string) func(json.RawMessage) {
	if r == nil {
		return nil
	}
	return func(raw json.RawMessage) { r.add(section, raw) }
}

func (r *recorder) add(section string, raw json.RawMessage) {
	if r == nil {
		return
	}
	if section == "virtualMachines" {
		raw = redactSecrets(raw)
	}
	var head struct {
		ID string `json:"id"`
	}
	var line bytes.Buffer
	err := errors.Join(wire.Unmarshal(raw, &head), json.Compact(&line, raw))
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.err != nil:
		return
	case err != nil:
		r.err = fmt.Errorf("recording %s: %w", section, err)
		return
	case head.ID == "":
		// Otherwise a replay would see the resource as missing.
		r.err = fmt.Errorf("recording %s: an entry has no id", section)
		return
	}
	n, err := r.spool.WriteAt(line.Bytes(), r.size)
	if err != nil {
		r.err = fmt.Errorf("recording %s: %w", section, err)
		return
	}
	if r.bodies[section] == nil {
		r.bodies[section] = map[armid.Key]spoolEntry{}
	}
	r.bodies[section][armid.Of(head.ID)] = spoolEntry{off: r.size, n: n}
	r.size += int64(n)
}

// recordFailedRead records a failed read.
func (r *recorder) recordFailedRead(err error) {
	if r == nil {
		return
	}
	e, isAnswer := errors.AsType[*apply.Error](err)
	sent, isKnown := errors.AsType[*arm.SentRequest](err)
	if !isAnswer || !isKnown {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = errors.Join(r.err, err) // otherwise a replay would see the resource as missing
		return
	}
	f := failedRead{Method: sent.Method, Path: sent.Path, Status: e.Status, Headers: map[string]string{}}
	if json.Valid(sent.Body) {
		f.Body = slices.Clone(sent.Body)
	}
	if f.Status < http.StatusBadRequest {
		f.Status = noAnswerStatus
		f.Body, _ = json.Marshal(map[string]any{"error": map[string]string{ // strings always marshal
			"code": cmp.Or(e.Code, "NoAnswer"), "message": e.Message,
		}})
	}
	for _, name := range []string{"x-ms-request-id", "x-ms-failure-cause", "Retry-After"} {
		if v := sent.Header.Get(name); v != "" {
			f.Headers[name] = v
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failedReads[f.Method+" "+strings.ToLower(f.Path)] = f
}

// write copies the bodies of a section to w, sorted by id, one per line.
func (r *recorder) write(w io.Writer, section string) error {
	keys := sortedKeys(r.bodies[section])
	for i, k := range keys {
		place := r.bodies[section][k]
		buf := make([]byte, place.n)
		if _, err := r.spool.ReadAt(buf, place.off); err != nil {
			return err
		}
		if err := writeElement(w, i, buf); err != nil {
			return err
		}
	}
	return nil
}

func writeElement(w io.Writer, i int, body []byte) error {
	sep := ",\n"
	if i == 0 {
		sep = "\n"
	}
	if _, err := io.WriteString(w, sep); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

// secretKeys are the keys of a VM's body that can hold secrets: passwords, boot scripts, unattended set-up,
// settings of extensions.
func secretKeys() []string {
	return []string{
		"adminpassword", "customdata", "userdata", "settings", "protectedsettings", "protectedsettingsfromkeyvault",
		"additionalunattendcontent",
	}
}

// redactSecrets returns a VM's body without possible secrets. A body that has none is not changed.
func redactSecrets(raw json.RawMessage) json.RawMessage {
	lower := bytes.ToLower(raw)
	if !slices.ContainsFunc(secretKeys(), func(k string) bool { return bytes.Contains(lower, []byte(`"`+k+`"`)) }) {
		return raw
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return json.RawMessage(`{}`) // it has no id then, which fails the snapshot
	}
	clean, err := json.Marshal(dropKeys(v, secretKeys()))
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return clean
}

func dropKeys(v any, names []string) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if slices.Contains(names, strings.ToLower(k)) {
				delete(v, k)
				continue
			}
			v[k] = dropKeys(inner, names)
		}
	case []any:
		for i := range v {
			v[i] = dropKeys(v[i], names)
		}
	}
	return v
}
