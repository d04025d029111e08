package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/internal/tools/costs"
)

// row is one line of the tables.
type row struct {
	name, what string
	big, once  bool // only with -big; run once, not several times
	run        run
	most       []limit
	why        string // the reason for a missed target, if known
	// others are the figures of Terraform and of Azure CLI for the same work, measured elsewhere; they put the row
	// into the comparison table.
	others []string
}

// The estates of the rows.
func hundredThousand() fleet { return fleet{vms: 100_000, vaults: 110} }
func million() fleet         { return fleet{vms: 1_000_000, vaults: 1_100} }
func few() fleet             { return fleet{vms: 25_000, vaults: 10, subscriptions: 5, crowded: true} }

func many() fleet { return fleet{vms: 25_000, vaults: 110, subscriptions: 5, crowded: true} }

// rows returns the table of rows: a new one is one entry.
func rows() []row {
	return append([]row{
		{name: "plan-100k", what: "plan 100,000 VMs, 110 vaults", run: reading(hundredThousand(), "plan"), most: []limit{{seconds, 4}, {memory, 250}}, why: "of a machine 1.0 KB is kept, its ids, tags and item: 100 MB in all; the plan, its index and what the collector needs are the rest"},
		{name: "audit-prometheus", what: "audit of the same, Prometheus", run: reading(hundredThousand(), "audit", "--format", "prometheus"), most: []limit{{seconds, 8}, {memory, 350}}},
		{name: "audit-json", what: "audit of the same, JSON", run: reading(hundredThousand(), "audit", "--format", "json"), most: []limit{{seconds, 10}, {memory, 350}}},
		{name: "audit-vaults", what: "audit, 25,000 VMs: 110 vaults against 10", run: against(reading(many(), "audit"), reading(few(), "audit")), most: []limit{{ofOther, 1.3}}},
		{name: "export-100k", what: "export of 100,000, and a plan of what it wrote", run: exporting(hundredThousand()), most: []limit{{written, 8}, {left, 0}}},
		{name: "parse-20mb", what: "validate a file of 20 MB", run: parsing(20_000_000), most: []limit{{seconds, 2}, {ofFile, 10}}, why: "half of the memory are nodes of 112 bytes, one for each of nine keys and values of a rule of 190 bytes"},
		{name: "plan-1m", what: "plan 1,000,000 VMs, 1,100 vaults", big: true, once: true, run: reading(million(), "plan"), most: []limit{{seconds, 60}, {memory, 2500}}},
		{name: "audit-1m", what: "audit of the same, Prometheus", big: true, once: true, run: reading(million(), "audit", "--format", "prometheus"), most: []limit{{seconds, 100}, {memory, 3000}}},
		{
			name: "apply-100", what: "apply 100, 5 s operations, Retry-After 1", run: apply{vms: 100, takes: 5 * time.Second, bound: 5.1}.run, most: []limit{{ofBound, 1.06}},
			why:    "0.2 s are the start and the reads before the first write, which the bound leaves out",
			others: []string{"55.3 s; 12.0 s with 64 slots; 8.0 requests a machine", "7.1 s and 9 requests for each machine"},
		},
		{name: "apply-100-refresh", what: "the same, with a refresh in front", run: apply{vms: 100, takes: 5 * time.Second, refresh: "always", bound: 10.2}.run, others: []string{"–", "–"}},
		{name: "apply-1000", what: "apply 1000, the same, no quota, default settings", run: apply{vms: 1000, takes: 5 * time.Second, settings: costs.Plenty(), bound: 5.1}.run, most: []limit{{ofBound, 1.5}}},
		{
			name: "apply-1000-quota", what: "apply 1000, 5 s operations, Retry-After 1, Azure's quota of writes", once: true, others: []string{"548.8 s; 90.3 s with 64 slots", ""},
			run: apply{vms: 1000, takes: 5 * time.Second, settings: simulator.Settings{Quota: "1100"}, bound: 80 + 5.1}.run,
		},
		{
			name: "apply-100-71s", what: "apply 100, 71 s operations, no Retry-After", once: true, others: []string{"182.6 s with 64 slots", ""},
			run: apply{vms: 100, takes: 71 * time.Second, settings: simulator.Settings{RetryAfter: new(-1)}, bound: 71.1}.run,
		},
		{name: "apply-5000-others", what: "apply 5000 in 20 vaults, others take 50 reads an hour (virtual time)", once: true, run: virtual(others, 5000, 20), most: []limit{{ofBound, 1.05}}},
		{name: "restore-300", what: "restore 300 machines to the last point before an attack, 20 at once, 1100 reads an hour (virtual time)", once: true, run: virtual(restores, 300, 1), most: []limit{{ofBound, 1.05}}},
		{
			name: "apply-bucket", what: "100 writes, a bucket of 10 that refills 4 a second", once: true, most: []limit{{throttled, 3}, {ofBound, 1.05}},
			run: apply{vms: 100, takes: 2 * time.Second, settings: simulator.Settings{Limits: map[string]int{"arm-writes": 10, "arm-writes-refill": 4}}, bound: 90/4. + 2.1}.run,
		},
		{
			name: "apply-nine-times", what: "49 changes in 3 vaults, 2 s operations, Retry-After 1, no quota short, nine times", once: true, most: []limit{{ofOther, 1.2}},
			run: repeated(9, apply{vms: 46, vaults: 3, takes: 2 * time.Second, refresh: "always", settings: costs.Plenty(), bound: 4.2}.run),
		},
		{name: "plan-again", what: "plan again over 1000 protected VMs", run: planAgain(nil), others: []string{"1000 requests", ""}},
		{name: "plan-again-pages", what: "plan again over 1000 protected VMs, pages of 50 to 200", run: planAgain(map[string]int{"": 50, "items": 100, "vms": 200}), most: []limit{{requests, 15}}, why: "the pages of items (10) and VMs (5) are 15; vaults, policies and jobs take one each, and each decides something"},
		{name: "virtual-10", what: "10 machines in 1 vault", once: true, run: virtual(quiet, 10, 1)},
		{name: "virtual-100", what: "100 in 1", once: true, run: virtual(quiet, 100, 1)},
		{name: "virtual-1000", what: "1000 in 1", once: true, run: virtual(quiet, 1000, 1)},
		{name: "virtual-1000-5", what: "1000 in 5", once: true, run: virtual(quiet, 1000, 5)},
		{name: "virtual-5000-20", what: "5000 in 20", once: true, run: virtual(quiet, 5000, 20)},
	}, organisationRows()...)
}

// target returns the row's target as text.
func (r row) target() string {
	if len(r.most) == 0 {
		return "none"
	}
	var parts []string
	for _, l := range r.most {
		if l.most == 0 {
			parts = append(parts, "no "+string(l.of))
		} else {
			parts = append(parts, "≤ "+strconv.FormatFloat(l.most, 'f', -1, 64)+" "+string(l.of))
		}
	}
	return strings.Join(parts, ", ")
}

// verdict returns whether m meets the target, and otherwise by how much it misses it, and why.
func (r row) verdict(m measured) string {
	var missed []string
	unjudged := ""
	for _, l := range r.most {
		v, known := m.Figures[l.of]
		switch {
		case !known && (l.of == memory || l.of == ofFile):
			missed = append(missed, "what this system does not tell")
		case l.of == seconds && m.Load > 0:
			unjudged = "; the seconds are not judged: other work kept the machine busy"
		case v <= l.most:
		case l.most == 0:
			missed = append(missed, l.of.text(v))
		default:
			missed = append(missed, l.of.over(v-l.most, l.most))
		}
	}
	switch {
	case len(r.most) == 0:
		return ""
	case len(missed) == 0 && unjudged != "":
		return "but for the seconds met" + unjudged
	case len(missed) == 0:
		return "met"
	case r.why == "":
		return "missed by " + strings.Join(missed, "; ") + unjudged
	}
	return "missed by " + strings.Join(missed, "; ") + ": " + r.why + unjudged
}
