package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// readHeartbeat is the interval of progress lines during a long read.
const readHeartbeat = 15 * time.Second

// maxSkew is the largest difference between the machine's clock and Azure's that causes no warning.
const maxSkew = 5 * time.Minute

// observe reads what is in the scope, and prints what it read and how long that took. Where nothing at all could be
// read, the first gap is the error.
func (a *app) observe(ctx context.Context, s *session, scope plan.Scope) (plan.Observed, error) {
	began := a.Now()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		defer crash.ExitOnPanic()
		ticker := time.NewTicker(readHeartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				a.log.Info(fmt.Sprintf("still reading: %d requests in %s", sum(s.Requests()), report.FormatDuration(a.Now().Sub(began))))
			}
		}
	}()
	o, err := s.Discover(ctx, scope)
	if err != nil {
		return o, err
	}
	if len(o.Gaps) > 0 && !scope.IsEmptyShard && len(o.VMs)+len(o.Vaults)+len(o.Items) == 0 {
		g := o.Gaps[0]
		return o, fmt.Errorf("nothing could be read: %w",
			&apply.Error{Op: "reading " + string(g.Kind), Code: g.Code, Message: g.Message, RequestID: g.RequestID, Status: g.Status})
	}
	a.warnOfClockSkew(s)
	for _, note := range o.Notes {
		a.log.Info(note)
	}
	a.reportRead(o, scope)
	a.log.Info(fmt.Sprintf("read %s, %s, %s: %s, %s", report.FormatCount(len(o.VMs), "VM"), report.FormatCount(len(o.Vaults), "vault"),
		report.FormatCount(len(o.Items), "protected item"), report.FormatCount(sum(s.Requests()), "request"), report.FormatDuration(a.Now().Sub(began))),
		"vms", len(o.VMs), "vaults", len(o.Vaults), "items", len(o.Items), "gaps", len(o.Gaps), "requests", s.Requests(),
		"seconds", a.Now().Sub(began).Seconds())
	return o, nil
}

// warnOfClockSkew warns, once, when this machine's clock differs much from Azure's. A simulated Azure has its own time.
func (a *app) warnOfClockSkew(s *session) {
	skew := s.ClockSkew()
	if s.simulated != nil || s.isSkewReported || skew.Abs() <= maxSkew {
		return
	}
	s.isSkewReported = true
	where := "ahead of"
	if skew < 0 {
		where = "behind"
	}
	a.log.Warn("this machine's clock is "+report.FormatDuration(skew.Abs().Round(time.Minute))+" "+where+" Azure's; ages are counted by Azure's",
		"skew_seconds", skew.Seconds())
}

func sum(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
