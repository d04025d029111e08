package simulator

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// writeEstate puts an estate file into a folder of its own.
func writeEstate(t testing.TB, e *state.Estate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "estate.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := state.NewState(e).Write(f); err != nil {
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
	set := settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(50 * time.Millisecond)}}
	c := open1(t, path, Options{Settings: set})
	a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	if on, all := c.s.wal.Progress(); on != all || on == 0 {
		t.Errorf("%d of %d bytes were on disk when the write was answered", on, all)
	}
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second Open: %v", err)
	}
	// Killed: the process's lock is released, the journal is not merged.
	if err := c.s.wal.Abandon(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(60 * time.Millisecond)
	d := open1(t, path, Options{Settings: set})
	if p := d.follow(a); rawjson.TextAt(p.body, "status") != "Succeeded" {
		t.Errorf("operation after the kill: %s", p.body)
	}
	if rawjson.TextAt(d.props("vm1"), "protectionState") != "IRPending" {
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
	if rawjson.TextAt(e.props("vm1"), "protectionState") != "IRPending" {
		t.Error("the item did not get into the file")
	}
	if err := e.s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(path)
	if !json.Valid(raw) {
		t.Error("the file is not JSON")
	}
}

func TestReadingLeavesTheFileUntouched(t *testing.T) {
	job := `"jobs":[{"id":"` + testVault + `/backupJobs/j1","name":"j1","properties":{"containerName":"iaasvmcontainerv2;rg-app;vm1",` +
		`"operation":"ConfigureBackup","status":"InProgress","startTime":"2024-01-01T00:00:00Z"}}]`
	path := writeEstate(t, estate(t, job))
	before, _ := os.Stat(path)
	c := open1(t, path, Options{Settings: at0()})
	if j := c.get(testVault + "/backupJobs/j1"); rawjson.TextAt(j.body, "properties", "status") != "Completed" {
		t.Errorf("%s", j.body)
	}
	c.do("POST", "/subscriptions/"+testSub+"/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus",
		`{"resourceType":"VM","resourceId":"`+vmID("VM1")+`"}`, 200)
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(path)
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("the file was written")
	}
}

func TestJournalOfAnotherFileIsRefused(t *testing.T) {
	path := writeEstate(t, estate(t))
	c := open1(t, path, Options{Settings: quick()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	if err := c.s.wal.Abandon(); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(path)
	if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("Open: %v", err)
	}
}

func TestFileReplacedMeanwhileIsNotWrittenOver(t *testing.T) {
	path := writeEstate(t, estate(t))
	c := open1(t, path, Options{Settings: quick()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	if err := os.WriteFile(path+".new", []byte(`{"format_version":"1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if err := c.s.Close(); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("Close: %v", err)
	}
	if raw, _ := os.ReadFile(path); string(raw) != `{"format_version":"1"}` {
		t.Errorf("the file is now %.80s", raw)
	}
}

func TestFolderThatCannotBeWrittenIsReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root writes everywhere")
	}
	path := writeEstate(t, estate(t))
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	c := open1(t, path, Options{Settings: quick()})
	c.get(testVault)
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 500)
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A write that no file can hold has no effect: nothing that is read later shows it.
func TestAWriteThatCannotBeSavedHasNoEffect(t *testing.T) {
	c := open1(t, writeEstate(t, estate(t)), Options{Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(0)}}})
	if err := c.s.wal.Close(); err != nil { // as if the folder were read-only
		t.Fatal(err)
	}
	before := string(rawjson.Encode(c.get(testVault)))
	c.do("PATCH", testVault, `{"tags":{"owner":"somebody"}}`, 500)
	if after := string(rawjson.Encode(c.get(testVault))); after != before {
		t.Errorf("the vault is %s, want %s", after, before)
	}
}

func TestJournalThatWasFoldedIsNotAppliedTwice(t *testing.T) {
	path := writeEstate(t, estate(t))
	set := settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(0)}}
	c := open1(t, path, Options{Settings: set})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.get(itemPath("vm1"))
	// As if killed between the renaming of the new file and the removal of the journal.
	kept := path + ".kept"
	if err := os.Link(path+".journal", kept); err != nil {
		t.Fatal(err)
	}
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(kept, path+".journal"); err != nil {
		t.Fatal(err)
	}
	d := open1(t, path, Options{Settings: set})
	d.get(itemPath("vm1"))
	if n := len(values(d.get(testVault + "/backupJobs"))); n != 1 {
		t.Errorf("%d jobs, want 1", n)
	}
	if err := d.s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEstateFileIsTheSameBytesForTheSameState(t *testing.T) {
	path := writeEstate(t, estate(t))
	first, _ := os.ReadFile(path)
	e, err := state.Read(strings.NewReader(string(first)))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := os.ReadFile(writeEstate(t, e))
	if string(again) != string(first) {
		t.Errorf("written again:\n%s\nwas:\n%s", again, first)
	}
}

func TestTornLastLineOfTheJournalDoesNotCount(t *testing.T) {
	path := writeEstate(t, estate(t))
	c := open1(t, path, Options{Settings: quick()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.do("PUT", itemPath("vm2"), protectBody("VM2", "daily"), 202)
	if err := c.s.wal.Abandon(); err != nil {
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
