package cli

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// A clean-up that is interrupted says so, at whichever request it was cut: it has not seen, or not removed, all that is left.
func TestAnInterruptedCleanUpEndsAsInterrupted(t *testing.T) {
	estate := encryptedFleet(t, 1, `"faults":[{"name":"deletes","kind":"disk.delete","status":403,"times":-1}]`)
	file := testsFile(t)
	if code, _, log, _ := timedInVirtualTime(t, "apply", "-f", file, "--simulate", estate, "--real-time", "--auto-approve"); code != exitUnfinished {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	for _, kind := range []string{"disks.list", "disk.delete"} {
		var state map[string]json.RawMessage
		readEstate(t, estate, &state)
		state["settings"] = json.RawMessage(`{"faults":[{"name":"slow","kind":"` + kind + `","latency":"1h","times":-1}]}`)
		data, err := json.Marshal(state)
		if err == nil {
			err = os.WriteFile(estate, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		code, out, log, took := interruptedInVirtualTime(t, 20*time.Second, "restore-test", "--clean-up", "-f", file, "--simulate", estate, "--real-time", "--auto-approve")
		if code != exitInterrupted || took > time.Minute {
			t.Errorf("%s: exit code %d after %s, want %d\n%s%s", kind, code, took, exitInterrupted, out, log)
		}
	}
}
