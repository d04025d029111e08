package simtest

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/azbackup/azbackup/internal/simulator"
)

// actionsBefore numbers a request of ours and asks the colleague what he does just before it.
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

// approve says yes to a plan: at once, or, with a colleague about, after some minutes in which he works.
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

// logf tells what happens, when somebody wants to know.
func (p *play) logf(format string, args ...any) {
	if p.loud {
		fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05.000 ")+format+"\n", args...)
	}
}
