package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/azbackup/azbackup/internal/tools/costs"
)

// An audit has findings in every estate here, and the estates contain machines whose backup state is not readable.
func auditCodes() []int { return []int{0, 2, 5} }

// reading measures a command that reads a fleet and writes its result.
func reading(f fleet, command string, args ...string) run {
	return func(ctx context.Context, l *lab) (measured, error) {
		r, err := f.read(ctx, l, command, args...)
		if err != nil {
			return measured{}, err
		}
		m := measured{Figures: map[figure]float64{seconds: r.seconds, memory: r.megabytes, requests: float64(r.requests)}}
		m.Note = fmt.Sprintf("%.1f s of a processor, %.1f MB written", r.cpu, float64(r.bytes)/1e6)
		return m, nil
	}
}

// read runs a command on a fleet, and checks that it read all of it.
func (f fleet) read(ctx context.Context, l *lab, command string, args ...string) (ran, error) {
	estate, config, err := f.make(ctx, l)
	if err != nil {
		return ran{}, err
	}
	s, err := l.reads(ctx, estate)
	if err != nil {
		return ran{}, err
	}
	codes := []int{0}
	if command == "audit" {
		codes = auditCodes()
	}
	r, err := l.azbackupOn(ctx, s, codes, append([]string{command, "-f", config, "--log-format", "json"}, args...)...)
	if err != nil {
		return r, err
	}
	return r, r.hasRead(f.vms)
}

// hasRead returns an error unless the log shows that all machines were read: a run that reads less is not faster.
func (r ran) hasRead(vms int) error {
	for line := range strings.Lines(r.stderr) {
		var entry struct {
			VMs          *int
			Subscription string // "" = the whole read
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.VMs != nil && entry.Subscription == "" {
			if *entry.VMs != vms {
				return fmt.Errorf("%d machines were read, expected %d", *entry.VMs, vms)
			}
			return nil
		}
	}
	return fmt.Errorf("nothing says how many machines were read:\n%s", r.stderr)
}

// against measures the same work on two estates, and the ratio of the first to the second.
func against(first, second run) run {
	return func(ctx context.Context, l *lab) (measured, error) {
		a, err := first(ctx, l)
		if err != nil {
			return a, err
		}
		b, err := second(ctx, l)
		if err != nil {
			return b, err
		}
		x, y := a.Figures[seconds], b.Figures[seconds]
		return measured{
			Figures: map[figure]float64{ofOther: x / y},
			Note:    fmt.Sprintf("%s against %s, with %s against %s", seconds.text(x), seconds.text(y), a.Note, b.Note),
		}, nil
	}
}

// exporting measures an export, and checks whether a plan of its output has changes.
func exporting(f fleet) run {
	return func(ctx context.Context, l *lab) (measured, error) {
		r, err := f.read(ctx, l, "export")
		if err != nil {
			return measured{}, err
		}
		p, err := l.azbackupOn(ctx, l.shared, []int{0}, "plan", "-f", r.stdout, "--format", "json", "--log-format", "json")
		if err != nil {
			return measured{}, err
		}
		if err := p.hasRead(f.vms); err != nil {
			return measured{}, err
		}
		changes, err := changesIn(p.stdout)
		return measured{
			Figures: map[figure]float64{seconds: r.seconds, memory: r.megabytes, written: float64(r.bytes) / 1e6, left: float64(changes)},
			Note:    fmt.Sprintf("the plan of it %s, %s", seconds.text(p.seconds), memory.text(p.megabytes)),
		}, err
	}
}

// changesIn counts the pending and blocked changes in a plan's JSON.
func changesIn(file string) (int, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var plan struct{ Changes []json.RawMessage }
	if err := json.Unmarshal(raw, &plan); err != nil {
		return 0, fmt.Errorf("reading a plan: %w", err)
	}
	return len(plan.Changes), nil
}

// parsing measures the check of a file of the given bytes that names each machine.
func parsing(size int) run {
	return func(ctx context.Context, l *lab) (measured, error) {
		file := filepath.Join(l.runs, "big.yaml")
		if err := costs.WriteFileOfIDs(file, size); err != nil {
			return measured{}, err
		}
		r, err := l.azbackupOn(ctx, nil, []int{0}, "validate", "-f", file)
		return measured{Figures: map[figure]float64{seconds: r.seconds, memory: r.megabytes, ofFile: r.megabytes * 1e6 / float64(size)}}, err
	}
}
