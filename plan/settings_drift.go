package plan

import "github.com/azbackup/azbackup/config"

// SettingDrift is a difference between the file and a vault or a policy that was read.
type SettingDrift struct {
	Action Action // the action that [Make] plans; where it is blocked, the wanted one
	Target string // id
	Fields []Field
}

// SettingDrifts returns the drifts that [Make] finds in the vaults and policies of the file, in the order of its
// changes. It decides about no VM, which is most of the work of a plan.
func SettingDrifts(c *config.Config, o Observed, opt Options) []SettingDrift {
	o.VMs = nil // items count, whatever they are of
	m := newPlanner(c, &o, opt, nil)
	m.planVaults()
	m.planPolicies()
	m.sortChanges()
	out := make([]SettingDrift, 0, len(m.changes))
	for i := range m.changes {
		d := SettingDrift{m.changes[i].Action, m.changes[i].Target, m.changes[i].Fields}
		if d.Action == Blocked {
			d.Action = m.changes[i].Wanted
		}
		out = append(out, d)
	}
	return out
}
