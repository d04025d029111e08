package report

import (
	"slices"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// Run is an apply from start to end: the engine's report, and what happened before and after. A run that failed
// before the engine started has no results; Error holds the reason.
type Run struct {
	apply.Report

	// Title is the first word of the last line; "" = Apply.
	Title string
	// Plan is what was carried out.
	Plan plan.Plan
	// Requests counts the HTTP requests of the run by kind.
	Requests map[string]int
	// Throttled is how long requests were held back by quotas, all waits together.
	Throttled time.Duration
	// Error is why the run as a whole failed, or "".
	Error string
	// Hints say what to do about Error: the flag that lifts a guard, a command.
	Hints []string
	// ExitCode is the exit code of the process.
	ExitCode int
	// Shards are the runs that this one was merged from, in their order; nil in any other ([MergeRuns]).
	Shards []ShardRun
	// Restored is what restores made, by the ids of their results.
	Restored map[string]*Restored
	// LastSuccess is when a run last succeeded before this one; zero = not known.
	LastSuccess time.Time
}

// ShardRun is how the run of a shard ended. One with an Error did nothing.
type ShardRun struct {
	config.Shard
	ExitCode int      `json:"exit_code"`
	Error    string   `json:"error,omitempty"`
	Hints    []string `json:"hints,omitempty"`
}

// idle returns the shards that did nothing because their runs failed.
func (r Run) idle() []ShardRun {
	return slices.DeleteFunc(slices.Clone(r.Shards), func(s ShardRun) bool { return s.Error == "" })
}

// outcomeOrder returns the order in which outcomes are counted.
func outcomeOrder() []apply.Outcome {
	return []apply.Outcome{
		apply.Done, apply.AlreadyDone, apply.Failed, apply.TimedOut, apply.Unconfirmed, apply.Blocked,
		apply.NotStarted, apply.Interrupted,
	}
}

// isGood reports whether an outcome needs no action.
func isGood(o apply.Outcome) bool { return o == apply.Done || o == apply.AlreadyDone }

// countOutcome returns how many results have an outcome.
func (r Run) countOutcome(o apply.Outcome) int {
	n := 0
	for _, result := range r.Results {
		if result.Outcome == o {
			n++
		}
	}
	return n
}
