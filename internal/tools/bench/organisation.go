package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// organisation is the fleet of a whole organisation: 400 vaults of the file and one by hand in each of 200 subscriptions,
// below three management groups. Two subscriptions are unreadable, and one is disabled.
func organisation() fleet {
	return fleet{vms: 120_000, vaults: 400, subscriptions: 200, organisation: true}
}

// organisationRows measure a run over it: in one process, and in four shards, whose audits are merged and must be the
// audit of all.
func organisationRows() []row {
	f := organisation()
	return []row{
		{name: "organisation-plan", what: "plan of 200 subscriptions below 3 management groups, 600 vaults, 120,000 VMs, two unreadable and one disabled", once: true, run: f.planOrganisation},
		{name: "organisation-audit", what: "audit of these subscriptions, JSON", once: true, run: f.auditOrganisation},
		{name: "organisation-shards", what: "audit of the same by four processes at once, merged, equal to the one above", once: true, run: f.auditShards},
	}
}

// auditAt is the time of the audits that are compared.
const auditAt = "2026-11-20T08:00:00Z"

func (f fleet) planOrganisation(ctx context.Context, l *lab) (measured, error) {
	r, err := f.incomplete(ctx, l, "plan", "--format", "json")
	if err != nil {
		return measured{}, err
	}
	return r.asMeasured(), nil
}

func (f fleet) auditOrganisation(ctx context.Context, l *lab) (measured, error) {
	p, err := f.incomplete(ctx, l, "plan", "--format", "json")
	if err != nil {
		return measured{}, err
	}
	r, err := f.incomplete(ctx, l, "audit", "--format", "json", "--as-of", auditAt)
	if err != nil {
		return measured{}, err
	}
	if a, b := p.vms(), r.vms(); a != b || a == 0 {
		return measured{}, fmt.Errorf("the plan read %d machines, the audit %d", a, b)
	}
	return r.asMeasured(), nil
}

// incomplete runs a command on the organisation, which ends with 5, and checks that exactly two subscriptions are unreadable.
func (f fleet) incomplete(ctx context.Context, l *lab, args ...string) (ran, error) {
	estate, config, err := f.make(ctx, l)
	if err != nil {
		return ran{}, err
	}
	s, err := l.reads(ctx, estate)
	if err != nil {
		return ran{}, err
	}
	r, err := l.azbackupOn(ctx, s, []int{5}, append([]string{args[0], "-f", config, "--log-format", "json"}, args[1:]...)...)
	if err != nil {
		return r, err
	}
	raw, err := os.ReadFile(r.stdout)
	if err != nil {
		return r, err
	}
	var result struct {
		Gaps []struct{ Kind, Code, Subscription string }
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		return r, fmt.Errorf("reading the result: %w", err)
	}
	unreadable := map[string]bool{}
	for _, g := range result.Gaps {
		unreadable[g.Subscription+" "+g.Code] = true
	}
	if len(result.Gaps) != 4 || len(unreadable) != 2 {
		return r, fmt.Errorf("the gaps are %v, not the machines and the vaults of two subscriptions", result.Gaps)
	}
	return r, nil
}

// vms returns the number of machines that a run says it read.
func (r ran) vms() int {
	for line := range strings.Lines(r.stderr) {
		var entry struct {
			VMs   *int
			Event string
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.VMs != nil && entry.Event == "" {
			return *entry.VMs
		}
	}
	return 0
}

func (r ran) asMeasured() measured {
	return measured{
		Figures: map[figure]float64{seconds: r.seconds, memory: r.megabytes, requests: float64(r.requests)},
		Note:    fmt.Sprintf("%.1f s of a processor, %.1f MB written", r.cpu, float64(r.bytes)/1e6),
	}
}

// auditShards runs the four shards of an audit at once, merges them, and compares the result with the audit of all.
func (f fleet) auditShards(ctx context.Context, l *lab) (measured, error) {
	whole, err := f.incomplete(ctx, l, "audit", "--format", "json", "--as-of", auditAt)
	if err != nil {
		return measured{}, err
	}
	_, config, err := f.make(ctx, l)
	if err != nil {
		return measured{}, err
	}
	const n = 4
	var parts [n]ran
	var failed [n]error
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			parts[i], failed[i] = l.azbackupOn(ctx, l.shared, auditCodes(), "audit", "-f", config, "--format", "json", "--log-format", "json", "--as-of", auditAt, "--shard", fmt.Sprintf("%d/%d", i+1, n))
		})
	}
	all.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		return measured{}, err
	}
	merge := []string{"report", "merge", "--format", "json"}
	m := measured{Figures: map[figure]float64{}}
	var together float64
	for i, p := range parts {
		named := filepath.Join(p.dir, fmt.Sprintf("shard-%d.json", i+1))
		if err := os.Rename(p.stdout, named); err != nil {
			return measured{}, err
		}
		merge = append(merge, named)
		m.Figures[seconds] = max(m.Figures[seconds], p.seconds)
		m.Figures[memory] = max(m.Figures[memory], p.megabytes)
		together += p.megabytes
	}
	merged, err := l.azbackupOn(ctx, nil, []int{5}, merge...)
	if err != nil {
		return measured{}, err
	}
	m.Figures[merging] = merged.megabytes
	m.Note = fmt.Sprintf("the slowest and the largest of four, %s together; the merge %.1f s of a processor", memory.text(together), merged.cpu)
	return m, sameAudit(whole.stdout, merged.stdout)
}

// requestID is what two runs over one estate differ in: the ids of requests, in gaps and in what is said of them.
var requestID = regexp.MustCompile(`"request_id": "[^"]*"`)

func sameAudit(a, b string) error {
	one, err := os.ReadFile(a)
	if err != nil {
		return err
	}
	other, err := os.ReadFile(b)
	if err != nil {
		return err
	}
	if one, other = requestID.ReplaceAll(one, nil), requestID.ReplaceAll(other, nil); !bytes.Equal(one, other) {
		return errors.New("the merged audit of the shards is not the audit of all: " + a + " and " + b)
	}
	return nil
}
