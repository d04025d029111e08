package plan

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// TestFacts are what was read for the restore tests of the file, as a plan requested it ([Questions]).
type TestFacts struct {
	// RestoreFacts has the Restore jobs of the requested containers, newest first of each: of a job before the one that
	// proves a restore only the row of the list is there. Its gaps are those of [Observed].
	RestoreFacts
	// Asked are the questions that were answered, also by a gap, as [TestQuestion.Key] names them.
	Asked []string
}

// TestQuestion is one read that restore tests need.
type TestQuestion struct {
	Kind TestQuestionKind
	// ID is that of the vault, the resource group, the account or the item; of accounts by name the subscription.
	ID string
	// Names are the names of accounts.
	Names []string
	// Since is the time from which jobs are needed, Containers are the containers of the VMs, each with the resource
	// group that a job has to restore into to prove one of them.
	Since      time.Time
	Containers map[string]string
	// Failed is true where it has to be known why the last test of a VM failed: of failed jobs more is read than their
	// rows.
	Failed bool
	// Item is the item whose points are needed; Oldest is true where the oldest of them is restored, not the newest.
	Item   Item
	Oldest bool
}

// TestQuestionKind is the kind of resource that a [TestQuestion] is about.
type TestQuestionKind string

// The kinds of [TestQuestion]. Disks are asked for with the jobs: the job that a disk names is read as well.
const (
	AskJobs     TestQuestionKind = "jobs"     // Restore jobs of a vault
	AskDisks    TestQuestionKind = "disks"    // the disks of a resource group
	AskGroup    TestQuestionKind = "group"    // a resource group
	AskAccount  TestQuestionKind = "account"  // a storage account, by id
	AskAccounts TestQuestionKind = "accounts" // storage accounts of a subscription, by name
	AskPoints   TestQuestionKind = "points"   // the recovery points of an item
)

// Key identifies the question.
func (q TestQuestion) Key() string {
	names := slices.Clone(q.Names)
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	slices.Sort(names)
	return string(q.Kind) + " " + string(armid.Of(q.ID)) + " " + strings.Join(names, ",")
}

// DiskLeftBehind is a free disk that an earlier restore test made and did not remove, because it was cut or could not.
type DiskLeftBehind struct {
	ID      string    `json:"id"`
	Job     string    `json:"job"` // the id of the Restore job, which completed
	Created time.Time `json:"created,omitzero"`
	SizeGB  int       `json:"size_gb,omitempty"`
}

// leftBehind returns the free disks of the asked groups that restores into them made.
func (f *TestFacts) leftBehind() []DiskLeftBehind {
	var left []DiskLeftBehind
	for _, group := range slices.Sorted(maps.Keys(f.Disks)) {
		for _, d := range LeftDisks(string(group), f.Disks[group], f.Jobs) {
			if d.Disk.IsFree() {
				left = append(left, DiskLeftBehind{ID: d.Disk.ID, Job: d.Job.ID, Created: d.Disk.Created.UTC(), SizeGB: d.Disk.SizeGB})
			}
		}
	}
	return left
}

// isInto reports whether the job restored into a resource group, by its id. Jobs name the group only; a vault restores
// into its own subscription.
func (j *RestoreJob) isInto(group string) bool {
	return strings.EqualFold(j.Group, lastName(group)) && strings.EqualFold(armid.SubscriptionOf(j.Vault), armid.SubscriptionOf(group))
}
