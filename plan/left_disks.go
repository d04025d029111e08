package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// LeftDisk is a disk that a completed restore made in a resource group of restore tests, and that still exists.
type LeftDisk struct {
	Disk Disk
	Job  RestoreJob
	// Made identifies the disks of that restore; WhyKept is why this disk must not be deleted, "" = it may be.
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

// LeftDisks returns those of all disks of a resource group whose tag names a completed restore into that group, sorted by
// id. No other disk is known to come from a restore. A restore that the operator requested tags its disks alike: what it
// made in such a group is returned as well. Where more disks carry the name of a job than it made, which of them it made is
// not known, and all of them are kept.
func LeftDisks(group string, disks []Disk, jobs []RestoreJob) []LeftDisk {
	var left []LeftDisk
	count := map[string]int{} // of disks, by the job in their tag
	for _, d := range disks {
		count[d.Job]++
	}
	for _, d := range disks {
		i := slices.IndexFunc(jobs, func(j RestoreJob) bool {
			return d.Job != "" && lastName(j.ID) == d.Job && j.IsProof() && strings.EqualFold(j.Group, lastName(group)) &&
				armid.Same(armid.SubscriptionOf(j.ID), armid.SubscriptionOf(group))
		})
		if i < 0 {
			continue
		}
		made := CleanUp{Group: group, Job: d.Job, Start: jobs[i].Start, End: jobs[i].End}
		why := made.WhyKept(d)
		if made := len(jobs[i].Restored); made > 0 && count[d.Job] > made { // 0 = not given
			why = cmp.Or(why, fmt.Sprintf("%d disks carry the name of its job, and it made %d", count[d.Job], made))
		}
		left = append(left, LeftDisk{Disk: d, Job: jobs[i], Made: made, WhyKept: why})
	}
	slices.SortFunc(left, func(a, b LeftDisk) int {
		return strings.Compare(string(armid.Of(a.Disk.ID)), string(armid.Of(b.Disk.ID)))
	})
	return left
}
