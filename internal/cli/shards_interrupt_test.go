package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// A shard that is interrupted while it reads has no result; its file says why, and the merge is no better than that.
func TestAnInterruptedShardSaysSo(t *testing.T) {
	o := newOrganisation(t, "")
	if code := o.run(nil, "apply", "-f", "all.yaml", "--endpoint", o.url, "--shard", "2/2", "--auto-approve", "--output", "json=apply-2.json"); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	slow := newOrganisation(t, `{"name":"slow","path":"/subscriptions/*/backupProtectedItems*","times":-1,"latency":"1h"}`)
	for _, command := range []string{"plan", "audit", "apply --auto-approve"} {
		name, _, _ := strings.Cut(command, " ")
		file := name + "-1.json"
		p, err := start(o.bin, o.dir, append(strings.Fields(command), "-f", "all.yaml", "--endpoint", slow.url, "--shard", "1/2", "--output", "json="+file)...)
		if err != nil {
			t.Fatal(err)
		}
		before := statsOf(t, slow.url).Total()
		for range 1000 {
			if statsOf(t, slow.url).Total() > before {
				break
			}
			time.Sleep(10 * time.Millisecond) // another process sends the requests
		}
		_ = p.Process.Signal(os.Interrupt)
		code := p.exit()
		var said struct {
			Error    string
			ExitCode int `json:"exit_code"`
			Shard    struct{ Index, Count int }
		}
		if err := json.Unmarshal(o.read(file), &said); err != nil {
			t.Fatal(err)
		}
		if code != exitInterrupted || said.Error != "interrupted" || said.ExitCode != exitInterrupted || said.Shard.Index != 1 || said.Shard.Count != 2 {
			t.Errorf("%s: exit code %d, and its file says %+v\n%s", command, code, said, p.stderr.String())
		}
		if code := o.run(nil, "report", "merge", file, "apply-2.json"); code != exitInterrupted {
			t.Errorf("%s: exit code %d of the merge", command, code)
		}
	}
}
