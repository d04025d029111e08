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
	NotCounted map[CostGap]int `json:"not_counted,omitempty"`
}

// ChangeCost is the estimate of one change: an amount, or the reason why there is none.
type ChangeCost struct {
	ID         string  `json:"id"` // of the change
	Monthly    *Amount `json:"monthly,omitempty"`
	NotCounted CostGap `json:"not_counted,omitempty"`
}

// CostGap is the reason why a change has no amount.
type CostGap string

// The reasons.
const (
	CostSizeUnknown       CostGap = "size unknown"
	CostRedundancyUnknown CostGap = "redundancy unknown"
	CostNoPrice           CostGap = "no price for the redundancy"
	CostOfRetention       CostGap = "other retention"
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
		millionths, gap := pl.monthlyCost(c)
		if gap == "" {
			amount := roundAmount(millionths)
			one.Monthly = &amount
			e.Monthly += amount
		} else {
			one.NotCounted = gap
			if e.NotCounted == nil {
				e.NotCounted = map[CostGap]int{}
			}
			e.NotCounted[gap]++
		}
		e.Changes = append(e.Changes, one)
	}
	return e
}

// monthlyCost returns what a change adds to a month, in millionths of the currency's unit, or the reason why that cannot
// be told. A stop keeps the data, and a resume finds it: storage is the same before and after.
func (pl *planner) monthlyCost(c *Change) (int64, CostGap) {
	before, after := protectionCost{}, protectionCost{}
	var gap CostGap
	switch c.Action {
	case Protect:
		after, gap = pl.protectionCost(c, c.After.Disks)
	case Modify:
		if !armid.Same(c.Before.Policy, c.After.Policy) {
			return 0, CostOfRetention
		}
		if before, gap = pl.protectionCost(c, c.Before.Disks); gap == "" {
			after, gap = pl.protectionCost(c, c.After.Disks)
		}
	case Stop:
		before.instance, gap = pl.instanceCostWhileNotStopped(c, c.Before.Disks)
	default: // Resume
		after.instance, gap = pl.instanceCostWhileNotStopped(c, c.After.Disks)
	}
	return after.instance + after.storage - before.instance - before.storage, gap
}

// protectionCost is what the protection of a VM costs per month, in millionths.
type protectionCost struct{ instance, storage int64 }

func (pl *planner) protectionCost(c *Change, filter *Disks) (protectionCost, CostGap) {
	size, known := pl.sizeOf(c, filter)
	if !known {
		return protectionCost{}, CostSizeUnknown
	}
	perGB, gap := pl.storagePrice(c.Vault)
	if gap != "" {
		return protectionCost{}, gap
	}
	return protectionCost{instance: instancePrice(pl.opt.Prices.Instance, size), storage: int64(perGB) * int64(size)}, ""
}

// instanceCostWhileNotStopped returns the price of a protected instance that is charged only while backups run: a stop
// saves it, a resume adds it. It is 0 where a stopped instance is charged as well.
func (pl *planner) instanceCostWhileNotStopped(c *Change, filter *Disks) (int64, CostGap) {
	if pl.opt.Prices.Instance.ChargedWhileStopped {
		return 0, ""
	}
	size, known := pl.sizeOf(c, filter)
	if !known {
		return 0, CostSizeUnknown
	}
	return instancePrice(pl.opt.Prices.Instance, size), ""
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
func (pl *planner) storagePrice(vault string) (config.Price, CostGap) {
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
