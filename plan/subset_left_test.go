package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// A vault that joined by a match is not in the file by its name: when it was deleted, or has lost the tag that it joined
// by, a plan has nothing to say of it, which is no sign that it is as approved.
func TestAChangeInAVaultThatLeftTheFileIsNotDone(t *testing.T) {
	const sub = "11111111-1111-1111-1111-111111111111"
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	days, instant := 30, 2
	c := &config.Config{
		Subscriptions: []string{sub},
		VaultMatches:  []config.Vault{{Match: &config.VaultSelector{Names: []string{"rsv-*"}}, Manage: true, Tags: map[string]string{"by": "us"}}},
		Policies: []config.Policy{{
			Name: "daily", Manage: true, Vaults: []string{"rsv-*"}, Tier: TierStandard, TimeZone: "UTC", InstantRestoreDays: &instant,
			Schedule: &config.Schedule{Daily: &config.Daily{At: "22:00"}}, Retention: &config.Retention{Days: &days},
		}},
		Settings: config.DefaultSettings(),
	}
	vault := armid.Vault(sub, "rg", "rsv-a")
	is := PolicySpec{Tier: TierStandard, TimeZone: "UTC", InstantRestoreDays: 2, Schedule: ScheduleSpec{Frequency: FrequencyDaily, At: "22:00"}, Retention: RetentionSpec{Days: 7}}
	o := Observed{
		Vaults:   []Vault{{ID: vault, Name: "rsv-a", Location: "westeurope"}},
		Policies: []Policy{{ID: armid.Policy(vault, "daily"), Name: "daily", Vault: vault, Spec: is}},
	}
	saved := Make(c, o, Options{Now: now})
	if len(saved.Changes) != 2 {
		t.Fatalf("%+v", saved.Changes)
	}
	settled := o
	settled.Vaults = []Vault{{ID: strings.ToUpper(vault), Name: "rsv-a", Location: "westeurope", Settings: VaultSettings{Tags: map[string]string{"by": "us"}}}}
	settled.Policies = []Policy{{ID: armid.Policy(vault, "daily"), Name: "daily", Vault: vault, Spec: is}}
	settled.Policies[0].Spec.Retention.Days = 30
	for name, tt := range map[string]struct {
		now  Observed
		done int
	}{"as approved": {settled, 2}, "gone": {Observed{}, 0}} {
		rest := Subset(saved, Make(c, tt.now, Options{Now: now}))
		if len(rest.Done) != tt.done || len(rest.Stale) != 2-tt.done {
			t.Errorf("%s: done %+v, stale %+v", name, rest.Done, rest.Stale)
		}
	}
}
