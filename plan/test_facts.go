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
	// RestoreFacts has the Restore jobs of the requested containers, of each the newest first. Of jobs older than the one
	// that proves a restore it has only the row of the list. Its gaps are in [Observed.Gaps].
	RestoreFacts
	// Asked are the keys ([TestQuestion.Key]) of the questions that were answered, some of them by a gap.
	Asked []string
}

// TestQuestion is one read that restore tests need.
type TestQuestion struct {
	Kind TestQuestionKind
	// ID is the id of the vault, the resource group, the account or the item; for accounts by name, of the subscription.
	ID string
	// Names are the names of accounts.
	Names []string
	// Since is the time from which jobs are needed, Containers are the containers of the VMs, each with the resource
	// group that a job has to restore into to prove one of them.
	Since      time.Time
	Containers map[string]string
	// Failed requests the details of failed jobs as well, which say why the last test of a VM failed.
	Failed bool
	// Item is the item whose points are needed; Oldest is true where the oldest of them is restored, not the newest.
	Item   Item
	Oldest bool
}

// TestQuestionKind is the kind of resource that a [TestQuestion] is about.
type TestQuestionKind string

// The kinds of [TestQuestion]. AskDisks also requests each job that the tag of a disk names.
const (
	AskJobs     TestQuestionKind = "jobs"     // Restore jobs of a vault
	AskDisks    TestQuestionKind = "disks"    // the disks of a resource group
	AskGroup    TestQuestionKind = "group"    // a resource group
	AskAccount  TestQuestionKind = "account"  // a storage account, by id
	AskAccounts TestQuestionKind = "accounts" // storage accounts of a subscription, by name
	AskPoints   TestQuestionKind = "points"   // the recovery points of an item
)

// Key identifies the question: two questions with one key have the same answer.
func (q TestQuestion) Key() string {
	names := slices.Clone(q.Names)
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	slices.Sort(names)
	return string(q.Kind) + " " + string(armid.Of(q.ID)) + " " + strings.Join(names, ",")
}

// DiskLeftBehind is an unattached disk that an earlier restore into a group of tests made and that was not removed.
type DiskLeftBehind struct {
	ID      string    `json:"id"`
	Job     string    `json:"job"` // the id of the Restore job, which completed
	Created time.Time `json:"created,omitzero"`
	SizeGB  int       `json:"size_gb,omitempty"`
}

// leftBehind returns the unattached disks in the groups of the tests that restores into these groups made.
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

// isInto reports whether the job restored into the resource group with this id. Jobs hold only the name of the group; a
// vault restores into its own subscription (docs/azure.md §25.3).
func (j *RestoreJob) isInto(group string) bool {
	return strings.EqualFold(j.Group, lastName(group)) && strings.EqualFold(armid.SubscriptionOf(j.Vault), armid.SubscriptionOf(group))
}
