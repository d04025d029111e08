package simtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
)

// groupActor is another client in the group of the tests: it makes, attaches, deletes and retags disks, and restores by hand
// into the same group, possibly just before any request. The server's lock guards it.
type groupActor struct {
	r           *rand.Rand
	probability float64
	active      bool
	group       string
	points      []string // ids of the recovery points
	account     string
	disks       map[armid.Key]json.RawMessage
	made        int
	byHand      map[armid.Key]bool // disks that the other client made, also by a restore, or took into use
	taken       map[armid.Key]bool // of them those that the other client made without a restore, or took into use
	deleting    map[armid.Key]bool // disks whose DELETE was sent: the read right before it decided
	log         []string
}

func (a *groupActor) observe(e simulator.Effect) {
	if e.Section != "disks" || !strings.Contains(strings.ToLower(string(e.After)+string(e.Before)), "/rg-tests/") {
		return
	}
	if e.After == nil {
		delete(a.disks, idOf(e.Before))
		return
	}
	if e.Before == nil && e.Cause.IsConcurrentClient {
		a.byHand[idOf(e.After)] = true
	}
	a.disks[idOf(e.After)] = e.After
}

func (a *groupActor) actionsBefore(_ int, r *http.Request) []simulator.ConcurrentClient {
	if r.Method == http.MethodDelete {
		a.deleting[armid.Of(r.URL.Path)] = true
	}
	if !a.active || a.r.Float64() >= a.probability || strings.HasPrefix(r.URL.Path, "/_simulator/") {
		return nil
	}
	ids := make([]armid.Key, 0, len(a.disks))
	for id := range a.disks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	anyDisk := func() (armid.Key, json.RawMessage) {
		id, _ := choose(a.r, ids)
		return id, a.disks[id]
	}
	say := func(format string, args ...any) { a.log = append(a.log, fmt.Sprintf(format, args...)) }
	id, body := anyDisk()
	switch n := a.r.IntN(7); {
	case n == 0: // a new disk, perhaps with the tag of some job
		a.made++
		name := fmt.Sprintf("made-%d", a.made)
		raw := bystander(a.group, name, "")
		if a.r.IntN(2) == 0 && len(ids) > 0 {
			if job := tagOf(body); job != "" {
				raw = bystander(a.group, name, job) // a copy that took the tags along; it keeps its age of 1999
			}
		}
		a.take(armid.Of(a.group + "/providers/Microsoft.Compute/disks/" + name))
		say("makes %s", name)
		return []simulator.ConcurrentClient{{Section: "disks", Body: json.RawMessage(raw)}}
	case n == 1 && body != nil:
		a.take(id)
		say("attaches %s", id)
		return []simulator.ConcurrentClient{{Attach: string(id)}}
	case n == 2 && body != nil && a.r.IntN(2) == 0:
		say("deletes %s", id)
		return []simulator.ConcurrentClient{{Section: "disks", Remove: string(id)}}
	case n == 3 && body != nil && !a.deleting[id]: // takes it over: another tag, or none
		job := ""
		if _, other := anyDisk(); a.r.IntN(2) == 0 {
			job = tagOf(other)
		}
		if job == tagOf(body) {
			return nil
		}
		a.byHand[id] = true
		say("tags %s %q", id, job)
		return []simulator.ConcurrentClient{{Section: "disks", Body: retagged(body, job)}}
	case n >= 5: // restores the same point by hand into the same group
		point, _ := choose(a.r, a.points)
		item := point[:strings.Index(point, "/recoveryPoints/")]
		name := point[strings.LastIndexByte(point, '/')+1:]
		vm := strings.Split(item, ";")
		sub := armid.SubscriptionOf(item)
		request := fmt.Sprintf(`{"properties":{"objectType":"IaasVMRestoreRequest","recoveryPointId":%q,"recoveryType":"RestoreDisks","sourceResourceId":%q,`+
			`"targetResourceGroupId":%q,"storageAccountId":%q,"region":"westeurope","createNewCloudService":false,"originalStorageAccountOption":false}}`,
			name, armid.VM(sub, "rg-app", vm[len(vm)-1]), a.group, a.account)
		say("restores %s", vm[len(vm)-1])
		return []simulator.ConcurrentClient{{Method: http.MethodPost, Path: point + "/restore?api-version=2025-08-01", Body: json.RawMessage(request), Slow: true}}
	}
	return nil
}

func (a *groupActor) take(id armid.Key) { a.byHand[id], a.taken[id] = true, true }

func newGroupActor(r *rand.Rand, probability float64) *groupActor {
	sub := subscriptionID(1)
	return &groupActor{
		r: r, probability: probability, group: "/subscriptions/" + sub + "/resourceGroups/rg-tests",
		account: "/subscriptions/" + sub + "/resourceGroups/rg-st/providers/Microsoft.Storage/storageAccounts/st",
		disks:   map[armid.Key]json.RawMessage{}, byHand: map[armid.Key]bool{}, taken: map[armid.Key]bool{}, deleting: map[armid.Key]bool{},
	}
}

// watch tells the other client what there is, and lets things be done.
func (a *groupActor) watch(h *rehearsal) {
	for _, c := range h.plan.Changes {
		a.points = append(a.points, c.Point.ID)
	}
	for _, id := range h.before["disks"] {
		if strings.Contains(id, "/rg-tests/") {
			a.disks[armid.Of(id)] = json.RawMessage(bystander(h.group, lastSegmentOf(id), ""))
		}
	}
	a.active = true
}

func tagOf(body json.RawMessage) string {
	var d struct {
		Tags map[string]string `json:"tags"`
	}
	_ = json.Unmarshal(body, &d)
	return d.Tags["RSVaultBackup"]
}

func retagged(body json.RawMessage, job string) json.RawMessage {
	var d map[string]json.RawMessage
	_ = json.Unmarshal(body, &d)
	tags := map[string]string{"owner": "somebody"}
	if job != "" {
		tags["RSVaultBackup"] = job
	}
	d["tags"], _ = json.Marshal(tags)
	raw, _ := json.Marshal(d)
	return raw
}

// restoreFaults returns faults of requests around restores, before and after their effect, and of their jobs and disks.
func restoreFaults(r *rand.Rand) []simulator.Fault {
	kinds := []string{
		"item.restore", "item.restore", "disk.delete", "disk.delete", "disks.list", "disk.get", "group.get", "job.get", "jobs.list", "restore.validate", "validate.status", "point.get", "item.status",
	}
	var out []simulator.Fault
	for i := range r.IntN(5) {
		f := simulator.Fault{Name: fmt.Sprint("f", i), Kind: pick(r, kinds...), Nth: 1 + r.IntN(6), Times: 1 + r.IntN(3)}
		switch r.IntN(6) {
		case 0:
			f.Reset = "before"
		case 1:
			f.Reset = "after"
		case 2:
			f.Status, f.AfterEffect = 503, r.IntN(2) == 0
		case 3:
			f.Status = pick(r, 403, 404, 429)
		case 4:
			f.Kind, f.Disks = "item.restore", pick(r, "left", "missing", "attached")
		case 5:
			f.Kind, f.Operation = pick(r, "item.restore", "disk.delete"), pick(r, "fails", "lies", "hangs")
		}
		if f.Kind == "group.get" || f.Kind == "jobs.list" {
			f.Nth += 2 // the plan is made without trouble
		}
		out = append(out, f)
	}
	return out
}

// playRestoreTests runs the restore tests of one seed, perhaps killed in the middle, and returns what is wrong.
func playRestoreTests(t *testing.T, seed uint64) (wrong []string) {
	t.Helper()
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	r := rand.New(rand.NewPCG(seed, 0x7e57))
	actor := newGroupActor(rand.New(rand.NewPCG(seed, 0xac70)), pick(r, 0, 0.02, 0.1, 0.3))
	vms := 1 + r.IntN(4)
	settings := simulator.Settings{Seed: seed, Faults: restoreFaults(r), ValidateRestore: pick(r, "", "", "absent", "forbidden")}
	lag := pick(r, 0, 0, time.Minute, 7*time.Minute, 20*time.Minute)
	settings.Durations = map[string]simulator.Range{"diskLag": simulator.Fixed(lag)}
	h := newRehearsal(t, vms, simulator.Options{Settings: settings, ConcurrentClients: actor.actionsBefore, Effects: actor.observe})
	effectsFrom := len(h.effects)
	actor.watch(h)
	first := len(h.wire.requests(-1))
	kill := -1
	if r.IntN(3) == 0 {
		kill = r.IntN(60)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h.connect(t)
	h.wire.begin(kill, r.IntN(2) == 0, cancel)
	o := apply.Options{Limits: apply.Limits{Restores: 1 + r.IntN(4), RestoreTimeout: 2 * time.Hour, RunTimeout: 24 * time.Hour}, Budget: h.client, Now: h.client.Now}
	if r.IntN(5) == 0 {
		asked := make(chan struct{})
		time.AfterFunc(time.Duration(r.IntN(600))*time.Second, func() { close(asked) })
		o.Interrupt, o.Grace = asked, time.Duration(r.IntN(300))*time.Second
	}
	rep, _ := apply.Run(ctx, h.plan, h.client, o)
	defer func() {
		if len(wrong) > 0 {
			t.Logf("the other client %s", strings.Join(actor.log, "; "))
		}
	}()
	actor.active = false
	killed := kill >= 0 && len(h.wire.requests(-1))-first >= kill
	time.Sleep(3 * time.Hour) // what still runs ends
	h.wire.begin(-1, true, nil)
	h.connect(t)
	after := h.groupDisks()

	// No VM, item, point, group, account, policy or vault is ever deleted, and no DELETE goes to anything but a disk of the group.
	now := h.inventory()
	for section, ids := range h.before {
		if section == "disks" {
			continue
		}
		if !slices.Equal(ids, now[section]) {
			bad("%s changed: %v to %v", section, ids, now[section])
		}
	}
	asked := map[string]int{}
	for _, s := range h.wire.requests(-1)[first:] {
		switch {
		case s.method == http.MethodDelete && !strings.HasPrefix(s.path, strings.ToLower(h.group)+"/providers/microsoft.compute/disks/"):
			bad("DELETE %s", s.path)
		case s.method == http.MethodPost && strings.HasSuffix(s.path, "/restore") && s.status == http.StatusAccepted:
			asked[s.path]++
		}
	}
	for path, n := range asked {
		if n > 1 {
			bad("%d restores were accepted at %s", n, path)
		}
	}
	jobs := h.jobStates()
	made := map[string]map[string]bool{} // by VM: the jobs of this program that made disks
	for _, e := range h.effects[effectsFrom:] {
		if e.Section != "disks" || e.Before != nil || e.Cause.IsConcurrentClient {
			continue
		}
		vm, _, _ := strings.Cut(lastSegmentOf(string(idOf(e.After))), "-")
		if made[vm] == nil {
			made[vm] = map[string]bool{}
		}
		made[vm][tagOf(e.After)] = true
	}
	for vm, jobs := range made {
		if len(jobs) > 1 {
			bad("%s was restored by %d jobs of this program", vm, len(jobs))
		}
	}
	ours := map[string]bool{}
	for _, res := range rep.Results {
		if res.Job != "" {
			ours[res.Job] = true
		}
	}
	// A disk that this program deleted was made by a restore of this run, and was free and as it was made.
	for _, e := range h.effects[effectsFrom:] {
		if e.Section != "disks" || e.After != nil || e.Cause.IsConcurrentClient {
			continue
		}
		id := idOf(e.Before)
		var d struct {
			ManagedBy string `json:"managedBy"`
		}
		decode(e.Before, &d)
		switch {
		case actor.byHand[id]:
			bad("%s was deleted, which another client made or took into use", id)
		case d.ManagedBy != "":
			bad("%s was deleted, and is attached", id)
		case !killed && !ours[tagOf(e.Before)]:
			bad("%s was deleted, of job %q, which no result names", id, tagOf(e.Before))
		}
	}
	if killed {
		return wrong
	}
	for _, res := range rep.Results {
		// A proof is only claimed for a job that completed, with disks that were there.
		if res.Outcome == apply.Done {
			if jobs[res.Job] != "Completed" || res.Made == nil || len(res.Made.Disks) == 0 {
				bad("%s is %s by job %q, which is %q, with %v", res.ID, res.Outcome, res.Job, jobs[res.Job], res.Made)
			}
		}
		// Nothing is left behind unreported: a disk of the job that is still there is in the result, or the restore is that may
		// yet make it. One that failed makes no more, so where disks are listed at once and could be, each is in the result.
		told := map[armid.Key]bool{}
		runs, staged := false, false
		for _, l := range res.LeftBehind {
			told[armid.Of(l.ID)] = true
			isOver := res.Outcome == apply.Failed && jobs[res.Job] == "Failed" && lag == 0 && !strings.Contains(l.Why, "could not be read")
			runs = runs || l.Kind == apply.LeftRestore && !isOver
			staged = staged || l.Kind == apply.LeftStaging && l.ID != ""
		}
		if res.Job != "" && !staged {
			bad("%s started job %s, and does not tell where it stages", res.ID, res.Job)
		}
		for id, job := range after {
			if job != "" && job == res.Job && !told[id] && !runs && !actor.byHand[id] {
				bad("%s of job %s is there, and the result does not tell: %s %+v", id, job, stepsOf(res), res.LeftBehind)
			}
		}
	}
	return wrong
}

func lastSegmentOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// groupDisks returns the disks of the tests' group with the jobs in their tags, and jobStates the status of each job, as the
// service has them: no fault hides them.
func (r *rehearsal) groupDisks() map[armid.Key]string {
	out := map[armid.Key]string{}
	for _, body := range r.section("disks") {
		if id := idOf(body); strings.HasPrefix(string(id), strings.ToLower(r.group)+"/") {
			out[id] = tagOf(body)
		}
	}
	return out
}

func (r *rehearsal) jobStates() map[string]string {
	out := map[string]string{}
	for _, body := range r.section("jobs") {
		var j struct {
			Name       string `json:"name"`
			Properties struct {
				Status string `json:"status"`
			} `json:"properties"`
		}
		decode(body, &j)
		out[j.Name] = j.Properties.Status
	}
	return out
}

// Whatever another client does in the group, whatever fails, and wherever the run is cut.
func TestRestoreTestsDeleteNothingButTheirOwn(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, w := range playRestoreTests(t, seed) {
					t.Error(w)
				}
			})
		})
	}
}
