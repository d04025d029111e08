package azure

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
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
