//go:build unix

package simulator

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// On a full disk the state is ahead of the file: nothing more is answered from it, and Close says so.
func TestOnAFullDiskNothingIsAnsweredThatTheFileDoesNotHold(t *testing.T) {
	path := writeEstate(t, estate(t))
	was, _ := os.ReadFile(path)
	c := open1(t, path, Options{Settings: quick()})
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	full := limit
	full.Cur = 200 // the journal has its first line
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	restore := func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Error(err)
		}
	}
	defer restore()
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 500)
	restore()
	c.do("GET", testVault+"/backupProtectedItems", "", 500)
	if err := c.s.Close(); err == nil || !strings.Contains(err.Error(), "not in the estate's file") {
		t.Errorf("Close: %v", err)
	}
	if now, _ := os.ReadFile(path); string(now) != string(was) {
		t.Error("the file changed")
	}
	d := open1(t, path, Options{Settings: quick()})
	if n := len(values(d.get(testVault + "/backupProtectedItems"))); n != 0 {
		t.Errorf("%d items after the next start, want 0", n)
	}
	if err := d.s.Close(); err != nil {
		t.Error(err)
	}
}
