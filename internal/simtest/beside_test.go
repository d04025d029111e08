package simtest

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/azbackup/azbackup/internal/simulator"
)

// others numbers a request of ours and asks the colleague what he does just before it.
func (p *play) others(n int, r *http.Request) []simulator.ConcurrentClient {
	p.judge.now = n
	if number, is := r.Context().Value(numberKey{}).(*int); is {
		*number = n
	}
	return p.colleague.before(r)
}

func (p *play) effect(e simulator.Effect) {
	p.judge.see(e)
	p.colleague.see(e)
}

// approve says yes to a plan: at once, or, with a colleague about, after some minutes in which he works.
func (p *play) approve(w *walk) time.Time {
	a := approval{walk: p.wire.walk, plan: w.plan, at: w.began}
	if c := p.colleague; c.active && c.r.IntN(2) == 0 {
		for range 1 + c.r.IntN(4) {
			time.Sleep(time.Duration(c.r.IntN(180)) * time.Second)
			p.poke()
		}
		a.at = time.Now()
	}
	a.from = p.judge.now
	p.judge.approvals = append(p.judge.approvals, a)
	return w.client.ServiceTime(a.at)
}

// say tells what happens, when somebody wants to know.
func (p *play) say(format string, args ...any) {
	if p.loud {
		fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05.000 ")+format+"\n", args...)
	}
}
