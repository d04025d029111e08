package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/internal/tools/costs"
)

const latency = 50 * time.Millisecond

// apply is one apply that protects every machine of a small estate: 50 ms latency on each request.
type apply struct {
	vms, vaults int // 0 vaults = 1
	takes       time.Duration
	refresh     string // settings.refresh; "" = never
	settings    simulator.Settings
	// bound is the minimum that operations, latency and quotas permit, in seconds: the last write that the bucket
	// admits, its 50 ms, its operation, and the 50 ms of the poll that shows the end.
	bound float64
}

func (a apply) run(ctx context.Context, l *lab) (m measured, err error) {
	s, config, err := a.serve(ctx, l)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	r, err := l.azbackupOn(ctx, s, []int{0}, "apply", "-f", config, "--auto-approve", "--format", "json")
	if err != nil {
		return m, err
	}
	span, err := spanOf(r.stdout, a.vms)
	if err != nil {
		return m, err
	}
	return measured{
		Figures: map[figure]float64{
			seconds: r.seconds, ofBound: r.seconds / a.bound, each: float64(r.requests) / float64(a.vms), throttled: float64(r.throttled),
		},
		Note: fmt.Sprintf("bound %s; first write to last confirmation %s", seconds.text(a.bound), seconds.text(span.Seconds())),
	}, nil
}

// serve creates the estate and serves it.
func (a apply) serve(ctx context.Context, l *lab) (s *server, config string, err error) {
	dir, err := os.MkdirTemp(l.runs, "estate-")
	if err != nil {
		return nil, "", err
	}
	estate, config := filepath.Join(dir, "estate.json"), filepath.Join(dir, "azbackup.yaml")
	if err := (costs.Shape{VMs: a.vms, Vaults: a.vaults, Refresh: a.refresh}).Write(estate, config); err != nil {
		return nil, "", err
	}
	set := a.settings
	set.Latency = simulator.Fixed(latency)
	set.Durations = map[string]simulator.Range{"": simulator.Fixed(a.takes)}
	if set.RetryAfter == nil {
		set.RetryAfter = new(1)
	}
	s, err = l.serve(ctx, estate, set)
	return s, config, err
}

// spanOf reads from a report the time from the first write to the last confirmation, and checks that all changes are
// done.
func spanOf(file string, vms int) (time.Duration, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var report struct {
		Results []struct {
			Action, Outcome   string
			Started, Finished time.Time
		}
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return 0, fmt.Errorf("reading a report: %w", err)
	}
	done, first, last := 0, time.Time{}, time.Time{}
	for _, r := range report.Results {
		if r.Action != "protect" || r.Outcome != "done" {
			continue
		}
		if done++; first.IsZero() || r.Started.Before(first) {
			first = r.Started
		}
		if r.Finished.After(last) {
			last = r.Finished
		}
	}
	if done != vms {
		return 0, fmt.Errorf("%d machines were protected, expected %d", done, vms)
	}
	return last.Sub(first), nil
}

// repeated measures the same several times, and how many times the fastest the slowest took.
func repeated(times int, one run) run {
	return func(ctx context.Context, l *lab) (measured, error) {
		fastest, slowest, all := math.Inf(1), 0.0, ""
		for range times {
			m, err := one(ctx, l)
			if err != nil {
				return m, err
			}
			took := m.Figures[seconds]
			fastest, slowest = min(fastest, took), max(slowest, took)
			all += fmt.Sprintf(" %.1f", took)
		}
		return measured{Figures: map[figure]float64{ofOther: slowest / fastest}, Note: "seconds:" + all}, nil
	}
}

// planAgain measures a plan over 1000 protected machines in one vault that leaves nothing to do; pages are the
// simulator's page sizes.
func planAgain(pages map[string]int) run {
	return func(ctx context.Context, l *lab) (m measured, err error) {
		a := apply{vms: 1000, takes: time.Millisecond, settings: costs.Plenty()}
		a.settings.Pages = pages
		s, config, err := a.serve(ctx, l)
		if err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		if _, err = l.azbackupOn(ctx, s, []int{0}, "apply", "-f", config, "--auto-approve"); err != nil {
			return m, err
		}
		r, err := l.azbackupOn(ctx, s, []int{0}, "plan", "-f", config, "--detailed-exitcode")
		return measured{Figures: map[figure]float64{seconds: r.seconds, requests: float64(r.requests)}}, err
	}
}
