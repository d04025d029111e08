package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// costs are the estimates of a plan's changes; the zero value has none.
type costs struct {
	currency string
	byChange map[string]plan.ChangeCost
}

func costsOf(e *plan.CostEstimate) costs {
	if e == nil {
		return costs{}
	}
	all := costs{currency: e.Currency, byChange: make(map[string]plan.ChangeCost, len(e.Changes))}
	for _, c := range e.Changes {
		all.byChange[c.ID] = c
	}
	return all
}

// describe returns what a change costs, e.g. "estimate +8.40 EUR a month"; "" where there is no estimate.
func (k costs) describe(c plan.Change) string {
	switch cost, there := k.byChange[c.ID]; {
	case !there:
		return ""
	case cost.Monthly == nil:
		return "no estimate: " + string(cost.NotCounted)
	default:
		return "estimate " + describeAmount(*cost.Monthly, k.currency)
	}
}

// describeCost returns the estimate of a plan in one line.
func describeCost(e *plan.CostEstimate) string {
	words := "Estimate: " + describeAmount(e.Monthly, e.Currency) + ", by " + e.PricesFile
	var left []string
	for _, gap := range slices.Sorted(maps.Keys(e.NotCounted)) {
		left = append(left, formatCount(e.NotCounted[gap], "change")+" ("+string(gap)+")")
	}
	if len(left) > 0 {
		words += "; without " + strings.Join(left, ", ")
	}
	return words
}

// describeAmount returns a monthly amount with its sign.
func describeAmount(a plan.Amount, currency string) string {
	sign := ""
	if a > 0 {
		sign = "+"
	}
	return sign + a.String() + " " + currency + " a month"
}
