package wire

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// The keys read from a Restore job's property bag (docs/azure.md §33.48). One of them ends in a space.
const (
	bagPointTime = "Recovery point time "
	bagGroup     = "Target resource group"
	bagAccount   = "Target Storage Account Name"
	bagRestored  = "Restored disk(s)"
	bagHeld      = "Backed-up disk(s)"
	bagTemplate  = "Template Blob Uri"
	bagBlobs     = "Config Blob Container Name"
)

// bagTime is the format of times in property bags; they are UTC (docs/azure.md §33.34).
const bagTime = "1/2/2006 3:04:05 PM"

// ToRestoreJob converts w to a Restore job of plan. Where w has no property bag, as in a list, nothing is known of what
// the job restored. at is when it was read.
func (w Job) ToRestoreJob(vault string, at time.Time) plan.RestoreJob {
	j, odd := w.ToPlan(vault, at)
	r := &fieldReader{}
	if odd != "" {
		r.addProblem("%s", odd)
	}
	if w.detail != "" {
		r.addProblem("%s", w.detail)
	}
	bag := w.Properties.ExtendedInfo.Bag
	out := plan.RestoreJob{
		Job: j, Group: r.word(bagGroup, bag[bagGroup]), Account: r.word(bagAccount, bag[bagAccount]),
		Restored: splitNames(r.id(bagRestored, bag[bagRestored])), Held: splitNames(r.id(bagHeld, bag[bagHeld])),
		Template: r.id(bagTemplate, bag[bagTemplate]), Blobs: r.word(bagBlobs, bag[bagBlobs]),
	}
	if taken := cmp.Or(bag[bagPointTime], bag[strings.TrimSpace(bagPointTime)]); taken != "" {
		var err error
		if out.PointTime, err = time.Parse(bagTime, strings.TrimSpace(taken.Text())); err != nil {
			r.recordMisread(strings.TrimSpace(bagPointTime), taken)
		}
	}
	out.Unreadable = r.describeProblems()
	return out
}

// splitNames splits a list of disks at "; " (docs/azure.md §33.48).
func splitNames(list string) []string {
	var out []string
	for name := range strings.SplitSeq(list, ";") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// misreadDetail describes a value of an unexpected type in a job's own document.
func misreadDetail(name, value string) string {
	return fmt.Sprintf("%s is of type %s", strings.TrimPrefix(name, "properties."), Printable(value))
}
