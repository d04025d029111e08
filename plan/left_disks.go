package plan

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// LeftDisk is a disk in the group of restore tests that a completed restore into it made, and that is still there.
type LeftDisk struct {
	Disk Disk
	Job  RestoreJob
	// Made reports whether the disk may be deleted; WhyKept is why not, or "".
	Made    CleanUp
	WhyKept string
}

// TaggedJobs returns the names of the jobs in the tags of disks, each once.
func TaggedJobs(disks []Disk) []string {
	var names []string
	for _, d := range disks {
		if d.Job != "" {
			names = append(names, d.Job)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// LeftDisks returns the disks of a resource group, among all of its disks, whose tags name restores into that group that
// have completed, in the order of their ids. No other disk is known to come from a restore, or from a test.
func LeftDisks(group string, disks []Disk, jobs []RestoreJob) []LeftDisk {
	var left []LeftDisk
	for _, d := range disks {
		i := slices.IndexFunc(jobs, func(j RestoreJob) bool {
			return d.Job != "" && lastName(j.ID) == d.Job && j.IsProof() && strings.EqualFold(j.Group, lastName(group)) &&
				armid.Same(armid.SubscriptionOf(j.ID), armid.SubscriptionOf(group))
		})
		if i < 0 {
			continue
		}
		made := CleanUp{Group: group, Job: d.Job, Start: jobs[i].Start, End: jobs[i].End}
		left = append(left, LeftDisk{Disk: d, Job: jobs[i], Made: made, WhyKept: made.WhyKept(d)})
	}
	slices.SortFunc(left, func(a, b LeftDisk) int {
		return strings.Compare(string(armid.Of(a.Disk.ID)), string(armid.Of(b.Disk.ID)))
	})
	return left
}
