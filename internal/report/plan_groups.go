package report

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// group is the part of a plan that concerns one vault.
type group struct {
	vault       string // "" = no vault could be chosen
	changes     []plan.Change
	hasNamesake bool // another vault has the same name
}

// groupByVault sorts changes by vault and keeps plan order inside a vault. What has no vault comes last.
func groupByVault(changes []plan.Change) []group {
	at := map[armid.Key]int{}
	var all []group
	for _, c := range changes {
		key := armid.Of(vaultOf(c))
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key] = i
			all = append(all, group{vault: vaultOf(c)})
		}
		all[i].changes = append(all[i].changes, c)
	}
	slices.SortStableFunc(all, func(a, b group) int {
		if (a.vault == "") != (b.vault == "") {
			return len(b.vault) - len(a.vault)
		}
		// By name first: that is what people look for.
		if n := strings.Compare(strings.ToLower(lastName(a.vault)), strings.ToLower(lastName(b.vault))); n != 0 {
			return n
		}
		return strings.Compare(string(armid.Of(a.vault)), string(armid.Of(b.vault)))
	})
	for i := range all {
		all[i].hasNamesake = i > 0 && isSameName(all[i], all[i-1]) || i+1 < len(all) && isSameName(all[i], all[i+1])
	}
	return all
}

func isSameName(a, b group) bool { return strings.EqualFold(lastName(a.vault), lastName(b.vault)) }

func vaultOf(c plan.Change) string {
	if c.Vault == "" {
		return armid.VaultOf(c.Target)
	}
	return c.Vault
}

func (g group) countActions() map[plan.Action]int {
	n := map[plan.Action]int{}
	for _, c := range g.changes {
		n[c.Action]++
	}
	return n
}

// heading returns the name of the group's vault and, beside it, where the vault is.
func (g group) heading(names namesakes) (title, where string) {
	id, err := armid.ParseVault(g.vault)
	if err != nil {
		if g.vault == "" {
			return "no vault", ""
		}
		return g.vault, ""
	}
	return id.Name(), "resource group " + id.ResourceGroup + ", subscription " + names.describe(id.Subscription)
}

// riskGroup is one kind of risk and the changes that carry it.
type riskGroup struct {
	risk    plan.Risk
	changes []plan.Change
}

// groupByRisk gathers the changes that can cost something, worst kind first. A change stands under each of its risks.
func groupByRisk(changes []plan.Change) []riskGroup {
	var all []riskGroup
	for _, r := range plan.Risks() {
		g := riskGroup{risk: r}
		for _, c := range changes {
			if c.HasRisk(r) && c.Action != plan.Blocked {
				g.changes = append(g.changes, c)
			}
		}
		if len(g.changes) > 0 {
			all = append(all, g)
		}
	}
	return all
}

// title returns how many changes carry the risk, and what it means.
func (g riskGroup) title() string {
	one := len(g.changes) == 1
	verb := func(singular, plural string) string {
		if one {
			return singular
		}
		return plural
	}
	words := string(g.risk)
	switch g.risk {
	case plan.RiskIrreversible:
		words = "cannot be undone"
	case plan.RiskWeakensSecurity:
		words = verb("weakens", "weaken") + " the security of a vault"
	case plan.RiskStopsBackup:
		words = verb("stops", "stop") + " backups (the data is kept)"
	case plan.RiskReducesRetention:
		words = "may prune recovery points earlier"
	case plan.RiskNone:
	case plan.RiskReducesCoverage:
		words = verb("backs", "back") + " up less"
	}
	return formatCount(len(g.changes), "change") + " " + words
}

// describeRisks returns the risks of a change by their names, the worst first.
func describeRisks(c plan.Change) string {
	words := []string{string(c.Risk)}
	for _, r := range c.Also {
		words = append(words, string(r))
	}
	return Line("risk: " + strings.Join(words, ", "))
}

// describeGapPlace returns what a gap concerns: the most exact place it names.
func describeGapPlace(g plan.Gap) string {
	if g.Kind == plan.GapManagementGroup {
		return lastName(g.Target)
	}
	for _, id := range []string{g.Target, g.Vault} {
		if id != "" {
			return displayName(id)
		}
	}
	if g.Kind == plan.GapSubscription && g.Subscription == "" {
		return "the tenant"
	}
	if g.SubscriptionName != "" {
		return plan.DescribeSubscription(g.SubscriptionName, g.Subscription)
	}
	return strings.Join(nonEmpty(g.Subscription, g.Location), " ")
}

// describeGapCause returns why it could not be read.
func describeGapCause(g plan.Gap) string {
	s := strings.Join(nonEmpty(g.Code, g.Message), ": ")
	if g.RequestID != "" {
		s += " (request " + g.RequestID + ")"
	}
	return s
}

// DescribeGap returns what could not be read and why, in one line that is safe to print.
func DescribeGap(g plan.Gap) string {
	return Line(string(g.Kind) + " of " + describeGapPlace(g) + ": " + describeGapCause(g))
}
