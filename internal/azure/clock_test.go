package azure

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// The clock of a run is the service's: set by the first answer with a date, advanced by the time that passes here.
func TestTheClientTellsTheServicesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine := time.Now()
		service := machine.Add(-400 * 24 * time.Hour)
		f := newFake().on("GET", vaultID,
			says(http.StatusOK, `{}`),
			func(w http.ResponseWriter, r *http.Request) {
				says(http.StatusOK, `{}`, "Date", service.UTC().Format(http.TimeFormat))(w, r)
			},
			says(http.StatusOK, `{}`, "Date", "Mon, 01 Jan 2125 00:00:00 GMT"))
		c := f.client(t, CommandPlan)
		read := func() {
			t.Helper()
			if _, err := c.getDocument(t.Context(), "reading", c.arm.URL(vaultID, apiVault), 0, &struct{}{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.Now(); !got.Equal(machine) || c.ClockSkew() != 0 {
			t.Errorf("before any answer it is %v, %v ahead", got, c.ClockSkew())
		}
		read() // without a date
		if got := c.Now(); !got.Equal(machine) {
			t.Errorf("an answer without a date made it %v", got)
		}
		read()
		time.Sleep(90 * time.Second)
		read() // a later date changes nothing
		if got := c.Now(); !got.Equal(service.Add(90 * time.Second)) {
			t.Errorf("it is %v, want %v", got, service.Add(90*time.Second))
		}
		if got := c.ClockSkew(); got != 400*24*time.Hour {
			t.Errorf("the machine is %v ahead", got)
		}
		if got := c.jobWindowStart(); !got.Equal(service.Add(-jobWindowSlack)) {
			t.Errorf("jobs are listed since %v, want an hour before the service's %v", got, service)
		}
	})
}

// A write is dated by its answer's Date, which dates the jobs too, unless that is far from the dates of the other answers:
// then jobs from before the write would count as its own, and a failure an hour ago as its end.
func TestADateThatIsFarOffDatesNoWrite(t *testing.T) {
	for _, off := range []time.Duration{0, 10 * time.Second, -time.Minute, 2 * time.Hour, -2 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			dated := func(off time.Duration) string { return time.Now().Add(off).UTC().Format(http.TimeFormat) }
			f := newFake().on("GET", vaultID, says(http.StatusOK, `{}`, "Date", dated(0))).
				on("POST", vaultID+"/backupFabrics/Azure/refreshContainers", says(http.StatusAccepted, "", "Date", dated(off)))
			c := f.client(t, CommandApply)
			if _, err := c.getDocument(t.Context(), "reading", c.arm.URL(vaultID, apiVault), 0, &struct{}{}); err != nil {
				t.Fatal(err)
			}
			op, err := c.Start(t.Context(), plan.Change{ID: "refresh", Action: plan.Refresh, Target: vaultID, Vault: vaultID})
			if err != nil {
				t.Fatal(err)
			}
			want := time.Now()
			if off.Abs() < time.Hour {
				want = want.Add(off)
			}
			if !op.Accepted.Equal(want) {
				t.Errorf("%v off: accepted %v, want %v", off, op.Accepted, want)
			}
		})
	}
}
