package simtest

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/azbackup/azbackup/internal/simulator"
)

// actionsBefore numbers a request of ours and returns the other client's changes just before it.
func (p *play) actionsBefore(n int, r *http.Request) []simulator.ConcurrentClient {
	p.approvals.now = n
	if number, is := r.Context().Value(numberKey{}).(*int); is {
		*number = n
	}
	return p.concurrent.actionsBefore(r)
}

func (p *play) effect(e simulator.Effect) {
	p.approvals.observe(e)
	p.concurrent.observe(e)
}

// approve approves a plan: at once, or, with another client at work, after some minutes of its changes.
func (p *play) approve(w *run) time.Time {
	a := approval{walk: p.wire.walk, plan: w.plan, at: w.startedAt}
	if c := p.concurrent; c.active && c.r.IntN(2) == 0 {
		for range 1 + c.r.IntN(4) {
			time.Sleep(time.Duration(c.r.IntN(180)) * time.Second)
			p.sendIdleRequest()
		}
		a.at = time.Now()
	}
	a.from = p.approvals.now
	p.approvals.approvals = append(p.approvals.approvals, a)
	return w.client.ServiceTime(a.at)
}

// logf logs an event, if logging is on.
func (p *play) logf(format string, args ...any) {
	if p.loud {
		fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05.000 ")+format+"\n", args...)
	}
}
