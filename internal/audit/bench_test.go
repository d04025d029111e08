package audit

import (
	"fmt"
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// BenchmarkAssess audits an estate whose one rule names every vault: the cost of an audit must grow with the VMs, not
// with the VMs times the vaults (ns/vm of one number of VMs should be alike).
func BenchmarkAssess(b *testing.B) {
	for _, size := range []struct{ vms, vaults int }{{10_000, 10}, {10_000, 100}, {10_000, 1000}, {100_000, 100}} {
		b.Run(fmt.Sprintf("vms=%d/vaults=%d", size.vms, size.vaults), func(b *testing.B) {
			c, o, now := fleet(size.vms, size.vaults)
			b.ReportAllocs()
			for b.Loop() {
				if r := Assess(c, o, Options{Now: now}); r.Summary.States[Protected] != size.vms {
					b.Fatalf("%+v", r.Summary)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size.vms), "ns/vm")
		})
	}
}

// fleet returns an estate of protected VMs, spread evenly over vaults of one region.
func fleet(vms, vaults int) (*config.Config, plan.Observed, time.Time) {
	const sub = "11111111-1111-1111-1111-111111111111"
	now := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	c := &config.Config{Subscriptions: []string{sub}}
	rule := config.Rule{Name: "all", Match: []config.Selector{{Names: []string{"*"}}}, Policy: "daily", Protect: config.ProtectOn}
	var o plan.Observed
	for i := range vaults {
		v := config.Vault{Name: fmt.Sprintf("rsv-%04d", i), ResourceGroup: "rg-backup", Subscription: sub, Location: "westeurope"}
		c.Vaults = append(c.Vaults, v)
		rule.Vault = append(rule.Vault, v.Name)
		o.Vaults = append(o.Vaults, plan.Vault{ID: v.ID(), Name: v.Name, Location: v.Location, InFile: true})
		o.Policies = append(o.Policies, plan.Policy{
			ID: armid.Policy(v.ID(), "daily"), Name: "daily", Vault: v.ID(), Items: vms / vaults,
			Spec: plan.PolicySpec{
				Tier: plan.TierStandard, TimeZone: "UTC", InstantRestoreDays: 2,
				Schedule:  plan.ScheduleSpec{Frequency: plan.FrequencyDaily, At: "22:00"},
				Retention: plan.RetentionSpec{Days: 30},
			},
		})
	}
	c.Policies = []config.Policy{{Name: "daily"}}
	c.Rules = []config.Rule{rule}
	for i := range vms {
		group, name := fmt.Sprintf("rg-%04d", i/50), fmt.Sprintf("vm%06d", i)
		id := "/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/Microsoft.Compute/virtualMachines/" + name
		o.VMs = append(o.VMs, plan.VM{ID: id, Name: name, ResourceGroup: group, Subscription: sub, Location: "westeurope"})
		vault := o.Vaults[i%vaults].ID
		vm, err := armid.ParseVM(id)
		if err != nil {
			panic(err)
		}
		o.Items = append(o.Items, plan.Item{
			ID: armid.ProtectedItem(vault, vm), Vault: vault, VM: id, State: plan.StateProtected, PolicyID: armid.Policy(vault, "daily"),
			PolicyName: "daily", LastRecoveryPoint: now.Add(-8 * time.Hour), LastBackup: now.Add(-8 * time.Hour), LastBackupStatus: "Completed",
		})
	}
	return c, o, now
}
