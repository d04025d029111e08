package wire

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// RecoveryPoint is a recovery point (docs/azure.md §11, §19, §33.45).
type RecoveryPoint struct {
	tolerantRow
	ID         Field `json:"id"`
	Properties struct {
		Kind        Field       `json:"objectType"`
		Consistency Field       `json:"recoveryPointType"`
		Time        Field       `json:"recoveryPointTime"`
		Tiers       []pointTier `json:"recoveryPointTierDetails"`
		Disks       *struct {
			Held     Field       `json:"numberOfDisksIncludedInBackup"`
			Attached Field       `json:"numberOfDisksAttachedToVm"`
			Included []pointDisk `json:"includedDiskList"`
			Excluded []pointDisk `json:"excludedDiskList"`
		} `json:"recoveryPointDiskConfiguration"`
		More struct {
			Expires     Field `json:"expiryTime"`
			SoftDeleted Field `json:"isSoftDeleted"`
		} `json:"recoveryPointProperties"`
		OS            Field `json:"osType"`
		Managed       Field `json:"isManagedVirtualMachine"`
		Encrypted     Field `json:"isSourceVMEncrypted"`
		PrivateAccess Field `json:"isPrivateAccessEnabledOnAnyDisk"`
		EdgeZone      struct {
			Name Field `json:"name"`
		} `json:"extendedLocation"`
	} `json:"properties"`
}

type pointTier struct {
	Type     Field            `json:"type"`
	Status   Field            `json:"status"`
	Extended map[string]Field `json:"extendedInfo"`
}

type pointDisk struct {
	LUN  Field `json:"lun"`
	Name Field `json:"name"`
}

// kindVMPoint is the objectType of a VM's recovery point.
const kindVMPoint = "IaasVMRecoveryPoint"

// ToPlan converts w to plan's type. item is the point's item; at is when it was read: a later time of the point is not
// understood.
func (w RecoveryPoint) ToPlan(item string, at time.Time) plan.RecoveryPoint {
	p, r := w.Properties, &fieldReader{}
	r.checkForm(w.tolerantRow)
	out := plan.RecoveryPoint{
		ID: r.id("id", w.ID), Item: item, Time: r.pastTime("recoveryPointTime", p.Time, at),
		Consistency: p.Consistency.Text(), OS: p.OS.Text(), Expires: r.pastTime("expiryTime", p.More.Expires, time.Time{}),
		SoftDeleted: r.boolean("isSoftDeleted", p.More.SoftDeleted), Encrypted: r.boolean("isSourceVMEncrypted", p.Encrypted),
		PrivateAccess: r.boolean("isPrivateAccessEnabledOnAnyDisk", p.PrivateAccess), EdgeZone: r.word("extendedLocation", p.EdgeZone.Name),
		Unmanaged: p.Managed != "" && !r.boolean("isManagedVirtualMachine", p.Managed),
	}
	if !IsPointOf(out.ID, item) {
		r.recordMisread("id", w.ID)
	} else {
		_, out.Name = armid.CutName(out.ID)
	}
	if p.Kind != kindVMPoint && !strings.EqualFold(string(p.Kind), kindVMPoint) {
		r.recordMisread("objectType", p.Kind)
	}
	if out.Time.IsZero() && p.Time == "" {
		r.addProblem("recoveryPointTime is missing")
	}
	if p.Tiers != nil {
		out.Tiers = []plan.PointTier{} // present, and empty
	}
	for _, t := range p.Tiers {
		out.Tiers = append(out.Tiers, t.toPlan(r))
	}
	if d := p.Disks; d != nil {
		out.Disks = &plan.PointDisks{
			Held: r.number("numberOfDisksIncludedInBackup", d.Held, maxLUN+2), Attached: r.number("numberOfDisksAttachedToVm", d.Attached, maxLUN+2),
			Included: disksIn(r, d.Included), Excluded: disksIn(r, d.Excluded),
		}
	}
	out.Unreadable = r.describeProblems()
	return out
}

func (t pointTier) toPlan(r *fieldReader) plan.PointTier {
	return plan.PointTier{
		Type: r.required("the type of a tier", t.Type), Status: r.required("the status of a tier", t.Status),
		RehydratedUntil: r.pastTime("rehydratedRPExpiryTime", t.Extended["rehydratedRPExpiryTime"], time.Time{}),
	}
}

func disksIn(r *fieldReader, list []pointDisk) []plan.PointDisk {
	if list == nil {
		return nil
	}
	out := []plan.PointDisk{}
	for _, d := range list {
		lun, ok := d.LUN.lun()
		if !ok {
			r.recordMisread("lun", d.LUN)
		}
		out = append(out, plan.PointDisk{LUN: lun, Name: r.word("name", d.Name)})
	}
	return out
}

// lun returns the LUN of a disk; the OS disk has [plan.OSDisk].
func (f Field) lun() (int, bool) {
	var n int
	ok := !f.isText() && json.Unmarshal([]byte(f[len(notText):]), &n) == nil && n >= plan.OSDisk && n <= maxLUN
	return n, ok
}

// IsPointOf reports whether an id is that of a recovery point of an item.
func IsPointOf(id, item string) bool {
	head, name := armid.CutName(id)
	owner, kind := armid.CutName(head)
	return name != "" && strings.EqualFold(kind, "recoveryPoints") && armid.Same(owner, item)
}
