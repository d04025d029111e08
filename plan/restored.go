package plan

import (
	"cmp"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// RestoreJob is a Restore job with the details that only its own document holds (docs/azure.md §33.48).
type RestoreJob struct {
	Job
	// PointTime is the time of the recovery point, in whole seconds; zero = not given.
	PointTime time.Time
	// Group is the name of the resource group that the disks were restored to, Account that of the staging storage
	// account.
	Group   string
	Account string
	// Restored and Held are the names of the source disks that were restored, and of all disks that the point held;
	// nil = not given.
	Restored, Held []string
	// Template is the URI of the template that rebuilds the VM; Blobs is the container of the account that holds it.
	Template string
	Blobs    string
	// Unreadable is the part of the job that was not understood, with its value; such a job proves nothing.
	Unreadable string
}

// IsProof reports whether the job completed a restore of a known recovery point, and so shows that it can be restored.
func (j RestoreJob) IsProof() bool {
	return j.Unreadable == "" && j.Operation == JobRestore && j.Status == jobCompleted && !j.PointTime.IsZero()
}

// ProvenBy returns the latest job that completed a restore of the point; false = none is known. Jobs identify points
// by their time, in whole seconds.
func (p RecoveryPoint) ProvenBy(it Item, jobs []RestoreJob) (RestoreJob, bool) {
	var proof RestoreJob
	found := false
	for _, j := range jobs {
		if !j.IsProof() || !j.isOf(it) || !j.PointTime.Equal(p.Time.UTC().Truncate(time.Second)) {
			continue
		}
		if !found || j.isLater(proof.End, proof.ID) {
			proof, found = j, true
		}
	}
	return proof, found
}

// isLater reports whether the job ended after another one or, of jobs that ended together, has the smaller id: so one of
// them counts in whatever order they were read.
func (j *RestoreJob) isLater(end time.Time, id string) bool {
	return cmp.Or(j.End.Compare(end), strings.Compare(id, j.ID)) > 0
}

// isOf reports whether the job is one of the item, by container name within the vault.
func (j RestoreJob) isOf(it Item) bool {
	return armid.Same(j.Vault, it.Vault) && strings.EqualFold(j.Container, it.Container)
}

// Disk is a managed disk of a resource group (docs/azure.md §19).
type Disk struct {
	ID       string
	Name     string
	Location string
	Tags     map[string]string
	// Job is the name of the Restore job that made the disk, from its tag; "" = no tag. The tag stays when the disk is
	// used (docs/azure.md §25.2): it shows where the disk came from, not what it is for.
	Job string
	// Holders are the ids of the VMs that the disk is attached to, State is its diskState as read (docs/azure.md §19).
	Holders []string
	State   string
	Created time.Time
	// OS and Generation are given for OS disks.
	OS         string
	Generation string
	SizeGB     int
	// Origin is creationData's createOption, Source the id of the resource that creationData names.
	Origin string
	Source string
	// Unreadable is the part of the disk that was not understood, with its value. Only the id is reliable then.
	Unreadable string
}

// TagRestoreJob is the tag in which a restored disk carries the name of its job (docs/azure.md §25.2).
const TagRestoreJob = "RSVaultBackup"

// IsFree reports whether the disk is known to be attached to nothing.
func (d Disk) IsFree() bool {
	return d.Unreadable == "" && len(d.Holders) == 0 && strings.EqualFold(d.State, "Unattached")
}

// ResourceGroup is a resource group that exists.
type ResourceGroup struct {
	ID       string
	Name     string
	Location string
	Tags     map[string]string
	// Unreadable is the part of the group that was not understood, with its value.
	Unreadable string
}

// StorageAccount is a storage account that exists.
type StorageAccount struct {
	ID       string
	Name     string
	Location string
	Kind     string
	SKU      string
	// Unreadable is the part of the account that was not understood, with its value.
	Unreadable string
}

// WhyCannotStage returns why the account cannot stage a restore of a vault in that region, or "" (docs/azure.md §19,
// §25.3).
func (a StorageAccount) WhyCannotStage(location string) string {
	switch {
	case a.Unreadable != "":
		return "not all of it was understood: " + a.Unreadable
	case armid.Location(a.Location) != armid.Location(location):
		return "it is in " + a.Location + ", and the vault in " + location
	case strings.HasSuffix(strings.ToUpper(a.SKU), "ZRS"):
		return "it is zone-redundant (" + a.SKU + ")"
	case strings.EqualFold(a.Kind, "BlobStorage"), strings.EqualFold(a.Kind, "BlockBlobStorage"):
		return "it holds blobs alone (" + a.Kind + ")"
	}
	return ""
}

// ItemPoints are the recovery points of an item.
type ItemPoints struct {
	Item   Item
	Points []RecoveryPoint // newest first
	// Read reports whether the points could be read; only then does an empty list mean that there are none.
	Read bool
}
