package plan

import (
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// CostEstimate estimates what the changes of a plan add to the monthly bill, or take from it. For each VM it counts the
// protected instance and one full copy of its disks; growth and churn are left out (docs/cost.md).
type CostEstimate struct {
	// PricesFile is the file that the prices come from.
	PricesFile string `json:"prices_file"`
	Currency   string `json:"currency"`
	// Monthly is the sum of the changes that could be estimated.
	Monthly Amount `json:"monthly"`
	// Changes are those that start or end protection, or change what is kept, in the order of the plan.
	Changes []ChangeCost `json:"changes"`
	// NotCounted counts the changes without an amount, by the reason.
	NotCounted map[UncountedReason]int `json:"not_counted,omitempty"`
}

// ChangeCost is the estimate of one change: an amount, or the reason why there is none.
type ChangeCost struct {
	ID         string          `json:"id"` // of the change
	Monthly    *Amount         `json:"monthly,omitempty"`
	NotCounted UncountedReason `json:"not_counted,omitempty"`
}

// UncountedReason is the reason why a change has no amount.
type UncountedReason string

// The reasons.
const (
	CostSizeUnknown       UncountedReason = "size unknown"
	CostRedundancyUnknown UncountedReason = "redundancy unknown"
	CostNoPrice           UncountedReason = "no price for the redundancy"
	CostOfRetention       UncountedReason = "other retention"
)

// estimateCost estimates the cost of the changes; nil without prices.
func (pl *planner) estimateCost(changes []Change) *CostEstimate {
	prices := pl.opt.Prices
	if prices == nil {
		return nil
	}
	e := &CostEstimate{PricesFile: prices.File, Currency: prices.Currency, Changes: []ChangeCost{}}
	for i := range changes {
		c := &changes[i]
		switch c.Action {
		case Protect, Resume, Stop, Modify:
		default:
			continue
		}
		one := ChangeCost{ID: c.ID}
		millionths, reason := pl.monthlyCost(c)
		if reason == "" {
			amount := roundAmount(millionths)
			one.Monthly = &amount
			e.Monthly += amount
		} else {
			one.NotCounted = reason
			if e.NotCounted == nil {
				e.NotCounted = map[UncountedReason]int{}
			}
			e.NotCounted[reason]++
		}
		e.Changes = append(e.Changes, one)
	}
	return e
}

// monthlyCost returns what a change adds to a month, in millionths of the currency's unit, or the reason why that cannot
// be told. A stop keeps the data, and a resume finds it: storage is the same before and after.
func (pl *planner) monthlyCost(c *Change) (int64, UncountedReason) {
	before, after := protectionCost{}, protectionCost{}
	var reason UncountedReason
	switch c.Action {
	case Protect:
		after, reason = pl.protectionCost(c, c.After.Disks)
	case Modify:
		if !armid.Same(c.Before.Policy, c.After.Policy) {
			return 0, CostOfRetention
		}
		if before, reason = pl.protectionCost(c, c.Before.Disks); reason == "" {
			after, reason = pl.protectionCost(c, c.After.Disks)
		}
	case Stop:
		before, reason = pl.instanceCostWhileNotStopped(c, c.Before.Disks)
	default: // Resume
		after, reason = pl.instanceCostWhileNotStopped(c, c.After.Disks)
	}
	return after.instance + after.storage - before.instance - before.storage, reason
}

// protectionCost is what the protection of a VM costs per month, in millionths.
type protectionCost struct{ instance, storage int64 }

func (pl *planner) protectionCost(c *Change, filter *Disks) (protectionCost, UncountedReason) {
	size, known := pl.sizeOf(c, filter)
	if !known {
		return protectionCost{}, CostSizeUnknown
	}
	perGB, reason := pl.storagePrice(c.Vault)
	if reason != "" {
		return protectionCost{}, reason
	}
	return protectionCost{instance: instancePrice(pl.opt.Prices.Instance, size), storage: int64(perGB) * int64(size)}, ""
}

// instanceCostWhileNotStopped returns the cost of a protected instance that is charged only while backups run: a stop
// saves it, a resume adds it. It is nothing where a stopped instance is charged as well.
func (pl *planner) instanceCostWhileNotStopped(c *Change, filter *Disks) (protectionCost, UncountedReason) {
	if pl.opt.Prices.Instance.ChargedWhileStopped {
		return protectionCost{}, ""
	}
	size, known := pl.sizeOf(c, filter)
	if !known {
		return protectionCost{}, CostSizeUnknown
	}
	return protectionCost{instance: instancePrice(pl.opt.Prices.Instance, size)}, ""
}

// sizeOf returns the size in GB of the disks that a filter backs up of the VM of a change; false = not known.
func (pl *planner) sizeOf(c *Change, filter *Disks) (int, bool) {
	known := pl.index.findMachine(c.Target)
	if known == nil || known.vm == nil {
		return 0, false
	}
	return known.vm.sizeGB(filter)
}

// instancePrice returns the monthly price of a protected instance, in millionths of the currency's unit; size is in GB.
func instancePrice(p config.InstancePrices, size int) int64 {
	switch {
	case size <= 50:
		return int64(p.UpTo50GB)
	case size <= 500:
		return int64(p.UpTo500GB)
	}
	further := (int64(size) - 500 + 499) / 500
	return int64(p.UpTo500GB) + further*int64(p.Further500GB)
}

// storagePrice returns the monthly price of a GB in a vault, with the redundancy that the vault has after the plan.
func (pl *planner) storagePrice(vault string) (config.Price, UncountedReason) {
	v := pl.vaults[pl.index.key(vault)]
	if v == nil || v.settings.Redundancy == "" {
		return 0, CostRedundancyUnknown
	}
	all := pl.opt.Prices.Storage
	prices := map[string]*config.Price{
		"locallyredundant": all.LocallyRedundant, "zoneredundant": all.ZoneRedundant, "georedundant": all.GeoRedundant,
	}
	price := prices[strings.ToLower(v.settings.Redundancy)]
	if isTrue(v.settings.CrossRegionRestore) {
		price = all.CrossRegionRestore
	}
	if price == nil {
		return 0, CostNoPrice
	}
	return *price, ""
}

// sizeGB returns the size of the disks that a filter backs up, in GB; false where one of them is unknown. The OS disk is
// always backed up.
func (vm *VM) sizeGB(filter *Disks) (int, bool) {
	sum, hasOS := 0, false
	for _, d := range vm.DiskSizes {
		isOS := d.LUN == OSDiskLUN
		if !isOS && !filter.backsUp(d.LUN) {
			continue
		}
		if d.GB <= 0 {
			return 0, false
		}
		sum += d.GB
		hasOS = hasOS || isOS
	}
	return sum, hasOS
}
