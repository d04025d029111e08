package report

import (
	"github.com/azbackup/azbackup/plan"
)

// pricedFleet returns an estimate that has every kind of amount, and every reason for none.
func pricedFleet(changes []plan.Change) *plan.CostEstimate {
	e := &plan.CostEstimate{PricesFile: "prices\x1b[31m.yaml", Currency: "EUR", NotCounted: map[plan.UncountedReason]int{}}
	amounts := []plan.Amount{1234, -800, 0, 5}
	gaps := []plan.UncountedReason{plan.CostSizeUnknown, plan.CostOfRetention, plan.CostNoPrice, plan.CostRedundancyUnknown, plan.CostSizeUnknown}
	for _, c := range changes {
		switch c.Action {
		case plan.Protect, plan.Resume, plan.Stop, plan.Modify:
		default:
			continue
		}
		one := plan.ChangeCost{ID: c.ID}
		if len(amounts) > 0 {
			one.Monthly, amounts = &amounts[0], amounts[1:]
			e.Monthly += *one.Monthly
		} else if len(gaps) > 0 {
			one.NotCounted, gaps = gaps[0], gaps[1:]
			e.NotCounted[one.NotCounted]++
		}
		e.Changes = append(e.Changes, one)
	}
	return e
}
