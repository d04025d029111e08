package azure

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// replayer is the service as recorded around one write of a cassette. It answers by method and path, ignoring
// api-version and the order of the query; a list requested during the operation shows the last recorded state before
// it, and afterwards the first one after it; an operation is answered under any family of its URL. An exchange that was
// not recorded fails the test by name.
type replayer struct {
	t     *testing.T
	list  []exchange
	write int // its place in list

	mu       sync.Mutex
	accepted time.Time // when the write arrived; zero until then
	writes   []string  // bodies that arrived
}

func (r *replayer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := foldPath(req.URL)
	write := r.list[r.write]
	switch {
	case req.Method == write.Method && path == write.path:
		var body json.RawMessage
		_ = json.NewDecoder(req.Body).Decode(&body) // a refresh has no body
		r.writes = append(r.writes, string(body))
		r.accepted = time.Now()
		write.serves(w, req)
	case req.Method != http.MethodGet:
		r.unknown(w, req)
	case strings.HasSuffix(path, "/backupprotecteditems"):
		r.around(w, req, func(e exchange) bool { return e.is("items") && e.path == path })
	case strings.EqualFold(path, write.path):
		// A single item is as in the last list before its write.
		if raw := r.itemBefore(); raw != nil {
			says(http.StatusOK, string(raw))(w, req)
			return
		}
		fails(http.StatusNotFound, "BMSUserErrorDataSourceObjectNotFound")(w, req)
	case strings.HasSuffix(path, "/backupjobs"):
		// Single jobs are as recorded; their list is built from them.
		listOf(r.jobs())(w, req)
	case strings.Contains(path, "/operationsstatus/"), strings.Contains(path, "/backupoperations/"), strings.Contains(path, "/operationresults/"):
		r.operation(w, req, path)
	default:
		r.unknown(w, req)
	}
}

func (r *replayer) unknown(w http.ResponseWriter, req *http.Request) {
	r.t.Errorf("nobody recorded %s %s", req.Method, req.URL)
	fails(http.StatusNotImplemented, "NotRecorded")(w, req)
}

// around answers from the last matching exchange before the write, or, once the operation has ended, the first one
// after it.
func (r *replayer) around(w http.ResponseWriter, req *http.Request, match func(exchange) bool) {
	if r.over() {
		if i := slices.IndexFunc(r.list[r.write:], match); i >= 0 {
			r.list[r.write+i].serves(w, req)
			return
		}
		r.unknown(w, req)
		return
	}
	for _, e := range slices.Backward(r.list[:r.write]) {
		if match(e) {
			e.serves(w, req)
			return
		}
	}
	lists()(w, req) // the vault was new
}

// itemBefore returns the item of the write as last listed before; nil = it was not.
func (r *replayer) itemBefore() json.RawMessage {
	for _, e := range slices.Backward(r.list[:r.write]) {
		if !e.is("items") {
			continue
		}
		for _, raw := range elements(e.Response) {
			if strings.EqualFold(naive(raw, "id"), r.list[r.write].path) {
				return raw
			}
		}
		break
	}
	return nil
}

// looks returns the recorded polls of the write's operation, in order.
func (r *replayer) looks() []exchange {
	write := r.list[r.write]
	id := operationID(write.Headers["location"])
	var out []exchange
	for _, e := range r.list[r.write:] {
		if e.Method == http.MethodGet && strings.HasSuffix(e.path, "/"+id) && strings.Contains(e.path, "operation") {
			out = append(out, e)
		}
	}
	return out
}

func (e exchange) date() time.Time {
	d, err := http.ParseTime(e.Headers["date"])
	if err != nil {
		panic(err)
	}
	return d
}

// since returns how long after the write an exchange was.
func (r *replayer) since(e exchange) time.Duration { return e.date().Sub(r.list[r.write].date()) }

func (r *replayer) over() bool {
	looks := r.looks()
	return !r.accepted.IsZero() && time.Since(r.accepted) >= r.since(looks[len(looks)-1])
}

// operation answers a poll of the operation with the recorded one of that age.
func (r *replayer) operation(w http.ResponseWriter, req *http.Request, path string) {
	write := r.list[r.write]
	looks := r.looks()
	id := operationID(write.Headers["location"])
	if r.accepted.IsZero() || !strings.HasSuffix(path, "/"+id) || len(looks) == 0 {
		r.unknown(w, req)
		return
	}
	// The URL must equal the service's own, byte for byte: it is signed.
	verbatim := slices.ContainsFunc([]string{write.Headers["azure-asyncoperation"], write.Headers["location"]}, func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && foldPath(u) == path && u.RawQuery == req.URL.RawQuery
	})
	if !verbatim {
		r.t.Errorf("the URL of the operation was changed: %s", req.URL)
	}
	at := looks[0]
	for _, e := range looks {
		if r.since(e) <= time.Since(r.accepted) {
			at = e
		}
	}
	at.serves(w, req)
}

// jobs returns the recorded jobs of the operation, once it has ended.
func (r *replayer) jobs() map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	if !r.over() {
		return out
	}
	for _, e := range r.list[r.write+1:] {
		if e.Method != http.MethodGet {
			break // the next write
		}
		if e.is("job") {
			out[e.path] = e.Response
		}
	}
	return out
}

func TestRecordedOperationsAreDrivenToTheirEnd(t *testing.T) {
	all := cassettes(t)
	for _, c := range []struct {
		cassette string
		n        int
		action   plan.Action
	}{
		{"item", 56, plan.Protect},
		{"item", 71, plan.Protect},
		{"item", 96, plan.Modify},
		{"policy", 55, plan.Protect},
		{"policy", 68, plan.Protect},
		{"softdelete", 31, plan.Refresh},
		{"softdelete", 36, plan.Protect},
		{"softdelete", 58, plan.Undelete},
		{"scenario", 29, plan.Refresh},
		{"scenario", 34, plan.Protect},
		{"scenario", 46, plan.Backup},
		{"scenario", 221, plan.Stop},
		{"scenario", 227, plan.Resume},
		{"job", 30, plan.Refresh},
		{"job", 35, plan.Protect},
		{"job", 45, plan.Backup},
	} {
		t.Run(fmt.Sprintf("%s %d %s", c.cassette, c.n, c.action), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &replayer{t: t, list: all[c.cassette], write: c.n}
				time.Sleep(time.Until(r.list[c.n].date())) // the recorded day, so that jobs have their recorded age
				client := newClient(t, CommandApply, arm.Options{
					Endpoint: "https://management.azure.com", AccessToken: token, Transport: inProcess{r},
				})
				ch := r.change(c.action)
				report, err := apply.Run(t.Context(), plan.Plan{Changes: []plan.Change{ch}}, client, apply.Options{Budget: client})
				if err != nil || len(report.Results) != 1 || report.Results[0].Outcome != apply.Done {
					t.Fatalf("%+v, %v", report.Results, err)
				}
				if len(r.writes) != 1 {
					t.Errorf("written %d times", len(r.writes))
				}
				r.sameBody(c.action)
				took := report.Results[0].Finished.Sub(r.accepted)
				looks := r.looks()
				ended := r.since(looks[len(looks)-1])
				if took > 2*ended+30*time.Second {
					t.Errorf("it was over after %v and noticed after %v", ended, took)
				}
				t.Logf("over after %v, noticed after %v, %v", ended, took, client.Requests())
			})
		})
	}
}

// change returns the plan's change that leads to the recorded write.
func (r *replayer) change(a plan.Action) plan.Change {
	write := r.list[r.write]
	c := plan.Change{ID: string(a), Action: a, Vault: armid.VaultOf(write.path), Item: strings.TrimSuffix(write.path, "/backup")}
	var body struct {
		Properties struct {
			SourceResourceID string
			PolicyID         string
		}
	}
	if err := json.Unmarshal(write.Request, &body); err != nil && string(write.Request) != "null" {
		panic(err)
	}
	c.Target = body.Properties.SourceResourceID
	var w wire.Item
	if raw := r.itemBefore(); raw != nil && json.Unmarshal(raw, &w) == nil {
		c.Before = &plan.State{State: string(w.Properties.ProtectionState), Policy: string(w.Properties.PolicyID)}
		if w.Properties.SoftDeleted.Printable() == "true" {
			c.Before.State = plan.StateSoftDeleted
		}
	}
	if a == plan.Resume {
		c.Risk = plan.RiskReducesRetention // as a plan says of an item that has points
	}
	switch a {
	case plan.Refresh:
		c.Target, c.Item = c.Vault, ""
	case plan.Backup:
		tail := strings.Split(c.Item[strings.LastIndexByte(c.Item, '/')+1:], ";")
		c.Target = armid.VM(armid.SubscriptionOf(c.Vault), tail[2], tail[3])
	case plan.Stop, plan.Undelete:
		c.After = &plan.State{State: plan.StateProtectionStopped}
	default:
		c.After = &plan.State{State: plan.StateProtected, Policy: body.Properties.PolicyID}
	}
	return c
}

// sameBody compares the sent body with the one that Azure CLI sent. This program always sends the disk filter of an
// existing item.
func (r *replayer) sameBody(a plan.Action) {
	if a == plan.Refresh || a == plan.Backup {
		return // a refresh has no body, a backup a date of its own
	}
	var sent, want any
	if json.Unmarshal([]byte(strings.Replace(r.writes[0], `,"extendedProperties":{}`, "", 1)), &sent) != nil ||
		json.Unmarshal(r.list[r.write].Request, &want) != nil {
		r.t.Fatalf("sent %s", r.writes[0])
	}
	if d := cmp.Diff(want, sent); d != "" {
		r.t.Errorf("sent (-recorded +ours):\n%s", d)
	}
}
