package audit

import (
	"fmt"
	"strconv"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const day = 24 * time.Hour

// policyFindings returns the findings on the policies of the file's vaults and of the vaults that hold VMs.
func (a *assessor) policyFindings() []Finding {
	var found []Finding
	for _, p := range a.observed.Policies {
		vault := armid.Of(p.Vault)
		if a.inFile[vault] == nil && a.items.byVault[vault] == 0 {
			continue
		}
		inFile := a.policyInFile(p)
		for _, f := range a.policyFinding(p) {
			if inFile != nil {
				f.Position = position(inFile.Pos)
			}
			found = append(found, f)
		}
	}
	return append(found, a.missingPolicies()...)
}

// policyInFile returns the entry of the file that defines a policy in its vault, or nil.
func (a *assessor) policyInFile(p plan.Policy) *config.Policy {
	return a.defined[armid.Of(armid.Policy(p.Vault, p.Name))]
}

// definedPolicies returns the policies of the file by the id that each has in each of its vaults.
func definedPolicies(c *config.Config) map[armid.Key]*config.Policy {
	defined := map[armid.Key]*config.Policy{}
	for i := range c.Policies {
		p := &c.Policies[i]
		for _, v := range c.VaultsOf(p) {
			if c := armid.Of(armid.Policy(v.ID(), p.Name)); defined[c] == nil {
				defined[c] = p
			}
		}
	}
	return defined
}

func (a *assessor) policyFinding(p plan.Policy) []Finding {
	var found []Finding
	add := func(code string, evidence map[string]string, format string, args ...any) {
		f := a.codes.newFinding(code, p.ID, "policy %s in vault %s: %s", p.Name, lastName(p.Vault), fmt.Sprintf(format, args...))
		f.Evidence = evidence
		found = append(found, f)
	}
	used := max(a.items.byPolicy[armid.Of(p.ID)], p.Items)
	_, unread := a.gaps.items[armid.Of(p.Vault)]
	_, oneUnread := a.gaps.item[armid.Of(p.Vault)]
	if used == 0 && !unread && !oneUnread && !isBuiltinPolicy(p.Name) {
		add(codeUnusedPolicy, nil, "it protects nothing")
	}
	if p.Unreadable != "" {
		add(codePolicyUnread, nil, "%s", p.Unreadable)
		return found
	}
	kept, least := basicRetention(p.Spec), a.opt.MinRetention
	if used > 0 && kept < least {
		add(codeRetention, map[string]string{"kept": formatDays(kept), "minimum": formatDays(least), "items": strconv.Itoa(used)},
			"it keeps recovery points for %s, asked are %s", formatDays(kept), formatDays(least))
	}
	if fields := a.plannedFields(plan.UpdatePolicy, p.ID); len(fields) > 0 {
		add(codePolicyDiffers, evidenceOfFields(fields), "%s", describeFields(fields))
	}
	return found
}

// isBuiltinPolicy reports whether Azure creates this policy in every vault (docs/azure.md §8.1).
func isBuiltinPolicy(name string) bool {
	return equalFold(name, "DefaultPolicy") || equalFold(name, "EnhancedPolicy")
}

// basicRetention returns the minimum time that the policy keeps every recovery point: the daily retention, or the
// weekly one of a policy that only backs up weekly. Longer monthly or yearly retentions keep selected points only.
func basicRetention(s plan.PolicySpec) time.Duration {
	if s.Schedule.Frequency == plan.FrequencyWeekly {
		if s.Retention.Weeks == nil {
			return 0
		}
		return time.Duration(s.Retention.Weeks.Keep) * 7 * day
	}
	return time.Duration(s.Retention.Days) * day
}

func formatDays(d time.Duration) string { return strconv.Itoa(int(d/day)) + " d" }

// missingPolicies returns findings for policies of the file that a vault does not have, though its policies were read.
func (a *assessor) missingPolicies() []Finding {
	if a.config == nil {
		return nil
	}
	var found []Finding
	for i := range a.config.Policies {
		p := &a.config.Policies[i]
		for _, v := range a.config.VaultsOf(p) {
			id := armid.Policy(v.ID(), p.Name)
			_, exists := a.policies[armid.Of(id)]
			_, vaultThere := a.vaults[armid.Of(v.ID())]
			_, unread := a.gaps.policies[armid.Of(v.ID())]
			_, notUnderstood := a.gaps.policy[armid.Of(id)]
			if exists || unread || notUnderstood || !vaultThere || a.isVaultHidden(v) {
				continue
			}
			f := a.codes.newFinding(codePolicyMissing, id, "policy %s in vault %s: it does not exist", p.Name, v.Name)
			f.Position = position(p.Pos)
			found = append(found, f)
		}
	}
	return found
}

// needsEnhanced returns why the policy chosen for a VM cannot protect it, or "".
func (a *assessor) needsEnhanced(v *evaluation) string {
	if v.vm.NeedsEnhanced == "" {
		return ""
	}
	if v.class == classActive {
		if p, ok := a.policies[armid.Of(v.item.PolicyID)]; ok && p.Unreadable == "" && p.Spec.Tier == plan.TierStandard {
			return fmt.Sprintf("its policy %s is Standard, and %s", p.Name, v.vm.NeedsEnhanced)
		}
		return ""
	}
	if v.rule == nil || v.rule.Protect != config.ProtectOn {
		return ""
	}
	if tier := a.tierOf(v); tier == plan.TierStandard {
		return fmt.Sprintf("policy %s of rule %s is Standard, and %s", v.rule.Policy, v.rule.Name, v.vm.NeedsEnhanced)
	}
	return ""
}

// tierOf returns the tier of the policy that the VM's rule names: as in the file, else as a vault has it.
func (a *assessor) tierOf(v *evaluation) string {
	if p := a.config.Policy(v.rule.Policy); p != nil && p.Tier != "" {
		return p.Tier
	}
	return a.targetsFor(v).tier
}
