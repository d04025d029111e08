package simulator

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeEstate puts an estate file into a folder of its own.
func writeEstate(t testing.TB, e *Estate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "estate.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := newState(e).write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func open1(t testing.TB, path string, o Options) *client {
	t.Helper()
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, s: s, base: "https://management.azure.com"}
	c.http.Transport = s.Transport()
	return c
}

func TestOpenKeepsAcceptedWritesWithoutClose(t *testing.T) {
	path := writeEstate(t, estate(t))
	before, _ := os.ReadFile(path)
	set := Settings{Durations: map[string]Span{"": Fixed(50 * time.Millisecond)}}
	c := open1(t, path, Options{Settings: set})
	a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second Open: %v", err)
	}
	// Killed: the lock goes with the process, nothing is folded.
	if err := c.s.journal.lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(60 * time.Millisecond)
	d := open1(t, path, Options{Settings: set})
	if p := d.follow(a); text(p.body, "status") != "Succeeded" {
		t.Errorf("operation after the kill: %s", p.body)
	}
	if text(d.props("vm1"), "protectionState") != "IRPending" {
		t.Error("the item is gone")
	}
	if now, _ := os.ReadFile(path); string(now) != string(before) {
		t.Error("the estate file was written before Close")
	}
	if err := d.s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".journal"); !os.IsNotExist(err) {
		t.Errorf("the journal is still there: %v", err)
	}
	e := open1(t, path, Options{})
	if text(e.props("vm1"), "protectionState") != "IRPending" {
		t.Error("the item did not get into the file")
	}
	if err := e.s.Close(); err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	raw, _ := os.ReadFile(path)
	if err := json.Unmarshal(raw, &keys); err != nil {
		t.Fatal(err)
	}
	fmt.Println(len(keys))
}

func TestTornLastLineOfTheJournalDoesNotCount(t *testing.T) {
	path := writeEstate(t, estate(t))
	c := open1(t, path, Options{Settings: quick()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.do("PUT", itemPath("vm2"), protectBody("VM2", "daily"), 202)
	if err := c.s.journal.lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(path + ".journal")
	if err := os.WriteFile(path+".journal", raw[:len(raw)-5], 0o600); err != nil {
		t.Fatal(err)
	}
	d := open1(t, path, Options{Settings: quick()})
	defer d.s.Close()
	if a := d.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 409); a.code() != "BMSUserErrorConflictingProtectionOperation" {
		t.Errorf("first write: %s", a.body)
	}
	d.do("PUT", itemPath("vm2"), protectBody("VM2", "daily"), 202)
}
