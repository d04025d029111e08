package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// AskedTests are restore tests that the operator requests, whether they are due or not: of the VMs of Request, in the
// resource group and through the storage accounts of a test of the file.
type AskedTests struct {
	Test    *config.RestoreTest
	Request RestoreRequest
	Facts   RestoreFacts
}

// MakeRestoreTests plans the restore tests that the operator requests. More than maxRestores of them are a refusal;
// inFlight is how many run at once, for the forecast (0 = all). It is pure like [MakeRestores].
func MakeRestoreTests(o Observed, asked []AskedTests, maxRestores, inFlight int, now time.Time) Plan {
	p := Plan{FormatVersion: FormatVersion, Summary: map[Action]int{}, Refusals: []Refusal{}, Gaps: slices.Concat([]Gap{}, o.Gaps)}
	for _, a := range asked {
		p.Gaps = append(p.Gaps, a.Facts.Gaps...)
		a.Request.Again = true // only a restore of its own proves that it works now, and may be removed again
		a.Request.IsTest = true
		for _, c := range MakeRestores(o, a.Facts, a.Request, now).Changes {
			p.Changes = append(p.Changes, asTest(c, a.Test, a.Request.choice()))
		}
	}
	slices.SortFunc(p.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Action.order(), b.Action.order()),
			strings.Compare(string(armid.Of(a.Vault)), string(armid.Of(b.Vault))), strings.Compare(a.ID, b.ID))
	})
	for _, c := range p.Changes {
		p.Summary[c.Action]++
	}
	p.Complete = len(p.Gaps) == 0
	p = p.OfTests()
	if n := p.Summary[RestoreTest]; n > maxRestores {
		p.Refusals = append(p.Refusals, Refusal{
			Guard: GuardRestores, Flag: FlagAllowManyRestores, Count: n, Limit: maxRestores, Message: fmt.Sprintf("restore tests: %d, allowed are %d", n, maxRestores),
		})
	}
	p.Forecast = restoreForecast(p.Changes, inFlight)
	return p
}

// choice returns the value of [RestoreTestOrder.Point] for a request.
func (r RestoreRequest) choice() string {
	switch {
	case r.Point != "" || !r.Before.IsZero():
		return ""
	case r.Oldest:
		return config.PointOldest
	}
	return config.PointLatest
}

// asTest turns a restore into the restore test of the same VM; a blocked restore into a blocked test, which has no
// [Change.Test].
func asTest(c Change, t *config.RestoreTest, point string) Change {
	c.ID = changeID(RestoreTest, armid.Of(c.Target))
	c.Rule = refOf(t.Name, t.Pos)
	if c.Action == Blocked {
		c.ID, c.Wanted = string(Blocked)+"-"+c.ID, RestoreTest
		return c
	}
	c.Action = RestoreTest
	c.Test = &RestoreTestOrder{Name: t.Name, Every: Duration(t.Every), Point: point, Group: c.Into}
	return c
}
