package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// virtualRun is one apply that internal/simtest measured in virtual time: the same on every machine.
type virtualRun struct {
	Profile                   string
	VMs, Vaults               int
	Makespan, Bound, Requests float64 // seconds, from the first write to the last confirmation; requests in that time
	Throttled                 float64
}

// The profiles of internal/simtest that the tables show.
const (
	quiet  = "real, 150/h, others 0/h"
	others = "real, 150/h, others 50/h"
	// 20 restores from snapshots at once, 1100 reads of jobs an hour
	restores = "restores"
)

// recordingOf returns the test that measures a profile.
func recordingOf(profile string) string {
	if profile == restores {
		return "TestRecordOfRestores"
	}
	return "TestRecordOfRuns"
}

// virtual returns a run recorded by internal/simtest.
func virtual(profile string, vms, vaults int) run {
	return func(ctx context.Context, l *lab) (measured, error) {
		recording := recordingOf(profile)
		if l.virtual[recording] == nil {
			if err := l.recordVirtual(ctx, recording); err != nil {
				return measured{}, err
			}
		}
		for _, r := range l.virtual[recording] {
			if r.Profile == profile && r.VMs == vms && r.Vaults == vaults {
				return measured{
					Figures: map[figure]float64{ofBound: r.Makespan / r.Bound, each: r.Requests / float64(vms), throttled: r.Throttled},
					Note:    fmt.Sprintf("first write to last confirmation %.1f s, bound %.1f s", r.Makespan, r.Bound),
				}, nil
			}
		}
		return measured{}, fmt.Errorf("internal/simtest recorded no run of %d machines in %d vaults, profile %q",
			vms, vaults, profile)
	}
}

func (l *lab) recordVirtual(ctx context.Context, recording string) error {
	file := filepath.Join(l.dir, recording+".json")
	cmd := exec.CommandContext(ctx, "go", "test", "github.com/azbackup/azbackup/internal/simtest", "-count=1", "-timeout", "0",
		"-run", "^"+recording+"$", "-args", "-record", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("recording runs in virtual time: %w\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var runs []virtualRun
	if err := json.Unmarshal(raw, &runs); err != nil {
		return err
	}
	if l.virtual == nil {
		l.virtual = map[string][]virtualRun{}
	}
	l.virtual[recording] = runs
	return nil
}
