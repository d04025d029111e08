package simtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// approvalChecker checks that only approved changes are written: an approved plan had shown every change that our
// writes made in a vault, a policy or an item, with exactly that before and after. A change by another client in
// the race window, between our write and the last read it relies on, cannot be seen: it is counted.
type approvalChecker struct {
	history   map[armid.Key][]version
	ours      []ourEffect
	approvals []approval
	now       int             // the request that is being handled
	hidden    map[string]bool // VMs, folded, whose items a fault hides from reads: a protect may find an item that no read shows

	racedLower, racedOther int // changes in the race window that our writes overwrote: those that lowered something, and others
	duringOperation        int // changes that came while our operation was running
}

// version is a resource's state from a request on.
type version struct {
	from  int
	cause simulator.Cause
	fields
}

// ourEffect is a change made by one of our writes.
type ourEffect struct {
	id            armid.Key
	section       string
	write         int // the number of its request
	before, after fields
}

// approval is a plan that was approved, in a walk.
type approval struct {
	walk int
	plan plan.Plan
	at   time.Time // lists that are younger may be relied on; by the machine's clock, as requests are
	from int       // reads for a write count from this request on
}

func newApprovalChecker(estate string) *approvalChecker {
	j := &approvalChecker{history: map[armid.Key][]version{}}
	var all map[string]json.RawMessage
	decode(json.RawMessage(estate), &all)
	for section, bodies := range map[string]json.RawMessage{
		"vaults": all["vaults"], "policies": all["policies"], "protectedItems": all["protectedItems"],
	} {
		var list []json.RawMessage
		decode(bodies, &list)
		for _, body := range list {
			id := idOf(body)
			j.history[id] = []version{{fields: fieldsOf(section, body)}}
		}
	}
	return j
}

func idOf(body json.RawMessage) armid.Key {
	var w struct{ ID string }
	decode(body, &w)
	return armid.Of(w.ID)
}

// observe puts an effect down.
func (j *approvalChecker) observe(e simulator.Effect) {
	body := e.After
	if body == nil {
		body = e.Before
	}
	id := idOf(body)
	before, after := fieldsOf(e.Section, e.Before), fieldsOf(e.Section, e.After)
	was := simulator.Cause{}
	if n := len(j.history[id]); n > 0 {
		was = j.history[id][n-1].cause
	}
	j.history[id] = append(j.history[id], version{e.VisibleFrom, e.Cause, after})
	if e.Cause.Request > 0 && !e.Cause.IsConcurrentClient {
		// An operation may show in several steps: the state before the first step counts.
		if i := slices.IndexFunc(j.ours, func(o ourEffect) bool { return o.write == e.Cause.Request && o.id == id }); i >= 0 && was == e.Cause {
			before = j.ours[i].before
		}
		j.ours = append(j.ours, ourEffect{id, e.Section, e.Cause.Request, before, after})
	}
}

// stateAt returns a resource's state when a request was handled, without the effects of the write.
func (j *approvalChecker) stateAt(id armid.Key, request, write int) fields {
	var f fields
	for _, v := range j.history[id] {
		if v.from <= request && v.cause != (simulator.Cause{Request: write}) {
			f = v.fields
		}
	}
	return f
}

// check checks every write.
func (j *approvalChecker) check(v *violations, requests []sent) {
	byNumber := map[int]sent{}
	for _, q := range requests {
		byNumber[q.number] = q
	}
	for _, e := range j.ours {
		write, known := byNumber[e.write]
		if !known {
			continue // the play's own
		}
		if e.before == nil && string(armid.Of(write.path)) != string(e.id) {
			continue // a new vault has built-in policies
		}
		for _, field := range differingFields(e.before, e.after) {
			j.checkField(v, e, write, field, requests)
		}
		j.checkKept(v, e, write, requests)
	}
}

func differingFields(a, b fields) []string {
	var out []string
	for name := range b {
		if a[name] != b[name] {
			out = append(out, name)
		}
	}
	for name := range a {
		if _, both := b[name]; !both && b != nil {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (j *approvalChecker) checkField(v *violations, e ourEffect, write sent, field string, requests []sent) {
	for _, a := range j.approvals {
		if a.walk != write.walk {
			continue
		}
		for _, c := range a.plan.Changes {
			if !isAbout(c, e) {
				continue
			}
			if isShownBy(c, field, e.before, e.after) {
				return
			}
			if c.Before == nil && j.hidden[e.after["vm"]] {
				j.count(e, field)
				return
			}
			// The state at the reads it relies on.
			for _, n := range append(j.readsBefore(c, a, e, write, requests), e.write) {
				if then := j.stateAt(e.id, n, e.write); isShownBy(c, field, then, e.after) {
					j.count(e, field)
					return
				}
			}
		}
	}
	verb := "overwrites"
	if isLower(field, e.before[field], e.after[field]) {
		verb = "lowers"
	}
	_, short, _ := strings.Cut(string(e.id), "/vaults/")
	wrong := fmt.Sprintf("%s %s (request %d at %s) %s %s from %q to %q, which no plan showed", write.method, short, e.write,
		write.at.Format(time.TimeOnly), verb, field, e.before[field], e.after[field])
	if !slices.Contains(v.list, wrong) { // an operation may show in several steps
		v.add("%s", wrong)
	}
}

// count counts a write's overwriting of a change that it could not see.
func (j *approvalChecker) count(e ourEffect, field string) {
	switch {
	case j.stateAt(e.id, e.write, e.write)[field] != e.before[field]:
		j.duringOperation++ // it happened while our operation was running
	case isLower(field, e.before[field], e.after[field]):
		j.racedLower++
	default:
		j.racedOther++
	}
}

// isAbout reports whether a change of a plan concerns the written resource.
func isAbout(c plan.Change, e ourEffect) bool {
	switch c.Action {
	case plan.Blocked, plan.Unchanged, plan.Excluded, plan.Refresh, plan.Backup, plan.Restore, plan.RestoreTest:
		return false
	case plan.CreateVault, plan.UpdateVault, plan.CreatePolicy, plan.UpdatePolicy:
		return armid.Of(c.Target) == e.id
	case plan.Undelete, plan.Protect, plan.Modify, plan.Resume, plan.Stop:
	}
	return e.section == "protectedItems" && armid.Same(c.Vault, armid.VaultOf(string(e.id))) && string(armid.Of(c.Target)) == e.after["vm"]
}

// isShownBy reports whether the change shows a field going from before to after. A change that creates a resource
// shows that it does not exist.
func isShownBy(c plan.Change, field string, before, after fields) bool {
	from, to := sideOf(c.Before), sideOf(c.After)
	if from == nil {
		return before == nil
	}
	if before != nil && before[field] == after[field] {
		return true // no write was planned
	}
	_, said := to[field]
	return before != nil && said && from[field] == before[field] && (to[field] == after[field] || field == "policy" && after["state"] != stateActive)
}

// freshList is the maximum age of the vault list that an item's write relies on; one minute is for the requests.
const freshList = 5*time.Minute + time.Minute

// readsBefore returns the requests whose replies the write of a change may rely on: the last read of the resource, and
// those that overlapped with it, as another change may have sent the last; for an item change without risk also the
// lists of its vault that are younger than the approval and not too old.
func (j *approvalChecker) readsBefore(c plan.Change, a approval, e ourEffect, write sent, requests []sent) []int {
	var all []int
	var reads []sent
	risky := c.Risk != "" && c.Risk != plan.RiskNone || c.Action == plan.Stop || c.Action == plan.Resume
	vault := string(armid.Of(armid.VaultOf(string(e.id))))
	for _, q := range requests {
		if q.walk != write.walk || q.number >= e.write || q.method != http.MethodGet || q.status != http.StatusOK && q.status != http.StatusNotFound {
			continue
		}
		switch {
		case string(armid.Of(q.path)) == string(e.id) && q.number > a.from:
			reads = append(reads, q)
		case e.section == "protectedItems" && !risky && q.listsItems(vault) && !q.at.Before(a.at) && write.at.Sub(q.at) <= freshList:
			all = append(all, q.number)
		}
	}
	if len(reads) == 0 {
		return all
	}
	last := slices.MaxFunc(reads, func(a, b sent) int { return cmp.Compare(a.number, b.number) })
	for _, q := range reads {
		if !q.answered.Before(last.at) {
			all = append(all, q.number)
		}
	}
	return all
}

// listsItems reports whether a request showed a vault's items: the first page of their list, or that the vault does
// not exist.
func (s sent) listsItems(vault string) bool {
	path := string(armid.Of(s.path))
	return path == vault && s.status == http.StatusNotFound ||
		path == vault+"/backupprotecteditems" && s.status == http.StatusOK && !strings.Contains(strings.ToLower(s.query), "skiptoken")
}

// checkMirror checks that the effects are complete: their sum equals the estate.
func (j *approvalChecker) checkMirror(v *violations, estate map[string]json.RawMessage) {
	for _, section := range []string{"vaults", "policies", "protectedItems"} {
		var list []json.RawMessage
		decode(estate[section], &list)
		for _, body := range list {
			id := idOf(body)
			if got, want := fmt.Sprint(j.stateAt(id, j.now, -1)), fmt.Sprint(fieldsOf(section, body)); got != want {
				v.add("%s is %s, and its effects add up to %s", id, want, got)
			}
		}
	}
}
