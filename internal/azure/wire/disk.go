package wire

import (
	"cmp"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Disk is a managed disk (docs/azure.md §19).
type Disk struct {
	tolerantRow
	ID         Field    `json:"id"`
	Location   Field    `json:"location"`
	Tags       tagField `json:"tags"`
	ManagedBy  Field    `json:"managedBy"`
	Shared     []Field  `json:"managedByExtended"`
	Properties struct {
		Created    Field `json:"timeCreated"`
		OS         Field `json:"osType"`
		Generation Field `json:"hyperVGeneration"`
		SizeGB     Field `json:"diskSizeGB"`
		State      Field `json:"diskState"`
		Creation   struct {
			Option Field `json:"createOption"`
			Source Field `json:"sourceResourceId"`
		} `json:"creationData"`
	} `json:"properties"`
}

// maxDiskGB exceeds the size of the largest disk.
const maxDiskGB = 1 << 20

// ToPlan converts w to plan's type; false where its id is not that of a disk of the group (its id). at is when it was
// read; zero accepts future times.
func (w Disk) ToPlan(group string, at time.Time) (plan.Disk, bool) {
	p, r := w.Properties, &fieldReader{}
	r.checkForm(w.tolerantRow)
	d := plan.Disk{
		ID: r.id("id", w.ID), Location: r.word("location", w.Location), Tags: r.tags(w.Tags, nil),
		State: r.required("diskState", p.State), Created: r.pastTime("timeCreated", p.Created, at), OS: p.OS.Text(), Generation: p.Generation.Text(),
		SizeGB: r.number("diskSizeGB", p.SizeGB, maxDiskGB), Origin: p.Creation.Option.Text(), Source: p.Creation.Source.Text(),
	}
	if !isIn(d.ID, group, "Microsoft.Compute", "disks") {
		return d, false
	}
	_, d.Name = armid.CutName(d.ID)
	for _, by := range append([]Field{w.ManagedBy}, w.Shared...) {
		if by != "" {
			d.Holders = append(d.Holders, cmp.Or(r.id("managedBy", by), "(not understood)"))
		}
	}
	for name, value := range d.Tags {
		if !strings.EqualFold(name, plan.TagRestoreJob) {
			continue
		}
		if d.Job != "" && d.Job != value {
			r.addProblem("it has two tags %s", plan.TagRestoreJob)
		}
		d.Job = value
	}
	d.Unreadable = r.describeProblems()
	return d, true
}

// isIn reports whether an id is that of a resource of a type in a resource group.
func isIn(id, group, provider, kind string) bool {
	head, name := armid.CutName(id)
	head, last := armid.CutName(head)
	head, space := armid.CutName(head)
	owner, providers := armid.CutName(head)
	return name != "" && strings.EqualFold(last, kind) && strings.EqualFold(space, provider) &&
		strings.EqualFold(providers, "providers") && armid.Same(owner, group)
}

// ResourceGroup is a resource group.
type ResourceGroup struct {
	tolerantRow
	ID       Field    `json:"id"`
	Location Field    `json:"location"`
	Tags     tagField `json:"tags"`
}

// ToPlan converts w to plan's type, under the requested id.
func (w ResourceGroup) ToPlan(id string) plan.ResourceGroup {
	r := &fieldReader{}
	r.checkForm(w.tolerantRow)
	g := plan.ResourceGroup{ID: id, Location: r.word("location", w.Location), Tags: r.tags(w.Tags, nil)}
	_, g.Name = armid.CutName(strings.TrimRight(id, "/"))
	if !armid.Same(r.id("id", w.ID), id) {
		r.recordMisread("id", w.ID)
	}
	g.Unreadable = r.describeProblems()
	return g
}

// StorageAccount is a storage account (docs/azure.md §33.44).
type StorageAccount struct {
	tolerantRow
	ID       Field `json:"id"`
	Location Field `json:"location"`
	Kind     Field `json:"kind"`
	SKU      struct {
		Name Field `json:"name"`
	} `json:"sku"`
}

// ToPlan converts w to plan's type, under the requested id.
func (w StorageAccount) ToPlan(id string) plan.StorageAccount {
	r := &fieldReader{}
	r.checkForm(w.tolerantRow)
	a := plan.StorageAccount{
		ID: id, Location: r.required("location", w.Location), Kind: r.required("kind", w.Kind), SKU: r.required("sku.name", w.SKU.Name),
	}
	_, a.Name = armid.CutName(strings.TrimRight(id, "/"))
	if !armid.Same(r.id("id", w.ID), id) {
		r.recordMisread("id", w.ID)
	}
	a.Unreadable = r.describeProblems()
	return a
}
