package simtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

func stepsOf(r apply.Result) string {
	var words []string
	for _, s := range r.Steps {
		words = append(words, fmt.Sprintf("%s %s", s.Name, s.Outcome))
	}
	return strings.Join(words, ", ")
}

// leftOf returns how many things of a kind are left behind, and why.
func leftOf(r apply.Result, kind string) (n int, why string) {
	for _, l := range r.LeftBehind {
		if l.Kind == kind {
			n, why = n+1, l.Why
		}
	}
	return n, why
}

func TestARestoreTestRestoresChecksAndCleansUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRehearsal(t, 5, simulator.Options{Settings: simulator.Settings{Quota: "150"}})
		before := r.disks(t)
		rep := r.run(t, apply.Options{})
		for _, res := range rep.Results {
			if res.Outcome != apply.Done || stepsOf(res) != "validate done, restore done, check done, clean-up done" ||
				!strings.Contains(res.Message, "3 disks, Linux") || strings.Contains(res.Message, "not compared") {
				t.Errorf("%s: %s; %s; %s", res.Target, res.Outcome, stepsOf(res), res.Message)
			}
			disks, _ := leftOf(res, apply.LeftDisk)
			staging, why := leftOf(res, apply.LeftStaging)
			if disks != 0 || staging != 1 || !strings.Contains(why, "cannot remove") || res.Made.Template == "" || len(res.Made.Disks) != 3 || res.Made.Seconds < 72 ||
				!strings.HasPrefix(res.Made.Staging, "st/vm") || res.Steps[1].Seconds < res.Made.Seconds {
				t.Errorf("%s: left %+v, made %+v, %+v", res.Target, res.LeftBehind, res.Made, res.Steps)
			}
		}
		if after := r.disks(t); len(after) != len(before) {
			t.Errorf("%d disks before, %d after", len(before), len(after))
		}
	})
}

// A step that goes wrong decides what follows, and everything that stays is told.
func TestARestoreTestReportsWhatGoesWrong(t *testing.T) {
	onRestore := func(f simulator.Fault) simulator.Settings {
		f.Name, f.Kind = "f", "item.restore"
		return simulator.Settings{Faults: []simulator.Fault{f}}
	}
	fault := func(f simulator.Fault) simulator.Settings {
		f.Name = "f"
		return simulator.Settings{Faults: []simulator.Fault{f}}
	}
	for name, tt := range map[string]struct {
		settings simulator.Settings
		outcome  apply.Outcome
		steps    string
		message  string // part of the message of the result
		disks    int    // left behind
		why      string // part of the reason
	}{
		"the check is not offered": {
			simulator.Settings{ValidateRestore: "absent"}, apply.Done, "validate not-started, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"the check is refused": {
			simulator.Settings{ValidateRestore: "forbidden"}, apply.Done, "validate not-started, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"the check says no, and the restore works": {
			simulator.Settings{RestoreFindings: []simulator.Finding{{Code: "UserErrorCoreCountSubscriptionQuotaReached", Message: "no cores"}}},
			apply.Done,
			"validate failed, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"the check never ends": {
			fault(simulator.Fault{Kind: "restore.validate", Operation: "hangs"}), apply.Done, "validate timed-out, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"the snapshot is gone": {
			onRestore(simulator.Fault{Status: 400, Code: "UserErrorInstantRpNotFound", Message: "Restore failed because the snapshot of the VM was not found."}),
			apply.Failed, "validate done, restore failed", "snapshot of the VM was not found", 0, "",
		},
		"the job fails": {
			onRestore(simulator.Fault{Operation: "lies", Code: "UserErrorNoRoom", Message: "there is no room"}), apply.Failed, "validate done, restore failed", "there is no room", 0, "",
		},
		"the job fails and leaves a disk": {
			onRestore(simulator.Fault{Disks: "left"}), apply.Failed, "validate done, restore failed", "internal error", 1, "did not complete",
		},
		"too many disks in the subscription": {
			simulator.Settings{DiskQuota: 5}, apply.Failed, "validate failed, restore failed", "quota of 5 disks", 0, "",
		},
		"the job never ends": {
			simulator.Settings{Durations: map[string]simulator.Range{"restoreFromSnapshot": simulator.Fixed(9 * time.Hour)}}, apply.Unconfirmed, "validate done, restore unconfirmed", "time limit", 0, "",
		},
		"the disks are listed late": {
			simulator.Settings{Durations: map[string]simulator.Range{"diskLag": simulator.Fixed(4 * time.Minute)}}, apply.Done, "validate done, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"the disks are never listed": {
			simulator.Settings{Durations: map[string]simulator.Range{"diskLag": simulator.Fixed(time.Hour)}}, apply.Failed, "validate done, restore done, check failed, clean-up not-started", "no disk with the tag", 0, "",
		},
		"a disk is missing": {
			onRestore(simulator.Fault{Disks: "missing"}), apply.Failed, "validate done, restore done, check failed, clean-up done", "2 of 3 disks", 0, "",
		},
		"somebody attached the disks": {
			onRestore(simulator.Fault{Disks: "attached"}), apply.Done, "validate done, restore done, check done, clean-up failed", "left behind: 3 disks of 3", 3, "attached to somebodys",
		},
		"no right to delete": {
			fault(simulator.Fault{Kind: "disk.delete", Times: -1, Status: 403}), apply.Done, "validate done, restore done, check done, clean-up failed", "left behind: 3 disks of 3", 3, "AuthorizationFailed",
		},
		"deleting is throttled for a while": {
			fault(simulator.Fault{Kind: "disk.delete", Status: 429, Headers: map[string]string{"Retry-After": "17"}}), apply.Done, "validate done, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"a delete is refused for an hour": {
			fault(simulator.Fault{Kind: "disk.delete", Status: 429, Headers: map[string]string{"Retry-After": "3600"}}), apply.Done, "validate done, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"the answer to a delete is lost": {
			fault(simulator.Fault{Kind: "disk.delete", Reset: "after"}), apply.Done, "validate done, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"a delete is lost": {
			fault(simulator.Fault{Kind: "disk.delete", Reset: "before"}), apply.Done, "validate done, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"a delete fails later": {
			fault(simulator.Fault{Kind: "disk.delete", Operation: "fails"}), apply.Done, "validate done, restore done, check done, clean-up failed", "left behind: 1 disk of 3", 1, "still there",
		},
		"the answer to the restore is lost": {
			onRestore(simulator.Fault{Reset: "after"}), apply.Done, "validate done, restore done, check done, clean-up failed", "may be another client's", 3, "may be another client's",
		},
		"the request for the restore is lost": {
			onRestore(simulator.Fault{Reset: "before"}), apply.Done, "validate done, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"the service has trouble with the group": {
			fault(simulator.Fault{Kind: "group.get", Nth: 2, Times: 7, Status: 503}), apply.Done, "validate done, restore done, check done, clean-up done", "3 disks", 0, "",
		},
		"the group cannot be read": {
			fault(simulator.Fault{Kind: "group.get", Nth: 2, Times: -1, Status: 403}), apply.Failed, "validate done, restore failed", "AuthorizationFailed", 0, "",
		},
		"the group cannot be read again": {
			fault(simulator.Fault{Kind: "group.get", Nth: 3, Times: -1, Status: 403}), apply.Done, "validate done, restore done, check done, clean-up failed", "left behind: 3 disks", 3, "AuthorizationFailed",
		},
		"the disks cannot be listed": {
			fault(simulator.Fault{Kind: "disks.list", Times: -1, Status: 403}), apply.Failed, "validate done, restore failed", "AuthorizationFailed", 0, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRehearsal(t, 1, simulator.Options{Settings: tt.settings})
				res := r.run(t, apply.Options{}).Results[0]
				disks, why := leftOf(res, apply.LeftDisk)
				if res.Outcome != tt.outcome || stepsOf(res) != tt.steps || !strings.Contains(res.Code+": "+res.Message, tt.message) || disks != tt.disks || !strings.Contains(why, tt.why) {
					t.Errorf("%s %s: %s\nsteps %+v\nleft %+v", res.Outcome, res.Code, res.Message, res.Steps, res.LeftBehind)
				}
				if staging, _ := leftOf(res, apply.LeftStaging); (staging == 1) != strings.Contains(stepsOf(res), "check") && res.Job != "" && staging != 1 {
					t.Errorf("the staging account is told of %d times: %+v", staging, res.LeftBehind)
				}
			})
		})
	}
}

// What the file and the plan promise for a restore test is read again: the group's tag, and what the group holds.
func TestARestoreTestIsNotMadeInAGroupThatIsNoLongerAllowed(t *testing.T) {
	untag := simulator.ConcurrentClient{Section: "resourceGroups", Body: json.RawMessage(`{"id":"/subscriptions/` + subscriptionID(1) + `/resourceGroups/rg-tests","name":"rg-tests","location":"westeurope","tags":{}}`)}
	for when, tt := range map[string]struct{ kind, steps, message string }{
		"before the restore":  {"restore.validate", "validate done, restore failed", "does not carry the tag"},
		"before the clean-up": {"item.restore", "validate done, restore done, check done, clean-up failed", "does not carry the tag"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRehearsal(t, 1, simulator.Options{Settings: simulator.Settings{Faults: []simulator.Fault{{Name: "f", Kind: tt.kind, ConcurrentClients: []simulator.ConcurrentClient{untag}}}}})
			res := r.run(t, apply.Options{}).Results[0]
			if stepsOf(res) != tt.steps || !strings.Contains(res.Message, tt.message) {
				t.Errorf("%s: %s %s\n%+v", when, res.Outcome, res.Message, res.Steps)
			}
			for _, s := range r.wire.requests(-1) {
				if s.method == http.MethodDelete {
					t.Errorf("%s: %s %s", when, s.method, s.path)
				}
			}
		})
	}
}

// Ctrl-C in the middle: the restore runs on, and the report tells what it will leave and how to remove it.
func TestAnInterruptedRestoreTestReportsWhatItWillLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRehearsal(t, 2, simulator.Options{Settings: simulator.Settings{Durations: map[string]simulator.Range{"restoreFromSnapshot": simulator.Fixed(30 * time.Minute)}}})
		asked := make(chan struct{})
		time.AfterFunc(5*time.Minute, func() { close(asked) })
		for _, res := range r.run(t, apply.Options{Interrupt: asked, Grace: time.Minute}).Results {
			n, why := leftOf(res, apply.LeftRestore)
			if res.Outcome != apply.Interrupted || n != 1 || !strings.Contains(why, "azbackup restore-test --clean-up") || !strings.Contains(why, plan.TagRestoreJob) {
				t.Errorf("%s: %+v", res.Outcome, res.LeftBehind)
			}
		}
	})
}

// Restore tests run after everything else, and not more of them at once than allowed.
func TestNoMoreRestoreTestsRunThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRehearsal(t, 4, simulator.Options{})
		r.run(t, apply.Options{Limits: apply.Limits{Restores: 1}})
		running, most := 0, 0
		for _, s := range r.wire.requests(-1) {
			if s.method == http.MethodPost && strings.HasSuffix(s.path, "/restore") {
				running++
			}
			if s.method == http.MethodDelete {
				running = 0
			}
			most = max(most, running)
		}
		if most != 1 {
			t.Errorf("%d ran at once", most)
		}
	})
}
