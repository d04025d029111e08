package apply_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func TestARefusedWriteFailsWithItsCodeAndHint(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"fail"}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2")), apply.Options{})
		res := wantOutcome(t, rep, "protect:vm1", apply.Failed)
		if res.Code != "UserErrorVmVaultLocationMismatch" || res.RequestID != "req-fail" || res.Hint == "" {
			t.Errorf("result %+v", res)
		}
		wantOutcome(t, rep, "protect:vm2", apply.Done)
		if az.started("protect:vm1") != 1 {
			t.Error("a hopeless write was repeated")
		}
	})
}

func TestA429IsWaitedForAsLongAsTheServiceAsks(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"429", "429"}
		rep, rec := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		wantOutcome(t, rep, "protect:vm1", apply.Done)
		starts := rec.at(apply.EventStarted, "protect:vm1")
		if len(starts) != 3 || starts[1].Sub(starts[0]) < 20*time.Second {
			t.Errorf("writes at %v, want three, 20 s apart", starts)
		}
		if len(rec.at(apply.EventThrottled, "protect:vm1")) != 2 {
			t.Error("nobody was told of the throttling")
		}
	})
}

func TestA429LongerThanTheDeadlineIsNotWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"429-long"}
		began := time.Now()
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		res := wantOutcome(t, rep, "protect:vm1", apply.TimedOut)
		wantContains(t, "the message", res.Message, "20h0m0s")
		if time.Since(began) > time.Second {
			t.Errorf("it took %v", time.Since(began))
		}
	})
}

func TestARightThatComesLateIsWaitedForALittle(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"403"}
		az.script["vm2"] = []string{"403", "403"}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2")), apply.Options{})
		wantOutcome(t, rep, "protect:vm1", apply.Done)
		res := wantOutcome(t, rep, "protect:vm2", apply.Failed)
		wantContains(t, "the hint", res.Hint, "lacks the right")
	})
}

func TestAConflictIsWaitedOutAndTheVaultListedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"conflict", "conflict", "conflict"}
		rep, rec := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		wantOutcome(t, rep, "protect:vm1", apply.Done)
		wantWrites(t, az, "protect:vm1", 4)
		last := rec.at(apply.EventAccepted, "protect:vm1")[0]
		before := 0
		for _, at := range rec.at(apply.EventSwept, "") {
			if at.Before(last) {
				before++
			}
		}
		if before != 3 {
			t.Errorf("the vault was listed %d times after 3 conflicts", before)
		}
	})
}

func TestAConflictWithAnotherClientThatDidTheSameEndsAsAlreadyDone(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"conflict"}
		c := itemChange(plan.Protect, "vm1")
		az.put(c)
		rep, _ := carryOut(t, az, planOf(c), apply.Options{})
		wantOutcome(t, rep, c.ID, apply.AlreadyDone)
		if az.started("protect:vm1") != 1 {
			t.Error("it was written again")
		}
	})
}

func TestAConflictThatNeverEndsTimesOutWithTheLastTrouble(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		for range 1000 {
			az.script["vm1"] = append(az.script["vm1"], "conflict")
		}
		began := time.Now()
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{Limits: apply.Limits{ItemTimeout: 10 * time.Minute}})
		res := wantOutcome(t, rep, "protect:vm1", apply.TimedOut)
		wantContains(t, "the message", res.Message, "10m0s")
		wantContains(t, "the message", res.Message, "BMSUserErrorConflictingProtectionOperation")
		if took := time.Since(began); took != 10*time.Minute {
			t.Errorf("it took %v", took)
		}
		if n := az.started("protect:vm1"); n > 15 {
			t.Errorf("%d writes in 10 minutes of conflict", n)
		}
	})
}

func TestAWriteThatHadItsEffectIsNotRepeated(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		inBubble(t, func(t *testing.T, az *fake) {
			az.hideJobs = hidden // then the item shows it, in time
			if hidden {
				az.duration = func(plan.Change, int) time.Duration { return 20 * time.Second }
			}
			az.script["vm1"] = []string{"reset-after"}
			rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
			wantOutcome(t, rep, "protect:vm1", apply.Done)
			if n := az.started("protect:vm1"); n != 1 {
				t.Errorf("jobs hidden %v: %d writes, want 1", hidden, n)
			}
		})
	}
}

func TestAWriteThatNeverArrivedIsRepeatedAfterTheUnknownOutcomeWindow(t *testing.T) {
	for _, word := range []string{"reset-before", "500"} {
		inBubble(t, func(t *testing.T, az *fake) {
			az.script["vm1"] = []string{word}
			rep, rec := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
			wantOutcome(t, rep, "protect:vm1", apply.Done)
			starts := rec.at(apply.EventStarted, "protect:vm1")
			if len(starts) != 2 || starts[1].Sub(starts[0]) < 30*time.Second {
				t.Errorf("%s: writes at %v, want two, 30 s apart", word, starts)
			}
		})
	}
}

func TestWhatCannotBeListedIsNotTakenForAbsent(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"reset-after"}
		az.duration = func(plan.Change, int) time.Duration { return 3 * time.Minute }
		var last time.Time
		az.listFails = func(n int) error {
			if n > 0 && n <= 8 && time.Since(last) < 5*time.Second {
				t.Errorf("after a list that failed the next one came after %v", time.Since(last))
			}
			last = time.Now()
			if n < 8 {
				return &apply.Error{Op: "listing", Status: 500, Code: "InternalServerError", Message: "scripted"}
			}
			return nil
		}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		wantOutcome(t, rep, "protect:vm1", apply.Done)
		wantWrites(t, az, "protect:vm1", 1)
	})
}

func TestABackupWhoseAnswerWasLostIsStartedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"reset-after"}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Backup, "vm1")), apply.Options{})
		wantOutcome(t, rep, "backup:vm1", apply.Done)
		wantWrites(t, az, "backup:vm1", 1)
	})
}

func TestABackupThatNeverArrivedIsRepeatedOnlyAfterTheJobsWereRead(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"reset-before"}
		rep, rec := carryOut(t, az, planOf(itemChange(plan.Backup, "vm1")), apply.Options{})
		wantOutcome(t, rep, "backup:vm1", apply.Done)
		starts := rec.at(apply.EventStarted, "backup:vm1")
		if len(starts) != 2 || starts[1].Sub(starts[0]) < 2*time.Minute {
			t.Errorf("writes at %v, want two, more than two minutes apart", starts)
		}
	})
}

func TestABackupThatRunsIsNotStartedAgain(t *testing.T) {
	t.Run("seen before", func(t *testing.T) {
		inBubble(t, func(t *testing.T, az *fake) {
			c := itemChange(plan.Backup, "vm1")
			az.mu.Lock()
			az.accept(c, "ok")
			az.mu.Unlock()
			rep, _ := carryOut(t, az, planOf(c), apply.Options{Observed: time.Now().Add(-2 * time.Minute)})
			wantOutcome(t, rep, c.ID, apply.AlreadyDone)
			if az.started("backup:vm1") != 0 {
				t.Error("it was started")
			}
		})
	})
	t.Run("refused", func(t *testing.T) {
		inBubble(t, func(t *testing.T, az *fake) {
			c := itemChange(plan.Backup, "vm1")
			az.script["vm1"] = []string{"backup-running"}
			az.mu.Lock()
			az.accept(c, "hang")
			az.mu.Unlock()
			rep, _ := carryOut(t, az, planOf(c), apply.Options{})
			wantOutcome(t, rep, c.ID, apply.AlreadyDone)
			wantWrites(t, az, "backup:vm1", 1)
		})
	})
}

func TestABackupIsDoneWhenItsJobIsThere(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		inBubble(t, func(t *testing.T, az *fake) {
			az.hideJobs = hidden // then the operation itself reports it
			az.duration = func(plan.Change, int) time.Duration { return 5 * time.Second }
			began := time.Now()
			rep, _ := carryOut(t, az, planOf(itemChange(plan.Backup, "vm1")), apply.Options{})
			res := wantOutcome(t, rep, "backup:vm1", apply.Done)
			if res.Job == "" {
				t.Error("the result does not name the job")
			}
			if time.Since(began) > 10*time.Second {
				t.Errorf("it took %v", time.Since(began))
			}
		})
	}
}

func TestBackupsAreConfirmedByOneSweepNotOneByOne(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		var changes []plan.Change
		for i := range 100 {
			changes = append(changes, itemChange(plan.Backup, fmt.Sprint("vm", i)))
		}
		carryOut(t, az, planOf(changes...), apply.Options{})
		if az.polls > 0 || az.lists > 6 {
			t.Errorf("%d polls and %d lists for 100 backups", az.polls, az.lists)
		}
	})
}

func TestAnUnknownContainerIsRefreshedOnceForAll(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		vms := []string{"vm1", "vm2", "vm3", "vm4"}
		var changes []plan.Change
		for _, vm := range vms {
			az.script[vm] = []string{"unknown-container", "unknown-container"}
			changes = append(changes, itemChange(plan.Protect, vm))
		}
		rep, _ := carryOut(t, az, planOf(changes...), apply.Options{})
		if rep.Summary[apply.Done] != 4 {
			t.Errorf("summary %v", rep.Summary)
		}
		wantWrites(t, az, "refresh:v1", 1)
		for _, vm := range vms {
			wantWrites(t, az, "protect:"+vm, 2)
		}
	})
}

func TestARefreshThatDoesNotHelpIsNotRepeated(t *testing.T) {
	refused := []string{"never-container", "never-container", "never-container", "never-container"}
	t.Run("by the engine", func(t *testing.T) {
		inBubble(t, func(t *testing.T, az *fake) {
			az.script["vm1"] = refused
			rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
			res := wantOutcome(t, rep, "protect:vm1", apply.Failed)
			if res.Code != "BMSUserErrorInvalidConfigureProtectionRequest" || az.started("refresh:v1") != 1 || az.started("protect:vm1") != 2 {
				t.Errorf("code %s, writes %v", res.Code, az.starts)
			}
		})
	})
	t.Run("by the plan", func(t *testing.T) {
		inBubble(t, func(t *testing.T, az *fake) {
			az.script["vm1"] = refused
			r := vaultChange(plan.Refresh)
			rep, _ := carryOut(t, az, planOf(r, itemChange(plan.Protect, "vm1", r.ID)), apply.Options{})
			wantOutcome(t, rep, "protect:vm1", apply.Failed)
			if az.started("refresh:v1") != 1 || az.started("protect:vm1") != 1 {
				t.Errorf("writes %v", az.starts)
			}
		})
	})
	t.Run("forbidden", func(t *testing.T) {
		inBubble(t, func(t *testing.T, az *fake) {
			az.script["vm1"] = refused
			rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{NoRefresh: true})
			wantOutcome(t, rep, "protect:vm1", apply.Failed)
			if az.started("refresh:v1") != 0 {
				t.Error("it was refreshed")
			}
		})
	})
}

func TestAConvergedItemIsNeverWritten(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := itemChange(plan.Protect, "vm1")
		az.put(c)
		rep, _ := carryOut(t, az, planOf(c, itemChange(plan.Protect, "vm2")), apply.Options{Observed: time.Now().Add(-6 * time.Minute)})
		wantOutcome(t, rep, c.ID, apply.AlreadyDone)
		wantOutcome(t, rep, "protect:vm2", apply.Done)
		if az.started("protect:vm1") != 0 {
			t.Error("it was written")
		}
	})
}

func TestAVaultIsListedBeforeItsFirstWriteOnlyWhenItsListIsOld(t *testing.T) {
	for _, age := range []time.Duration{time.Minute, 6 * time.Minute} {
		inBubble(t, func(t *testing.T, az *fake) {
			_, rec := carryOut(t, az, planOf(
				itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2"), itemChange(plan.Protect, "vm3"),
			), apply.Options{Observed: time.Now().Add(-age)})
			before := 0
			for _, at := range rec.at(apply.EventSwept, "") {
				if !at.After(rec.at(apply.EventStarted, "")[0]) {
					before++
				}
			}
			want := 0
			if age > 5*time.Minute {
				want = 1
			}
			if before != want {
				t.Errorf("listed %d times before the first write with a list %v old, want %d", before, age, want)
			}
		})
	}
}

func TestARunningOperationIsWaitedForBeforeTheWrite(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := itemChange(plan.Modify, "vm1")
		az.duration = func(plan.Change, int) time.Duration { return 4 * time.Minute }
		az.mu.Lock()
		az.accept(itemChange(plan.Backup, "vm1"), "ok")
		job := az.jobs[0]
		az.ops[0].change = c // ends like a configuration
		az.ops[0].jobErr = &plan.JobError{}
		az.mu.Unlock()
		c.WaitsFor = job.ID
		az.duration = func(plan.Change, int) time.Duration { return 12 * time.Second }
		rep, rec := carryOut(t, az, planOf(c), apply.Options{Limits: apply.Limits{Operations: 1}})
		wantOutcome(t, rep, c.ID, apply.Done)
		if at := rec.at(apply.EventStarted, c.ID)[0]; at.Before(job.End) || job.End.IsZero() || at.After(job.End.Add(31*time.Second)) {
			t.Errorf("written at %v, the job's end was at %v", at, job.End)
		}
		if n := len(rec.at(apply.EventSwept, "")); n > 30 {
			t.Errorf("%d lists to wait for a job of four minutes", n)
		}
	})
}

// A list of the jobs in progress misses one that runs where others end between two of its pages.
func TestAJobThatListsMissIsNotTakenForOver(t *testing.T) {
	for name, tt := range map[string]struct {
		errs []error
		want apply.Outcome
	}{
		"it is read":                {nil, apply.Done},
		"it cannot be read at once": {[]error{&apply.Error{Op: "reading a job", Status: 503, Code: "ServiceUnavailable"}}, apply.Done},
		"it cannot be read at all":  {[]error{&apply.Error{Op: "reading a job", Status: 400, Code: "BadRequest", Message: "no"}}, apply.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				c := itemChange(plan.Modify, "vm1")
				az.duration = func(plan.Change, int) time.Duration { return 4 * time.Minute }
				az.mu.Lock()
				az.accept(itemChange(plan.Backup, "vm1"), "ok")
				job := az.jobs[0]
				az.ops[0].change = c // ends like a configuration
				az.ops[0].jobErr = &plan.JobError{}
				az.unlisted, az.jobReadErrs = map[string]bool{job.ID: true}, tt.errs
				az.mu.Unlock()
				c.WaitsFor = job.ID
				az.duration = func(plan.Change, int) time.Duration { return 12 * time.Second }
				rep, rec := carryOut(t, az, planOf(c), apply.Options{})
				wantOutcome(t, rep, c.ID, tt.want)
				if tt.want != apply.Done {
					wantWrites(t, az, "modify:vm1", 0)
					return
				}
				if at := rec.at(apply.EventStarted, c.ID)[0]; at.Before(job.End) || job.End.IsZero() {
					t.Errorf("written at %v, the job's end was at %v", at, job.End)
				}
				if az.jobReads > 50 {
					t.Errorf("%d reads of a job of four minutes", az.jobReads)
				}
			})
		})
	}
}

// Items and jobs are not read at the same moment: items that were listed before a job ended do not show what it did.
func TestNothingIsWrittenByItemsThatAreOlderThanTheEndOfAJob(t *testing.T) {
	for name, tt := range map[string]struct{ isWaitedFor, isListed bool }{
		"the change waits for it":                      {true, true},
		"the change waits for it, and lists miss it":   {true, false},
		"it is another client's, which the plan lacks": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			for end := 5; end <= 150; end += 5 {
				inBubble(t, func(t *testing.T, az *fake) {
					c := itemChange(plan.Protect, "vm1")
					az.duration = func(plan.Change, int) time.Duration { return time.Duration(end) * time.Millisecond }
					az.mu.Lock()
					az.accept(c, "ok")
					job := az.jobs[0].ID
					az.unlisted = map[string]bool{job: !tt.isListed}
					az.mu.Unlock()
					if tt.isWaitedFor {
						c.WaitsFor = job
					}
					rep, rec := carryOut(t, az, planOf(c), apply.Options{Observed: az.now().Add(-time.Minute), Approved: az.now()})
					if res := wantOutcome(t, rep, c.ID, apply.AlreadyDone); res.Outcome == apply.Done && len(rec.at(apply.EventAccepted, c.ID)) > 0 {
						t.Errorf("it ended after %d ms, and was written over", end)
					}
				})
			}
		})
	}
}

func TestAChangeThatWaitsYieldsItsSlot(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"conflict", "conflict", "conflict"}
		rep, rec := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1"), itemChange(plan.Protect, "vm2")),
			apply.Options{Limits: apply.Limits{Operations: 1, Writes: 1}})
		if rep.Summary[apply.Done] != 2 {
			t.Errorf("summary %v", rep.Summary)
		}
		if rec.at(apply.EventStarted, "protect:vm2")[0].After(rec.at(apply.EventFinished, "protect:vm1")[0]) {
			t.Error("a change that only waited kept the only slot")
		}
	})
}

func TestAnItemIsFoundByItsVMWhereItsIdIsSpeltOtherwise(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := itemChange(plan.Stop, "vm1")
		az.put(itemChange(plan.Protect, "vm1"))
		az.items[armid.Of(c.Target)].ID = c.Vault + "/backupFabrics/Azure/protectionContainers/x/protectedItems/y"
		rep, _ := carryOut(t, az, planOf(c), apply.Options{})
		wantOutcome(t, rep, c.ID, apply.Done)
	})
}

func TestARefreshThatFailsIsReportedWithTheRefusalThatNeededIt(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = []string{"unknown-container"}
		az.script["v1"] = []string{"fail"}
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		res := wantOutcome(t, rep, "protect:vm1", apply.Failed)
		if res.Code != "BMSUserErrorInvalidConfigureProtectionRequest" {
			t.Errorf("code %s", res.Code)
		}
		wantContains(t, "the message", res.Message, "refreshing the vault failed")
	})
}
