package plan

import (
	"maps"
	"slices"

	"github.com/azbackup/azbackup/internal/armid"
)

// planRefresh plans one refresh for each vault that gets a VM which the service does not offer yet (`auto`), or any VM
// (`always`). Where the list was not read it plans no refresh: protecting needs none (docs/azure.md §1), and apply
// refreshes in the rare case where the service refuses without one.
func (pl *planner) planRefresh() {
	mode := pl.config.Settings.Refresh
	if mode == refreshNever {
		return
	}
	offered := pl.readProtectable()
	wanting := map[armid.Key][]int{} // the protect changes of a vault
	want := map[armid.Key]bool{}
	for i := range pl.changes {
		d := &pl.changes[i]
		if d.Action != Protect {
			continue
		}
		k := pl.index.key(d.Vault)
		wanting[k] = append(wanting[k], i)
		want[k] = want[k] || mode == refreshAlways || offered.isMissing(pl.vaults[k], armid.Of(d.Target))
	}
	for _, k := range slices.Sorted(maps.Keys(wanting)) {
		if want[k] {
			pl.planVaultRefresh(pl.vaults[k], wanting[k], mode == refreshAlways)
		}
	}
}

func (pl *planner) planVaultRefresh(v *vaultPlan, protects []int, always bool) {
	c := Change{
		ID: changeID(Refresh, v.key), Action: Refresh, Target: v.id, Vault: v.id,
		Reason: ReasonNotOffered, Needs: withoutEmpty(v.lastChange), Rule: refOf(v.conf.Name, v.conf.Pos),
	}
	if always {
		c.Reason = ReasonRefreshAlways
	}
	c.Because = pl.sentence(c.Reason, "")
	for _, i := range protects {
		pl.changes[i].Needs = append(pl.changes[i].Needs, c.ID)
	}
	pl.addChange(pendingChange{Change: c})
}

// protectableSet holds the VMs that the service offers for protection, where the list was read.
type protectableSet map[armid.Region]map[armid.Key]bool

func (pl *planner) readProtectable() protectableSet {
	o := protectableSet{}
	for _, list := range pl.observed.Protectable {
		r := armid.RegionOf(list.Subscription, list.Location)
		if o[r] == nil {
			o[r] = make(map[armid.Key]bool, len(list.VMs))
		}
		for _, id := range list.VMs {
			o[r][armid.Of(id)] = true
		}
	}
	return o
}

// isMissing reports whether the list of the vault's region was read and does not contain the VM.
func (o protectableSet) isMissing(v *vaultPlan, vm armid.Key) bool {
	list, read := o[armid.RegionOf(v.subscription, v.location)]
	return read && !list[vm]
}
