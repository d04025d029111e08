package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// RestoreReader reads what restore tests compare. Errors are *[Error], or the context's cause; a failed read proves no
// absence.
type RestoreReader interface {
	// Disks lists the managed disks of a resource group, Disk reads one; false = it does not exist.
	Disks(ctx context.Context, group string) ([]plan.Disk, error)
	Disk(ctx context.Context, id string) (plan.Disk, bool, error)
	ResourceGroup(ctx context.Context, id string) (plan.ResourceGroup, bool, error)
	RestoreJob(ctx context.Context, id string) (plan.RestoreJob, error)
}

// RestoreTester does what restore tests need besides [Backend.Start], [Backend.Poll] and [RestoreReader]. Like those,
// each method makes one attempt.
type RestoreTester interface {
	// StartValidation asks the service to check a restore, which has no effect; PollValidation polls for its result.
	StartValidation(ctx context.Context, c plan.Change) (Operation, error)
	PollValidation(ctx context.Context, op Operation) (Validation, error)
	// RecoveryPoint reads a recovery point, by its resource id.
	RecoveryPoint(ctx context.Context, id string) (plan.RecoveryPoint, error)
	// DeleteDisk reads a disk, and deletes it right after where made allows that; else it returns why it was kept. A nil
	// error without a reason means that the DELETE was accepted, or that the disk does not exist.
	DeleteDisk(ctx context.Context, id string, made plan.CleanUp) (kept string, err error)
}

// TestBackend is what a [Backend] must be as well to run restore tests.
type TestBackend interface {
	RestoreReader
	RestoreTester
}

// Validation is the result of the service's own check of a restore.
type Validation struct {
	Done bool
	// Findings are what would keep the restore from working, by the service's own words. None = nothing was found.
	Findings   []Finding
	RetryAfter time.Duration // 0 = none sent
}

// Finding is one row of a [Validation].
type Finding struct {
	Code            string
	Message         string
	Recommendations []string
}
