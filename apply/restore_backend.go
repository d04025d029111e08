package apply

import (
	"context"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// RestoreReader reads what restore tests compare. The engine calls it concurrently. An error is an *[Error], or the
// context's cause; a failed read proves no absence.
type RestoreReader interface {
	// Disks lists the managed disks of a resource group, by its id.
	Disks(ctx context.Context, group string) ([]plan.Disk, error)
	// Disk and ResourceGroup read one resource by its id; false = it does not exist.
	Disk(ctx context.Context, id string) (plan.Disk, bool, error)
	ResourceGroup(ctx context.Context, id string) (plan.ResourceGroup, bool, error)
	// RestoreJob reads a Restore job with its details, by its resource id.
	RestoreJob(ctx context.Context, id string) (plan.RestoreJob, error)
}

// RestoreTester has the requests of restore tests besides those of [Backend] and [RestoreReader]. Like theirs, a
// method sends each write once.
type RestoreTester interface {
	// StartValidation asks the service to check a restore, which has no effect; PollValidation polls for its result.
	StartValidation(ctx context.Context, c plan.Change) (Operation, error)
	PollValidation(ctx context.Context, op Operation) (Validation, error)
	// RecoveryPoint reads a recovery point, by its resource id.
	RecoveryPoint(ctx context.Context, id string) (plan.RecoveryPoint, error)
	// DeleteDisk reads a disk, and deletes it right after where made allows that; else kept is the reason. Where both are
	// empty, the DELETE was accepted or the disk does not exist.
	DeleteDisk(ctx context.Context, id string, made plan.CleanUp) (kept string, err error)
}

// TestBackend is what a [Backend] must implement as well to run restore tests.
type TestBackend interface {
	RestoreReader
	RestoreTester
}

// Validation is the result of the service's own check of a restore.
type Validation struct {
	Done bool // the check has ended
	// Findings are the reasons why the restore would not work, in the service's own words; none = nothing was found.
	Findings   []Finding
	RetryAfter time.Duration // 0 = none sent
}

// Finding is one row of a [Validation].
type Finding struct {
	Code            string
	Message         string
	Recommendations []string
}
