package simtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// cleanUpFaults returns faults of a run of restore tests that leaves disks, and of the requests of a clean-up.
func cleanUpFaults(r *rand.Rand) []simulator.Fault {
	out := []simulator.Fault{}
	if r.IntN(2) == 0 { // the identity of the run may not delete; that of the clean-up may
		out = append(out, simulator.Fault{Name: "no right", Kind: "disk.delete", Times: 1 + r.IntN(9), Status: 403})
	}
	for i := range r.IntN(4) {
		f := simulator.Fault{Name: fmt.Sprint("f", i), Kind: pick(r, "disks.list", "disk.get", "disk.get", "disk.delete", "disk.delete", "job.get", "group.get"), Chance: pick(r, 0.05, 0.3)}
		if f.Kind == "group.get" { // the plan is made without trouble
			f.Chance, f.Nth, f.Times = 0, 3+r.IntN(6), 1+r.IntN(3)
		}
		switch r.IntN(4) {
		case 0:
			f.Reset = pick(r, "before", "after")
		case 1:
			f.Status, f.AfterEffect = 503, r.IntN(2) == 0
		case 2:
			f.Status = pick(r, 403, 404, 429)
		case 3:
			if f.Truncate = true; f.Kind == "disk.delete" {
				f.Truncate, f.Operation = false, pick(r, "fails", "lies", "hangs")
			}
		}
		out = append(out, f)
	}
	if r.IntN(3) == 0 {
		out = append(out, simulator.Fault{Name: "disks", Kind: "item.restore", Disks: pick(r, "left", "missing", "attached")})
	}
	return out
}

// findLeft does the reads of `restore-test --clean-up`: what cannot be read is left out, and told.
func (r *rehearsal) findLeft(ctx context.Context) (left []plan.LeftDisk, isWhole bool) {
	group, exists, err := r.client.ResourceGroup(ctx, r.group)
	if err != nil || !exists || !group.AllowsRestoreTests() {
		return nil, false
	}
	disks, err := r.client.Disks(ctx, r.group)
	if err != nil {
		return nil, false
	}
	jobs, err := r.client.RestoreJobsNamed(ctx, r.plan.Changes[0].Vault, plan.TaggedJobs(disks))
	return plan.LeftDisks(r.group, disks, jobs), err == nil
}

// playCleanUp plays restore tests that are cut or may not delete, then a clean-up, perhaps killed too, while another client is
// in the group, and at last a clean-up that nothing disturbs. It returns what is wrong, and how many disks clean-ups deleted.
func playCleanUp(t *testing.T, seed uint64) (wrong []string, deleted int) {
	t.Helper()
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	r := rand.New(rand.NewPCG(seed, 0xc1ea))
	actor := newGroupActor(rand.New(rand.NewPCG(seed, 0xac71)), pick(r, 0, 0.02, 0.1, 0.3))
	settings := simulator.Settings{
		Seed: seed, Faults: cleanUpFaults(r),
		Durations: map[string]simulator.Range{"diskLag": simulator.Fixed(pick(r, 0, 0, time.Minute, 20*time.Minute))},
	}
	calm := false
	settingsOf := simulator.Options{Settings: settings, Effects: actor.observe}
	settingsOf.ConcurrentClients = func(n int, req *http.Request) []simulator.ConcurrentClient {
		if calm {
			return nil
		}
		return actor.actionsBefore(n, req)
	}
	vms := 1 + r.IntN(3)
	h := newRehearsal(t, vms, settingsOf)
	actor.watch(h)
	defer func() {
		if len(wrong) > 0 {
			t.Logf("the other client %s", strings.Join(actor.log, "; "))
		}
	}()

	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	h.connect(t)
	h.wire.begin(pick(r, -1, r.IntN(70)), r.IntN(2) == 0, kill)
	_, _ = apply.Run(ctx, h.plan, h.client, apply.Options{
		Limits: apply.Limits{Restores: 1 + r.IntN(3), RestoreTimeout: 2 * time.Hour, RunTimeout: 24 * time.Hour}, Budget: h.client, Now: h.client.Now,
	})
	time.Sleep(pick(r, time.Minute, 10*time.Minute, 3*time.Hour)) // some restores may still run
	h.wire.begin(-1, true, nil)

	from, requests := len(h.effects), len(h.wire.requests(-1))
	check := func(when string) {
		// Nothing but disks is gone, no DELETE goes to anything but a disk of the group, and a clean-up restores nothing.
		now := h.inventory()
		for section, ids := range h.before {
			if section != "disks" && !slices.Equal(ids, now[section]) {
				bad("%s: %s changed: %v to %v", when, section, ids, now[section])
			}
		}
		for _, s := range h.wire.requests(-1)[requests:] {
			if s.method == http.MethodPost || s.method == http.MethodPut || s.method == http.MethodPatch ||
				s.method == http.MethodDelete && !strings.HasPrefix(s.path, strings.ToLower(h.group)+"/providers/microsoft.compute/disks/") {
				bad("%s: %s %s", when, s.method, s.path)
			}
		}
		// A disk that is gone carried the name of a restore that completed, was made while it ran, and was free and nobody else's.
		jobs := h.jobStates()
		for _, e := range h.effects[from:] {
			if e.Section != "disks" || e.After != nil || e.Cause.IsConcurrentClient {
				continue
			}
			var d struct{ ManagedBy string }
			decode(e.Before, &d)
			switch id := idOf(e.Before); {
			case actor.taken[id]:
				bad("%s: %s was deleted, which the other client made or took into use", when, id)
			case d.ManagedBy != "":
				bad("%s: %s was deleted, and is attached", when, id)
			case jobs[tagOf(e.Before)] != "Completed":
				bad("%s: %s was deleted, of job %q, which is %q", when, id, tagOf(e.Before), jobs[tagOf(e.Before)])
			}
		}
	}

	// The clean-up while the other client acts and requests fail.
	ctx, kill = context.WithCancel(context.Background())
	defer kill()
	h.connect(t)
	cut := -1
	if r.IntN(3) == 0 {
		cut = r.IntN(30)
	}
	h.wire.begin(cut, r.IntN(2) == 0, kill)
	shown, _ := h.findLeft(ctx)
	limited, cancel := context.WithTimeout(ctx, time.Hour)
	left := apply.CleanUp(limited, h.client, h.group, shown)
	cancel()
	wasKilled := h.wire.isCut
	h.wire.begin(-1, true, nil)
	check("clean-up")
	// What it saw and did not remove is told, with the reason.
	checkTold := func() {
		told := map[armid.Key]bool{}
		for _, l := range left {
			told[armid.Of(l.ID)] = l.Why != ""
		}
		after := h.groupDisks()
		for _, d := range shown {
			if _, isThere := after[armid.Of(d.Disk.ID)]; isThere && !told[armid.Of(d.Disk.ID)] {
				bad("%s is there, and the clean-up does not tell", d.Disk.ID)
			}
		}
	}
	if !wasKilled {
		checkTold()
	}

	// Undisturbed, what may be removed is removed.
	calm = true
	time.Sleep(6 * time.Hour)
	for range 4 { // a fault may still hit one of them
		h.connect(t)
		var isWhole bool
		if shown, isWhole = h.findLeft(context.Background()); isWhole {
			// It sees each disk that carries the name of a restore into the group, whether it may be removed or not.
			for id, job := range h.groupDisks() {
				isShown := slices.ContainsFunc(shown, func(d plan.LeftDisk) bool { return armid.Of(d.Disk.ID) == id })
				if h.jobStates()[job] == "Completed" && !isShown {
					bad("%s is there, of job %s, and the clean-up does not see it", id, job)
				}
			}
			limited, cancel := context.WithTimeout(context.Background(), time.Hour)
			left = apply.CleanUp(limited, h.client, h.group, shown)
			cancel()
			checkTold()
		}
	}
	check("the last clean-up")
	if !slices.ContainsFunc(settings.Faults, func(f simulator.Fault) bool { return strings.HasPrefix(f.Name, "f") }) {
		rest, _ := h.findLeft(context.Background())
		for _, d := range rest {
			if d.WhyKept == "" {
				bad("%s of job %s may be removed, and is still there", d.Disk.ID, d.Job.Name)
			}
		}
	}
	for _, e := range h.effects[from:] {
		if e.Section == "disks" && e.After == nil && !e.Cause.IsConcurrentClient {
			deleted++
		}
	}
	return wrong, deleted
}

// A clean-up of what earlier runs left, whatever another client does in the group, whatever fails, and wherever it is cut.
func TestACleanUpDeletesNothingButWhatTestsLeft(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	total := 0
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wrong, deleted := playCleanUp(t, seed)
				for _, w := range wrong {
					t.Error(w)
				}
				total += deleted
			})
		})
	}
	if total < int(seeds) {
		t.Errorf("%d disks were deleted in %d seeds: that proves little", total, seeds)
	}
}
