package report

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

var sampleNow = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

const (
	sampleSub1 = "11111111-1111-1111-1111-111111111111"
	sampleSub2 = "22222222-2222-2222-2222-222222222222"
	sampleSub3 = "33333333-3333-3333-3333-333333333333"
)

// sampleAudit returns an audit of n VMs in every state, with gaps, a baseline and text that tries to break out of every
// format. It is the same for the same n.
func sampleAudit(n int) audit.Result {
	o, c := sampleEstate(n)
	opt := audit.Options{
		Now: sampleNow, MinRetention: 30 * 24 * time.Hour, FailOn: audit.High,
		Made: audit.Provenance{By: "backup-auditor (service principal)", Cloud: "AzurePublic", Tenant: "99999999-9999-9999-9999-999999999999", Version: "1.0.0"},
	}
	if n == 0 {
		return audit.Assess(c, o, opt)
	}
	before := o
	before.Items = nil
	for i, it := range o.Items {
		if i%9 == 0 { // was not protected then
			continue
		}
		if it.State == plan.StateProtectionStopped && i%2 == 0 { // was protected then
			it.State, it.SoftDeleted, it.LastRecoveryPoint = plan.StateProtected, false, sampleNow.Add(-175*time.Hour)
		} else if !it.LastRecoveryPoint.IsZero() {
			it.LastRecoveryPoint = it.LastRecoveryPoint.Add(-168 * time.Hour)
		}
		before.Items = append(before.Items, it)
	}
	then := opt
	then.Now = sampleNow.Add(-168 * time.Hour)
	baseline := audit.Assess(c, before, then)
	opt.Baseline = &baseline
	return audit.Assess(c, o, opt)
}

// sampleEstate returns what sampleAudit judges.
func sampleEstate(n int) (plan.Observed, *config.Config) {
	o, c := sampleReads(n)
	c.Compile()
	return o, c
}

func sampleReads(n int) (plan.Observed, *config.Config) {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	c := &config.Config{
		Files: []string{"azbackup.yaml"}, Subscriptions: []string{sampleSub1, sampleSub2},
		Policies: []config.Policy{{Name: "daily-30d"}, {Name: "hourly-4h"}},
		Rules: []config.Rule{
			{
				Name: "scratch", Match: []config.Selector{{Tags: map[string][]string{"env": {"dev"}}}}, Protect: config.ProtectOff,
				Reason: "rebuilt from images every night", Pos: config.Position{File: "azbackup.yaml", Line: 40, Column: 5},
			},
			{
				Name: "all", Match: []config.Selector{{Names: []string{"*"}}}, Protect: config.ProtectOn, Policy: "daily-30d", Spread: true,
				Pos: config.Position{File: "azbackup.yaml", Line: 48, Column: 5},
			},
		},
	}
	o := plan.Observed{Subscriptions: []plan.Subscription{
		{ID: sampleSub1, Name: "Production"}, {ID: sampleSub2, Name: "Shared services"}, {ID: sampleSub3, Name: "Sandbox"},
	}}
	if n == 0 {
		return o, c
	}
	regions := []string{"westeurope", "northeurope", "germanywestcentral"}
	for s, sub := range []string{sampleSub1, sampleSub2} {
		for r, region := range regions {
			v := plan.Vault{
				ID: armid.Vault(sub, "rg-backup", fmt.Sprintf("rsv-%s-%d", region, s)), Name: fmt.Sprintf("rsv-%s-%d", region, s), Location: region,
				InFile: r < 2, SoftDeleteState: "AlwaysON", Settings: plan.VaultSettings{Immutability: "Unlocked", Redundancy: "GeoRedundant"},
			}
			if r == 1 {
				v.Settings = plan.VaultSettings{Immutability: "Disabled", Redundancy: "LocallyRedundant"}
			}
			o.Vaults = append(o.Vaults, v)
			if v.InFile {
				c.Vaults = append(c.Vaults, config.Vault{
					Name: v.Name, Subscription: sub, ResourceGroup: "rg-backup", Location: region,
					Pos: config.Position{File: "azbackup.yaml", Line: 6 + 3*s + r, Column: 5},
				})
			}
			o.Policies = append(o.Policies,
				samplePolicy(v.ID, "daily-30d", plan.ScheduleSpec{Frequency: "Daily", At: "22:00"}, 30),
				samplePolicy(v.ID, "hourly-4h", plan.ScheduleSpec{Frequency: "Hourly", At: "08:00", Every: 4, Window: 12}, 14),
				samplePolicy(v.ID, "old-unused", plan.ScheduleSpec{Frequency: "Daily", At: "22:00"}, 7))
		}
	}
	for i := range n {
		vm, items := sampleVM(rng, i, o.Vaults)
		o.VMs = append(o.VMs, vm)
		o.Items = append(o.Items, items...)
	}
	gone := sampleItem(o.Vaults[0], armid.VM(sampleSub1, "rg-gone", "retired01"), "daily-30d")
	gone.LastRecoveryPoint = sampleNow.Add(-40 * 24 * time.Hour)
	o.Items = append(o.Items, gone)
	if n >= 100 {
		o.Gaps = []plan.Gap{{
			Kind: plan.GapItems, Subscription: sampleSub2, Location: regions[2], Vault: o.Vaults[5].ID, Code: "AuthorizationFailed", Status: 403,
			Message:   "The client 'backup-auditor' does not have authorization to perform action 'Microsoft.RecoveryServices/vaults/backupProtectedItems/read'",
			RequestID: "5f0f8b0e-3c0e-4b5e-9d35-0f6d3c1f7a11",
		}}
	}
	return o, c
}

func samplePolicy(vault, name string, s plan.ScheduleSpec, days int) plan.Policy {
	return plan.Policy{ID: armid.Policy(vault, name), Name: name, Vault: vault, Spec: plan.PolicySpec{
		Tier: plan.TierEnhanced, TimeZone: "UTC", Schedule: s, Retention: plan.RetentionSpec{Days: days},
	}}
}

func sampleItem(v plan.Vault, vm, policy string) plan.Item {
	id, _ := armid.ParseVM(vm)
	return plan.Item{
		ID: armid.ProtectedItem(v.ID, id), Vault: v.ID, VM: vm, State: plan.StateProtected, PolicyID: armid.Policy(v.ID, policy), PolicyName: policy,
		LastBackupStatus: "Completed", Health: "Passed",
	}
}

// sampleVM returns the i-th VM: nine of ten are well.
func sampleVM(rng *rand.Rand, i int, vaults []plan.Vault) (plan.VM, []plan.Item) {
	v := vaults[rng.IntN(len(vaults))]
	sub := armid.SubscriptionOf(v.ID)
	app := []string{"sap", "web", "crm", "mail", "build", "sql", "ad", "erp"}[rng.IntN(8)]
	group := fmt.Sprintf("rg-%s-%02d", app, rng.IntN(12))
	vm := plan.VM{
		Name: fmt.Sprintf("%s%05d", app, i), ResourceGroup: group, Subscription: sub, Location: v.Location,
		Tags:        map[string]string{"env": []string{"prod", "prod", "prod", "test", "dev"}[rng.IntN(5)], "app": app, "owner": "team-" + string(rune('a'+rng.IntN(6)))},
		TimeCreated: sampleNow.Add(-time.Duration(100+rng.IntN(900)) * 24 * time.Hour),
	}
	if i == 1 {
		vm.Tags["note"] = `=HYPERLINK("http://x","<script>alert(1)</script> @team ::error::[x](1) {0}")`
		vm.Tags["env"] = "prod"
	}
	vm.ID = armid.VM(sub, group, vm.Name)
	it := sampleItem(v, vm.ID, "daily-30d")
	it.LastRecoveryPoint = sampleNow.Add(-time.Duration(60*(4+rng.IntN(22))) * time.Minute)
	switch k := rng.IntN(60); {
	case i == 1 || k == 0:
		return vm, nil
	case k == 1:
		it.State, it.PolicyID, it.PolicyName = plan.StateProtectionStopped, "", ""
		it.LastRecoveryPoint = sampleNow.Add(-time.Duration(rng.IntN(90)) * 24 * time.Hour)
	case k == 2:
		it.State, it.SoftDeleted, it.DeletedAt, it.PurgeAt = plan.StateProtectionStopped, true, sampleNow.Add(-48*time.Hour), sampleNow.Add(12*24*time.Hour)
	case k == 3:
		it.State = plan.StateBackupsSuspended
	case k == 4:
		it.State, it.LastRecoveryPoint = plan.StateIRPending, time.Time{}
	case k == 5:
		it.LastRecoveryPoint = sampleNow.Add(-time.Duration(40+rng.IntN(700)) * time.Hour)
	case k == 6:
		it.LastBackupStatus, it.LastBackup = "Failed", sampleNow.Add(-3*time.Hour)
	case k == 7:
		it.PolicyID, it.PolicyName = armid.Policy(v.ID, "hourly-4h"), "hourly-4h"
	case k == 8:
		vm.Unsupported = "it has an ephemeral OS disk"
		return vm, nil
	case k == 9:
		vm.TimeCreated = sampleNow.Add(-time.Hour)
	case k == 10:
		it.Disks = &plan.Disks{LUNs: []int{2}}
	}
	return vm, []plan.Item{it}
}
