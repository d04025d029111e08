package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// The report of a large apply is written row by row, and reads as if it were written whole.
func TestTheReportOfAnApplyIsWrittenRowByRowAsItIsWhole(t *testing.T) {
	at := time.Date(2026, 11, 20, 6, 0, 0, 123, time.UTC)
	full := applyDocument{
		FormatVersion: "1", Shard: &config.Shard{Index: 1, Count: 2}, Summary: map[apply.Outcome]int{apply.Done: 1},
		Results: []resultDocument{
			{Result: apply.Result{ID: "protect:<a> & \"b\"", Outcome: apply.Done, Started: &at}},
			{Result: apply.Result{ID: "x", Outcome: apply.Failed, Code: "C"}, Restored: &Restored{Disks: []string{"d"}}},
		},
		Started: at, Finished: at, Interrupted: true, Gaps: []plan.Gap{{Kind: plan.GapVMs, Subscription: "s"}},
		Refusals: []plan.Refusal{{Guard: "g", Flag: "--dangerous-x"}}, Requests: map[string]int{"vault": 2}, Throttled: 0.5,
		Error: "refused: <x>", Hints: []string{"if it is meant: --dangerous-x"}, ExitCode: 6,
		Shards:        []ShardRun{{Shard: config.Shard{Index: 2, Count: 2}, ExitCode: 4, Error: "e", Hints: []string{"h"}}},
		Subscriptions: map[string]string{"s": "Shop"}, Config: "sha256:0", Cloud: "AzurePublic",
	}
	empty := applyDocument{Results: []resultDocument{}, Gaps: []plan.Gap{}, Refusals: []plan.Refusal{}}
	for name, v := range map[string]applyDocument{"all that there is": full, "nothing": empty} {
		var rows, whole bytes.Buffer
		if err := streamJSON(&rows, v); err != nil {
			t.Fatal(err)
		}
		if err := WriteJSON(&whole, v); err != nil {
			t.Fatal(err)
		}
		if rows.String() != whole.String() {
			t.Errorf("%s: row by row\n%s\nwhole\n%s", name, rows.String(), whole.String())
		}
	}
}
