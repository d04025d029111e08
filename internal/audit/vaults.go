package audit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// The number of VMs that a vault may hold (docs/azure.md §13), and the number above which it is nearly full.
const (
	maxVaultVMs   = 1000
	vaultNearFull = 900
)

// vaultFindings returns the findings on the vaults of the file and on those that hold VMs.
func (a *assessor) vaultFindings() []Finding {
	var found []Finding
	for _, v := range a.observed.Vaults {
		key := armid.Of(v.ID)
		inFile := a.inFile[key]
		if inFile == nil && a.items.byVault[key] == 0 {
			continue
		}
		for _, f := range a.vaultFinding(v) {
			if inFile != nil {
				f.Position = position(inFile.Pos)
			}
			found = append(found, f)
		}
	}
	return append(found, a.missingVaults()...)
}

// settingGaps returns a gap for each vault that [assessor.vaultFindings] judges and that has a setting in a word that is not
// known: no finding would look as if the setting were well. Where the read of the vault has a gap, that one is enough.
func (a *assessor) settingGaps() []plan.Gap {
	hasGap := map[armid.Key]bool{}
	for _, g := range a.observed.Gaps {
		if g.Kind == plan.GapVault {
			hasGap[armid.Of(g.Vault)] = true
		}
	}
	var gaps []plan.Gap
	for _, v := range a.observed.Vaults {
		key := armid.Of(v.ID)
		if hasGap[key] || a.inFile[key] == nil && a.items.byVault[key] == 0 {
			continue
		}
		for _, s := range []struct {
			name, word string
			known      []string
		}{
			{"softDeleteState", v.SoftDeleteState, []string{"Enabled", "Disabled", "AlwaysON"}},
			{"immutability", v.Settings.Immutability, []string{"Disabled", "Unlocked", "Locked"}},
			{"standardTierStorageRedundancy", v.Settings.Redundancy, []string{"LocallyRedundant", "ZoneRedundant", "GeoRedundant", "ReadAccessGeoZoneRedundant"}},
		} {
			if s.word != "" && !slices.ContainsFunc(s.known, func(word string) bool { return equalFold(word, s.word) }) {
				gaps = append(gaps, plan.Gap{
					Kind: plan.GapVault, Subscription: armid.SubscriptionOf(v.ID), Location: v.Location, Vault: v.ID,
					Code: plan.CodeNotUnderstood, Message: s.name + " is " + strconv.Quote(s.word),
				})
			}
		}
	}
	return gaps
}

func (a *assessor) vaultFinding(v plan.Vault) []Finding {
	var found []Finding
	add := func(code string, evidence map[string]string, format string, args ...any) {
		f := a.codes.newFinding(code, v.ID, format, args...)
		f.Evidence = evidence
		found = append(found, f)
	}
	if equalFold(v.SoftDeleteState, "Disabled") {
		add(codeSoftDeleteOff, map[string]string{"softDeleteState": v.SoftDeleteState}, "vault %s: soft delete is off", v.Name)
	}
	switch immutability := v.Settings.Immutability; {
	case equalFold(immutability, "Disabled"):
		add(codeNotImmutable, map[string]string{"immutability": immutability}, "vault %s: immutability is off", v.Name)
	case equalFold(immutability, "Unlocked"):
		add(codeNotLocked, map[string]string{"immutability": immutability}, "vault %s: immutability is on but not locked", v.Name)
	}
	if equalFold(v.Settings.Redundancy, "LocallyRedundant") {
		add(codeLocal, map[string]string{"redundancy": v.Settings.Redundancy}, "vault %s: its data is locally redundant", v.Name)
	}
	n := a.items.byVault[armid.Of(v.ID)]
	held := map[string]string{"items": strconv.Itoa(n)}
	switch {
	case n >= maxVaultVMs:
		add(codeVaultFull, held, "vault %s: it holds %d VMs, the limit is %d", v.Name, n, maxVaultVMs)
	case n > vaultNearFull:
		add(codeVaultNearFull, held, "vault %s: it holds %d VMs of the %d it can", v.Name, n, maxVaultVMs)
	}
	if fields := a.plannedFields(plan.UpdateVault, v.ID); len(fields) > 0 {
		add(codeVaultDiffers, evidenceOfFields(fields), "vault %s: %s", v.Name, describeFields(fields))
	}
	return found
}

// missingVaults returns findings for vaults of the file that do not exist. Where the vault or its subscription's list
// could not be read, there is no finding.
func (a *assessor) missingVaults() []Finding {
	if a.config == nil {
		return nil
	}
	var found []Finding
	for _, v := range a.config.Vaults {
		if _, exists := a.vaults[armid.Of(v.ID())]; exists || a.isVaultHidden(v) || !a.config.Owns(v.Subscription) {
			continue
		}
		f := a.codes.newFinding(codeVaultMissing, v.ID(), "vault %s: it does not exist", v.Name)
		f.Position = position(v.Pos)
		found = append(found, f)
	}
	return found
}

func (a *assessor) isVaultHidden(v config.Vault) bool {
	if _, ok := a.gaps.items[armid.Of(v.ID())]; ok {
		return true
	}
	_, ok := findGap(a.gaps.hiding, armid.RegionOf(v.Subscription, v.Location))
	return ok
}

// plannedFields returns the fields that a plan over the same reads would change in a vault or a policy: an audit must not
// report another difference than a plan.
func (a *assessor) plannedFields(action plan.Action, target string) []plan.Field {
	return a.differences[changeKey{action, armid.Of(target)}]
}

type changeKey struct {
	action plan.Action
	target armid.Key
}

func planDifferences(c *config.Config, o plan.Observed, opt Options) map[changeKey][]plan.Field {
	if c == nil {
		return nil
	}
	all := map[changeKey][]plan.Field{}
	for _, d := range plan.SettingDrifts(c, o, plan.Options{Now: opt.Now}) {
		if d.Action == plan.UpdateVault || d.Action == plan.UpdatePolicy {
			all[changeKey{d.Action, armid.Of(d.Target)}] = d.Fields
		}
	}
	return all
}

func describeFields(fields []plan.Field) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = f.Path + " is " + orNothing(f.Before) + ", the file says " + orNothing(f.After)
	}
	return strings.Join(words, "; ")
}

func evidenceOfFields(fields []plan.Field) map[string]string {
	e := map[string]string{}
	for _, f := range fields {
		e[f.Path] = orNothing(f.Before) + " → " + orNothing(f.After)
	}
	return e
}

func orNothing(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
