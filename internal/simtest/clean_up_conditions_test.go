package simtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
)

// intruder does one thing in the tests' group, at a moment of a test where a single condition of the clean-up still
// keeps the disk. The server's lock guards it.
type intruder struct {
	group  string
	disks  map[armid.Key]json.RawMessage // those of the group, but for the ones that were there before
	job    string                        // of the disks that the restore made
	act    func(i *intruder, r *http.Request) []simulator.ConcurrentClient
	madeAt string // by the disk that act made
	// kept is the disk that must stay; asked reports whether a DELETE was sent for it.
	kept  armid.Key
	asked bool
}

func (i *intruder) observe(e simulator.Effect) {
	if e.Section != "disks" || e.After == nil || !strings.Contains(strings.ToLower(string(e.After)), "/rg-tests/") {
		return
	}
	i.disks[idOf(e.After)] = e.After
	if i.job == "" && !e.Cause.IsConcurrentClient {
		i.job = tagOf(e.After)
	}
}

func (i *intruder) actionsBefore(_ int, r *http.Request) []simulator.ConcurrentClient {
	if r.Method == http.MethodDelete && i.kept != "" && armid.Of(r.URL.Path) == i.kept {
		i.asked = true
	}
	if i.kept != "" {
		return nil
	}
	return i.act(i, r)
}

// madeDisk returns the body of a data disk that somebody made, with the tag of a job.
func (i *intruder) madeDisk(name, job, created string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":"%s/providers/Microsoft.Compute/disks/%s","name":%q,"type":"Microsoft.Compute/disks","location":"westeurope","tags":{"RSVaultBackup":%q},`+
		`"properties":{"diskSizeGB":32,"diskState":"Unattached",%s"creationData":{"createOption":"Copy"},"provisioningState":"Succeeded"}}`, i.group, name, name, job, created))
}

// serviceAhead is how far the service's clock is ahead of the test's: the rehearsal's estate was taken then.
const serviceAhead = 6 * time.Hour

func timeCreated(at time.Time) string {
	return fmt.Sprintf(`"timeCreated":%q,`, at.Format(time.RFC3339))
}

func (i *intruder) isListOfDisks(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(strings.ToLower(r.URL.Path), "/rg-tests/providers/microsoft.compute/disks")
}

// isListAfterTheJob reports whether a request lists the group's disks and the restore has made its own.
func (i *intruder) isListAfterTheJob(r *http.Request) bool { return i.isListOfDisks(r) && i.job != "" }

// onReadOf changes the first disk of the restore that is read on its own, which is right before its DELETE.
func onReadOf(change func(body json.RawMessage) simulator.ConcurrentClient) func(*intruder, *http.Request) []simulator.ConcurrentClient {
	return func(i *intruder, r *http.Request) []simulator.ConcurrentClient {
		body := i.disks[armid.Of(r.URL.Path)]
		if r.Method != http.MethodGet || body == nil {
			return nil
		}
		i.kept = armid.Of(r.URL.Path)
		return []simulator.ConcurrentClient{change(body)}
	}
}

func bodyOf(raw json.RawMessage, old, instead string) simulator.ConcurrentClient {
	changed := strings.Replace(string(raw), old, instead, 1)
	if changed == string(raw) {
		panic("the disk has no " + old + ": " + changed)
	}
	return simulator.ConcurrentClient{Section: "disks", Body: json.RawMessage(changed)}
}

// Each condition of the clean-up is the only one that still keeps some disk: taken out, that disk would be deleted.
func TestEachConditionOfTheCleanUpKeepsADiskAlone(t *testing.T) {
	missing := []simulator.Fault{{Name: "f", Kind: "item.restore", Disks: "missing"}} // as many disks carry the name as the job made
	for name, tt := range map[string]struct {
		faults []simulator.Fault
		act    func(*intruder, *http.Request) []simulator.ConcurrentClient
	}{
		"its tag names another job since": {nil, onReadOf(func(body json.RawMessage) simulator.ConcurrentClient {
			return simulator.ConcurrentClient{Section: "disks", Body: retagged(body, "8c5f2e0a-0000-4000-8000-000000000002")}
		})},
		"a machine holds it since": {nil, onReadOf(func(body json.RawMessage) simulator.ConcurrentClient {
			return bodyOf(body, `"location"`, `"managedBy":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v","location"`)
		})},
		"it is reserved for a machine since": {nil, onReadOf(func(body json.RawMessage) simulator.ConcurrentClient {
			return bodyOf(body, `"diskState":"Unattached"`, `"diskState":"Reserved"`)
		})},
		"it was there before the restore": {missing, func(i *intruder, r *http.Request) []simulator.ConcurrentClient {
			old := armid.Of(i.group + "/providers/Microsoft.Compute/disks/old")
			switch {
			case i.isListOfDisks(r) && i.job == "": // the last is the one right before the restore
				i.madeAt = timeCreated(time.Now().Add(serviceAhead))
				return []simulator.ConcurrentClient{{Section: "disks", Body: i.madeDisk("old", "", i.madeAt)}}
			case i.isListAfterTheJob(r) && i.disks[old] != nil:
				i.kept = old
				return []simulator.ConcurrentClient{{Section: "disks", Body: i.madeDisk("old", i.job, i.madeAt)}}
			}
			return nil
		}},
		"it is older than the restore": {missing, func(i *intruder, r *http.Request) []simulator.ConcurrentClient {
			if !i.isListAfterTheJob(r) {
				return nil
			}
			i.kept = armid.Of(i.group + "/providers/Microsoft.Compute/disks/copy")
			return []simulator.ConcurrentClient{{Section: "disks", Body: i.madeDisk("copy", i.job, timeCreated(time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)))}}
		}},
		"more disks carry the name than the job made": {nil, func(i *intruder, r *http.Request) []simulator.ConcurrentClient {
			if !i.isListAfterTheJob(r) {
				return nil
			}
			i.kept = armid.Of(i.group + "/providers/Microsoft.Compute/disks/copy")
			return []simulator.ConcurrentClient{{Section: "disks", Body: i.madeDisk("copy", i.job, timeCreated(time.Now().Add(6*time.Hour)))}}
		}},
		"the job may be another client's": {[]simulator.Fault{{Name: "f", Kind: "item.restore", Reset: "after"}}, func(i *intruder, r *http.Request) []simulator.ConcurrentClient {
			if i.isListAfterTheJob(r) {
				for id, body := range i.disks {
					if tagOf(body) == i.job {
						i.kept = id
					}
				}
			}
			return nil
		}},
		"the group's tag is gone": {nil, func(i *intruder, r *http.Request) []simulator.ConcurrentClient {
			if !i.isListAfterTheJob(r) {
				return nil
			}
			for id, body := range i.disks {
				if tagOf(body) == i.job {
					i.kept = id
				}
			}
			return []simulator.ConcurrentClient{{Section: "resourceGroups", Body: json.RawMessage(`{"id":"` + i.group + `","name":"rg-tests","location":"westeurope","tags":{}}`)}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &intruder{group: "/subscriptions/" + subscriptionID(1) + "/resourceGroups/rg-tests", disks: map[armid.Key]json.RawMessage{}, act: tt.act}
				r := newRehearsal(t, 1, simulator.Options{Settings: simulator.Settings{Faults: tt.faults}, ConcurrentClients: i.actionsBefore, Effects: i.observe})
				res := r.run(t, apply.Options{}).Results[0]
				now := r.disks(t)
				if _, there := now[i.kept]; i.kept == "" || !there || i.asked {
					t.Errorf("%q: there %t, a DELETE was sent: %t\n%s: %s, left %+v", i.kept, there, i.asked, stepsOf(res), res.Message, res.LeftBehind)
				}
			})
		})
	}
}

// The clean-up of earlier runs looks at the disks of restores that completed, into its own group: a job that failed, or
// that restored into another group, does not make its disks removable.
func TestACleanUpOfEarlierRunsTakesCompletedTestsOfItsGroupAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		faults               []simulator.Fault
		elsewhere, isRemoved bool
	}{
		"it completed, and was killed before it was cleaned up": {nil, false, true},
		"the job failed":                      {[]simulator.Fault{{Name: "f", Kind: "item.restore", Disks: "left"}}, false, false},
		"the job restored into another group": {nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &intruder{group: "/subscriptions/" + subscriptionID(1) + "/resourceGroups/rg-tests", disks: map[armid.Key]json.RawMessage{}}
				var moved []simulator.ConcurrentClient
				i.act = func(*intruder, *http.Request) []simulator.ConcurrentClient { out := moved; moved = nil; return out }
				r := newRehearsal(t, 1, simulator.Options{Settings: simulator.Settings{Faults: tt.faults}, ConcurrentClients: i.actionsBefore, Effects: i.observe})
				c := r.plan.Changes[0]
				if tt.elsewhere {
					order := *c.RestoreOrder
					order.Into = strings.Replace(order.Into, "rg-tests", "rg-app", 1)
					c.RestoreOrder = &order
				}
				op, err := r.client.Start(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				if tt.elsewhere { // somebody moves one of the disks, which keeps its tags and its age
					job, err := r.client.RestoreJob(t.Context(), c.Vault+"/backupJobs/"+op.ID)
					if err != nil {
						t.Fatal(err)
					}
					moved = []simulator.ConcurrentClient{{Section: "disks", Body: i.madeDisk("moved", op.ID, timeCreated(job.Start.Add(time.Second)))}}
				}
				if _, err := r.client.Disks(t.Context(), r.group); err != nil { // the disk is moved before
					t.Fatal(err)
				}
				var of []armid.Key
				for id, d := range r.disks(t) {
					if d.Job == op.ID {
						of = append(of, id)
					}
				}
				r.cleanUp(t)
				now := r.disks(t)
				for _, id := range of {
					if _, there := now[id]; there == tt.isRemoved {
						t.Errorf("%s is there: %t, want %t", id, there, !tt.isRemoved)
					}
				}
				if len(of) == 0 {
					t.Errorf("no disk carries the name of job %s", op.ID)
				}
				r.checkKept(t, name)
			})
		})
	}
}
