package plan

import "time"

// Options are what a plan depends on besides the config and what was read.
type Options struct {
	// Now is the time of the plan.
	Now time.Time
	// Only narrows the plan: values of one key are alternatives, different keys must all hold.
	Only []Only
}
