package simtest

import (
	"fmt"
	"time"
)

// summary is the totals over some seeds.
type summary struct {
	Seeds, Walks, Writes   int
	Virtual                time.Duration
	Acts                   int // of the other clients
	RacedLower, RacedOther int // changes that were overwritten because they came in the race window of a write
	DuringOperation        int // changes that were overwritten because they came while its operation was running
}

func (p *play) summary(virtual time.Duration) summary {
	s := summary{
		Seeds: 1, Walks: p.wire.walk, Virtual: virtual, Acts: p.concurrent.actionCount,
		RacedLower: p.approvals.racedLower, RacedOther: p.approvals.racedOther, DuringOperation: p.approvals.duringOperation,
	}
	for _, q := range p.wire.requests(-1) {
		if q.putsItem() || q.startsBackup() {
			s.Writes++
		}
	}
	return s
}

func (s summary) plus(o summary) summary {
	return summary{
		s.Seeds + o.Seeds, s.Walks + o.Walks, s.Writes + o.Writes, s.Virtual + o.Virtual, s.Acts + o.Acts,
		s.RacedLower + o.RacedLower, s.RacedOther + o.RacedOther, s.DuringOperation + o.DuringOperation,
	}
}

// String formats the summary in one line.
func (s summary) String() string {
	return fmt.Sprintf("%d seeds, %d runs of the program, %d writes of items, %.0f simulated hours; %d changes by another client, of which our writes "+
		"overwrote %d that lowered something and %d others in the race window, and %d during an operation",
		s.Seeds, s.Walks, s.Writes, s.Virtual.Hours(), s.Acts, s.RacedLower, s.RacedOther, s.DuringOperation)
}
