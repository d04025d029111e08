package quota

import (
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// newModel returns the model of a bucket before its first answer.
func newModel(b Bucket, confirms bool) limitModel {
	switch {
	case b == ARMReads:
		return newTokenBucket(plan.ARMReadsBurst, plan.ARMReadsPerSecond)
	case b == ARMWrites:
		return newTokenBucket(plan.ARMWritesBurst, plan.ARMWritesPerSecond)
	case b == ARMDeletes:
		return newTokenBucket(plan.ARMDeletesBurst, plan.ARMDeletesPerSecond)
	case b == ResourceGraph:
		return newWindow(plan.GraphQueries, plan.GraphQueriesWindow, confirms)
	case b == ComputeReads:
		return newWindow(0, computeInterval, confirms)
	case strings.HasPrefix(string(b), policyWrites):
		return newDailyLimit(plan.PolicyWritesPerDay)
	case strings.HasPrefix(string(b), protectionChanges):
		return newDailyLimit(plan.ProtectionChangesPerDay)
	}
	// Nothing is confirmed by recovery points.
	return newWindow(plan.BackupRequestsPerHour, plan.BackupRequestsWindow, confirms && b != ListPoints)
}

// computeInterval is the assumed interval of a Compute limit whose name does not end in its minutes.
const computeInterval = 3 * time.Minute
