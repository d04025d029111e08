package plan

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// GuardedOperation is an operation that a resource guard covers in a vault, as the vault's proxies list it
// (docs/azure.md §20).
type GuardedOperation struct {
	// Guard is the id of the guard.
	Guard string
	// Operation is the service's word, such as Microsoft.RecoveryServices/vaults/backupPolicies/write.
	Operation string
	// Request is the id that a write names to go through the guard; "" = none is listed.
	Request string
}

// GuardRequest is a request of a resource guard that a write names (`resourceGuard: use`).
type GuardRequest struct {
	Guard     string `json:"guard"`
	Operation string `json:"operation"`
	Request   string `json:"request"`
}

// The operations of docs/azure.md §20 that a plan can need, without the prefix that all of them have.
const (
	guardPrefix       = "microsoft.recoveryservices/vaults"
	guardItem         = "/backupfabrics/protectioncontainers/protecteditems"
	guardItemWrite    = guardItem + "/write"
	guardItemStop     = guardItem + "/write#stopprotectionwithretaindata"
	guardRestore      = guardItem + "/recoverypoints/restore/action"
	guardPolicyWrite  = "/backuppolicies/write"
	guardSoftDelete   = "/backupconfig/write"
	guardImmutability = "/write#reduceimmutabilitystate"
)

// isOtherOperation reports whether an operation is known, so that it covers nothing but itself. An operation that is not
// known may cover any write of a plan (docs/azure.md §20).
func isOtherOperation(word string) bool {
	switch word {
	case guardItem + "/delete", guardItem + "/write#suspendbackupswithretaindata", "/backupresourceguardproxies/delete",
		"/backupsecuritypin/action", "/write#modifyencryptionsettings":
		return true
	}
	return slices.Contains([]string{guardItemWrite, guardItemStop, guardRestore, guardPolicyWrite, guardSoftDelete, guardImmutability}, word)
}

func (g GuardedOperation) word() string {
	return strings.TrimPrefix(strings.ToLower(g.Operation), guardPrefix)
}

// guardsOf returns the requests that a vault's guards list for an operation. Where they list none, unusable names a guard
// that may cover the operation all the same: it lists no operation at all, an unknown one, which is named as well, or this
// one without a request. Both are empty where no guard covers the operation.
func (v *Vault) guardsOf(operation string) (requests []GuardRequest, unusable string) {
	for _, id := range v.ResourceGuards {
		listed := false
		for _, g := range v.GuardedOperations {
			if !armid.Same(g.Guard, id) {
				continue
			}
			listed = true
			switch word := g.word(); {
			case word == operation && g.Request != "":
				requests = append(requests, GuardRequest(g))
			case word == operation:
				unusable = lastName(id)
			case !isOtherOperation(word):
				unusable = lastName(id) + ", with the operation " + g.Operation
			}
		}
		if !listed {
			unusable = lastName(id)
		}
	}
	if len(requests) > 0 {
		return requests, ""
	}
	return nil, unusable
}

// whyGuardRefuses returns why an operation cannot be done in a vault because of a resource guard, or "": a guard covers it
// and the file does not say `resourceGuard: use`, a guard lists no request that a write could name, or the guards could
// not be read. Where they were not requested it requests them.
func (pl *planner) whyGuardRefuses(v *vaultPlan, operation string) (Reason, string) {
	if v.isGuarded() {
		switch requests, unusable := v.observed.guardsOf(operation); {
		case unusable != "":
			return ReasonResourceGuard, unusable
		case len(requests) > 0 && v.conf.ResourceGuard != guardUse:
			return ReasonResourceGuard, lastName(requests[0].Guard)
		}
		return "", ""
	}
	if gap := pl.gaps.guards[v.key]; gap != nil {
		return ReasonGap, pl.describeGap(gap)
	}
	if v.observed != nil && v.observed.ResourceGuards == nil {
		pl.guardsNotRead[v.key] = v.id
	}
	return "", ""
}

// guardUse is the value of `resourceGuard` at which a write names the guard's request.
const guardUse = "use"

// guardRequests returns the requests that the write of a change names. A write that reduces nothing names them too: the
// service alone decides what is a reduction, and a request that was not needed does no harm (docs/azure.md §20).
func (pl *planner) guardRequests(c *Change) []GuardRequest {
	v := pl.vaults[armid.Of(c.Vault)]
	if v == nil || v.conf.ResourceGuard != guardUse || v.observed == nil {
		return nil
	}
	operations := guardedBy(c)
	if len(operations) == 0 {
		return nil
	}
	if v.observed.ResourceGuards == nil {
		if pl.gaps.guards[v.key] == nil {
			pl.guardsNotRead[v.key] = v.id
		}
		return nil
	}
	var all []GuardRequest
	for _, operation := range operations {
		requests, _ := v.observed.guardsOf(operation)
		all = append(all, requests...)
	}
	return all
}

// guardedBy returns the operations of a change that a guard may cover.
func guardedBy(c *Change) []string {
	switch c.Action {
	case Modify, Resume, Undelete:
		return []string{guardItemWrite}
	case Stop:
		return []string{guardItemStop}
	case UpdatePolicy:
		return []string{guardPolicyWrite}
	case Restore, RestoreTest:
		return []string{guardRestore}
	case UpdateVault:
		var operations []string
		if c.After != nil && c.After.Vault != nil && c.After.Vault.SoftDeleteDays != nil {
			operations = append(operations, guardSoftDelete)
		}
		if c.After != nil && c.After.Vault != nil && c.After.Vault.Immutability != "" {
			operations = append(operations, guardImmutability)
		}
		return operations
	case CreateVault, CreatePolicy, Refresh, Protect, Backup, Blocked, Unchanged, Excluded:
	}
	return nil
}

// WithGuardRequests returns p with the requests of the resource guards of each change's vault, for the vaults (by id) for
// which use returns true. o is what p was made from, with the guards that were read since: its further gaps are gaps of p,
// too. The changes of p are altered in place.
func WithGuardRequests(p Plan, o Observed, use func(vault string) bool) Plan {
	for _, g := range o.Gaps {
		if !slices.Contains(p.Gaps, g) {
			p.Gaps = append(p.Gaps, g)
		}
	}
	p.Complete = len(p.Gaps) == 0
	vaults := map[armid.Key]*Vault{}
	for i := range o.Vaults {
		vaults[armid.Of(o.Vaults[i].ID)] = &o.Vaults[i]
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		v := vaults[armid.Of(c.Vault)]
		if v == nil || !use(c.Vault) {
			continue
		}
		for _, operation := range guardedBy(c) {
			requests, _ := v.guardsOf(operation)
			c.ResourceGuard = append(c.ResourceGuard, requests...)
		}
	}
	return p
}
