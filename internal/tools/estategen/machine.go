package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// backupOutcome is the state of a machine's backup. It determines the item, its state, and its changes in a plan.
type backupOutcome int

const (
	unprotected backupOutcome = iota
	protected
	otherPolicy
	otherDisks
	pending
	failing
	stopped
	softDeleted
	suspended
	paused
	invalid
	elsewhere
	stoppedElsewhere
	deletedThenProtected // soft-deleted in the legacy vault, active here
	outcomeCount
)

// outcomeWeights returns the weights of the outcomes among the machines in a vault, in thousandths.
func outcomeWeights() [outcomeCount]int {
	return [outcomeCount]int{
		protected: 870, otherPolicy: 30, otherDisks: 6, pending: 20, failing: 10, stopped: 12, softDeleted: 12,
		suspended: 18, paused: 3, invalid: 2, elsewhere: 8, stoppedElsewhere: 4, deletedThenProtected: 5,
	}
}

// kind is a machine's special property, if any.
type kind int

const (
	ordinary kind = iota
	flexibleMember
	databricks
	ephemeral
	needsEnhanced
	noVaultInRegion // in a region without a vault
)

// machine is one virtual machine, or the remaining item of a deleted one.
type machine struct {
	n            int
	subscription string
	region       region
	group, name  string
	kind         kind
	outcome      backupOutcome
	role, env    string
	retired      bool
	windows      bool
	disks        int
	vault        int // index of the vault for it; the outcome may put the item elsewhere
	random       *rand.Rand
}

// machine returns the machine with number n. Numbers from f.vms on are deleted machines: orphans.
func (f *fleet) machine(n int) machine {
	r := f.random("machine", n)
	c := f.cells[n%len(f.cells)]
	m := machine{n: n, subscription: c.subscription, region: c.region, random: r}
	m.vault = c.vaults[n/len(f.cells)%len(c.vaults)]
	m.role = pick(r, "web", "web", "app", "app", "app", "sql", "job")
	m.env = pick(r, "prod", "prod", "prod", "prod", "test", "dev")
	m.retired = r.IntN(100) == 0
	m.windows = m.role == "sql" || r.IntN(4) == 0
	m.disks = r.IntN(3)
	if m.role == "sql" {
		m.disks = 2 + r.IntN(3)
	}
	if r.Float64() < f.share {
		m.outcome = drawOutcome(r, outcomeWeights())
	}
	m.kind = drawKind(r)
	switch m.kind {
	case ordinary, needsEnhanced, flexibleMember:
	case noVaultInRegion:
		m.region, m.outcome = region{"swedencentral", "swc"}, unprotected
	case databricks, ephemeral:
		m.outcome = unprotected
	}
	if m.outcome == suspended && f.vaults[m.vault].immutability != "Unlocked" {
		m.outcome = protected // only an immutable vault suspends (docs/azure.md §6)
	}
	m.group = fmt.Sprintf("rg-%s-%s-%03d", m.role, m.region.short, n/len(f.cells)/40)
	m.name = fmt.Sprintf("vm%s%s%06d", m.role, m.region.short, n)
	switch {
	case m.kind == databricks:
		m.group = fmt.Sprintf("databricks-rg-ws%02d-%s", n%20, m.region.short)
	case r.IntN(10) == 0: // people type as they like
		m.group, m.name = strings.ToUpper(m.group), strings.ToUpper(m.name[:2])+m.name[2:]
	}
	return m
}

// orphan returns a deleted machine, of which only the item exists.
func (f *fleet) orphan(n int) machine {
	m := f.machine(f.vms + n)
	m.kind, m.outcome = ordinary, protected
	m.region = f.vaults[m.vault].region
	m.name = fmt.Sprintf("gone%06d", n)
	return m
}

// orphans returns the number of deleted machines.
func (f *fleet) orphans() int { return int(f.share * float64(f.vms) / 400) }

func (m machine) id() string {
	return "/subscriptions/" + m.subscription + "/resourceGroups/" + m.group +
		"/providers/Microsoft.Compute/virtualMachines/" + m.name
}

func drawKind(r *rand.Rand) kind {
	switch n := r.IntN(1000); {
	case n < 3:
		return flexibleMember
	case n < 6:
		return databricks
	case n < 8:
		return ephemeral
	case n < 14:
		return needsEnhanced
	case n < 16:
		return noVaultInRegion
	}
	return ordinary
}

func drawOutcome(r *rand.Rand, weights [outcomeCount]int) backupOutcome {
	n := r.IntN(1000)
	for i, w := range weights {
		if n -= w; n < 0 {
			return backupOutcome(i)
		}
	}
	return protected
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }
