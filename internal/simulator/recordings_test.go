package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// recordings are exchanges of Azure CLI with the real service.
const recordings = "../../../shared/recordings"

// exchange is one recorded request and its reply.
type exchange struct {
	N       int               `json:"n"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Sent    json.RawMessage   `json:"request_body"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Got     json.RawMessage   `json:"response_body"`

	name string
	at   time.Time
	path string // without host and query
}

// body returns the recorded reply, empty where the recording has null.
func (x *exchange) body() []byte {
	if string(x.Got) == "null" {
		return nil
	}
	return x.Got
}

func (x *exchange) String() string { return fmt.Sprintf("%s #%d %s %s", x.name, x.N, x.Method, x.path) }

func loadRecordings(t testing.TB) map[string][]*exchange {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(recordings, "test_backup_*.json"))
	if err != nil || len(files) == 0 {
		t.Skipf("no recordings in %s: conformance is not measured", recordings)
	}
	parts, err := filepath.Glob(filepath.Join(recordings, "parts", "*.json"))
	if err != nil || len(parts) == 0 {
		t.Fatalf("no parts of recordings in %s: %v", recordings, err)
	}
	files = append(files, parts...)
	out := map[string][]*exchange{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var list []*exchange
		if err := json.Unmarshal(raw, &list); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "test_backup_"), ".json")
		for _, x := range list {
			x.name = name
			if x.at, err = http.ParseTime(x.Headers["date"]); err != nil {
				x.at = time.Time{}
			}
			if u, err := url.Parse(x.URL); err == nil {
				x.path = u.EscapedPath()
			}
		}
		out[name] = list
	}
	return out
}

// replay drives one recording through a simulator of its own, at the recorded times.
type replay struct {
	t    testing.TB
	list []*exchange
	c    *client
	// ids maps recorded operation, job and recovery point ids to the simulator's.
	ids map[string]string
	// breakage changes the simulator's replies; nil leaves them unchanged.
	breakage func(*exchange, *answered)
	report   *conformance
	ours     map[string]bool
	// refreshed reports that the recording ran a refresh after its VMs were created.
	refreshed bool
}

const recordedSub = "00000000-0000-0000-0000-000000000000"

// runRecording replays the supported requests of one recording inside the caller's bubble.
func runRecording(t testing.TB, list []*exchange, report *conformance, breakage func(*exchange, *answered)) Stats {
	began := list[0].at
	e, err := state.Read(strings.NewReader(fmt.Sprintf(`{"format_version":"1","subscriptions":[%q],"simulation":{"clock":%q}}`, recordedSub, rawjson.Time(began))))
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, e, Options{Settings: settings.Settings{Era: "2024", Quota: "300"}})
	r := &replay{t: t, list: list, c: c, ids: map[string]string{}, breakage: breakage, report: report, ours: map[string]bool{}}
	r.seed()
	r.seedRead()
	for i, x := range list {
		if d := x.at.Sub(c.s.clock.now()); !x.at.IsZero() && d > 0 {
			time.Sleep(d)
		}
		if !supported(x) {
			report.skipped++
			continue
		}
		r.setUp(i, x)
		got := r.send(x)
		if breakage != nil {
			breakage(x, &got)
		}
		report.compare(x, got, r)
		r.learn(x, got)
	}
	return c.s.Stats()
}

// unsupported reports requests to other services than backup: networks, images, deployments, storage.
var unsupported = regexp.MustCompile(`(?i)/providers/Microsoft\.(Network|Resources)/|/publishers/|raw\.githubusercontent\.com`)

func supported(x *exchange) bool { return !unsupported.MatchString(x.URL) }

// seed puts the resource group in place, as it was before the recording began.
func (r *replay) seed() {
	s := r.c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range r.list {
		if x.Method == "GET" && strings.Contains(strings.ToLower(x.path), "/resourcegroups/") && strings.Count(x.path, "/") == 4 {
			s.st.PutGroup(slices.Clone(x.body()))
			return
		}
	}
	// The recording never reads its group: derive it from the vault.
	for _, x := range r.list {
		if x.Method == "PUT" && strings.Contains(x.path, "/vaults/") {
			group := x.path[:strings.Index(x.path, "/providers/")]
			s.st.PutGroup(state.GroupBody(group, rawjson.TextAt(x.Sent, "location"), nil))
			return
		}
	}
}

// seedRead creates the resources that a part of a recording reads before it writes: earlier parts created them.
func (r *replay) seedRead() {
	st := r.c.s.st
	r.c.s.mu.Lock()
	defer r.c.s.mu.Unlock()
	for _, x := range r.list {
		if x.Method != "GET" {
			return
		}
		if x.Status != http.StatusOK {
			continue
		}
		bodies := values(answered{body: x.body()})
		if bodies == nil {
			bodies = []json.RawMessage{x.body()}
		}
		for _, b := range bodies {
			switch kindOf(x) {
			case "vault":
				v := st.PutVault(slices.Clone(b))
				st.PutGroup(state.GroupBody(ids.Before(v.ID, "providers"), v.Region, nil))
			case "item":
				st.PutItem(slices.Clone(b))
			case "recovery point":
				st.PutPoint(slices.Clone(b))
			}
		}
	}
}

// setUp creates the resources that the recording created through services that are not simulated, and sets the
// recorded durations of operations.
func (r *replay) setUp(i int, x *exchange) {
	s := r.c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	low := strings.ToLower(x.path)
	switch {
	case x.Method == "GET" && strings.Contains(low, "/virtualmachines/"):
		// Instance views are Compute's state, not a body that backup needs: the VM's body is the one read here.
		r.ours[ids.Key(x.path)] = true
		if s.st.VMs.Get(ids.Key(x.path)) == nil {
			s.st.PutVM(slices.Clone(x.body()), s.clock.now())
			r.refreshed = false
		} else {
			made := s.st.Service.Created[ids.Key(x.path)]
			s.st.PutVM(slices.Clone(x.body()), made)
		}
	case kindOf(x) == "storage account" && x.Status == http.StatusOK:
		s.st.PutAccount(slices.Clone(x.body()))
	case x.Method == "GET" && strings.HasSuffix(low, "/backupprotectableitems"):
		r.otherVMs(x)
	case strings.HasSuffix(low, "/refreshcontainers"):
		r.refreshed = true
	}
	if x.Method != "GET" {
		r.setDurations(i, x)
	}
}

// otherVMs creates the other VMs of the recorded list; if the list shows the recording's own VMs without a refresh,
// another client has refreshed.
func (r *replay) otherVMs(x *exchange) {
	s := r.c.s
	group := ""
	s.st.Groups.All(0, func(_ int, l *state.OpaqueResource) bool {
		group = rawjson.TextAt(s.st.Read(l.Body), "location")
		return false
	})
	shown := map[string]bool{}
	for _, row := range values(answered{body: x.body()}) {
		id := rawjson.TextAt(row, "properties", "virtualMachineId")
		shown[ids.Key(id)] = true
		if r.ours[ids.Key(id)] && !r.refreshed {
			s.st.ListedAsProtectable[ids.Key(id)] = true
		}
		if s.st.VMs.Get(ids.Key(id)) == nil {
			s.st.PutVM(rawjson.NewObject("id", id, "name", ids.LastSegment(id), "location", group).Bytes(), time.Time{})
		}
	}
	var gone []string
	s.st.VMs.All(0, func(_ int, v *state.VM) bool {
		if !shown[v.Key] && !r.ours[v.Key] {
			gone = append(gone, v.Key)
		}
		return true
	})
	for _, k := range gone {
		s.st.Remove("virtualMachines", k)
	}
	for k := range shown {
		if !r.ours[k] {
			s.st.ListedAsProtectable[k] = true // the service listed it before the recording began
		}
	}
}

var guidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// operationID returns the id in an operation's URL.
func operationID(u string) string {
	p, _, _ := strings.Cut(u, "?")
	return ids.LastSegment(p)
}

// setDurations looks ahead: the operation that x starts ends when the recording shows its end.
func (r *replay) setDurations(i int, x *exchange) {
	id := operationID(cmp.Or(x.Headers["azure-asyncoperation"], x.Headers["location"]))
	if id == "" {
		return
	}
	d := r.ended(i, id)
	set := map[string]settings.Range{}
	for k := range r.c.s.set.Durations {
		set[k] = settings.Fixed(d)
	}
	r.jobPhases(i, id, set)
	set["vaultLinger"], set["vaultSettle"] = settings.Fixed(0), settings.Fixed(0)
	if r.answeredAtOnce(i, id) {
		set["vaultLinger"] = settings.Fixed(time.Hour)
	}
	if r.readIncomplete(i) {
		set["vaultSettle"] = settings.Fixed(2 * time.Second)
	}
	r.c.s.set.Durations = set
}

// ended returns the time from request i to the end of its operation.
func (r *replay) ended(i int, id string) time.Duration {
	began := r.list[i].at
	last := began
	for _, y := range r.list[i+1:] {
		if !strings.HasSuffix(strings.Split(y.URL, "?")[0], id) {
			continue
		}
		running := y.Status == 202 || rawjson.TextAt(y.body(), "status") == "InProgress"
		if !running {
			// Between the last poll that showed it running and this one; times are whole seconds.
			return (last.Sub(began) + y.at.Sub(began)) / 2
		}
		last = y.at
	}
	return time.Second
}

// answeredAtOnce reports whether the first poll of an operation showed its end.
func (r *replay) answeredAtOnce(i int, id string) bool {
	for _, y := range r.list[i+1:] {
		if strings.HasSuffix(strings.Split(y.URL, "?")[0], id) {
			return rawjson.TextAt(y.body(), "status") == "Succeeded"
		}
	}
	return false
}

// jobPhases returns when the job of operation id first showed its first task ended, and its own end. The times in the
// job's last body differ: the service reports a phase up to ten minutes late.
func (r *replay) jobPhases(i int, id string, set map[string]settings.Range) {
	jobID := ""
	cut, handover, end := time.Hour, 90*time.Minute, 2*time.Hour
	for _, y := range slices.Backward(r.list[i+1:]) {
		if strings.HasSuffix(strings.Split(y.URL, "?")[0], id) {
			jobID = cmp.Or(rawjson.TextAt(y.body(), "properties", "jobId"), jobID)
		}
	}
	for _, y := range slices.Backward(r.list[i+1:]) {
		if jobID == "" || !strings.HasSuffix(y.path, "/backupJobs/"+jobID) {
			continue
		}
		var tasks []struct{ Status string }
		_ = json.Unmarshal(rawjson.RawAt(y.body(), "properties", "extendedInfo", "tasksList"), &tasks)
		seen := y.at.Sub(r.list[i].at) - time.Second/4
		if len(tasks) > 0 && tasks[0].Status == "Completed" {
			cut = seen
		}
		if len(tasks) > 1 && tasks[1].Status == "InProgress" {
			handover = seen
		}
		if rawjson.TextAt(y.body(), "properties", "status") == "Completed" {
			end = seen
		}
	}
	set["snapshot"], set["handover"] = settings.Fixed(cut), settings.Fixed(max(handover-cut, 0))
	set["transfer"], set["restore"] = settings.Fixed(max(end-cut, 0)), settings.Fixed(end)
	set["restoreFromSnapshot"], set["restoreFinish"] = settings.Fixed(end), settings.Fixed(max(end-cut, 0))
	set["diskLag"] = settings.Fixed(0)
}

// readIncomplete reports whether the next read of the vault that request i creates lacks the properties that the
// service adds.
func (r *replay) readIncomplete(i int) bool {
	for _, y := range r.list[i+1:] {
		if y.Method == "GET" && y.Status == 200 && kindOf(y) == "vault" {
			return rawjson.RawAt(y.body(), "properties", "securitySettings") == nil
		}
	}
	return false
}

// send sends the recorded request with the simulator's own ids.
func (r *replay) send(x *exchange) answered {
	u, err := url.Parse(x.URL)
	if err != nil {
		r.t.Fatal(err)
	}
	q := u.RawQuery
	if i := strings.Index(q, "&t="); i >= 0 {
		q = q[:i] // the signature was scrubbed
	}
	raw := u.Scheme + "://" + u.Host + r.translate(u.EscapedPath()) + "?" + q
	body := ""
	if len(x.Sent) > 0 && string(x.Sent) != "null" {
		body = r.translate(string(x.Sent))
	}
	a, err := r.c.try(x.Method, raw, body)
	if err != nil {
		r.t.Fatalf("%s: %v", x, err)
	}
	return a
}

func (r *replay) translate(s string) string {
	for recorded, ours := range r.ids {
		s = strings.ReplaceAll(s, recorded, ours)
	}
	return s
}

// learn pairs the ids in the two replies.
func (r *replay) learn(x *exchange, got answered) {
	pair := func(recorded, ours string) {
		if recorded != "" && ours != "" {
			r.ids[recorded] = ours
		}
	}
	for _, h := range []string{"azure-asyncoperation", "location"} {
		pair(operationID(x.Headers[h]), operationID(got.header.Get(h)))
	}
	pair(rawjson.TextAt(x.body(), "properties", "jobId"), rawjson.TextAt(got.body, "properties", "jobId"))
	if strings.HasSuffix(x.path, "/recoveryPoints") {
		recorded, ours := values(answered{body: x.body()}), values(got)
		for i := range min(len(recorded), len(ours)) {
			pair(rawjson.TextAt(recorded[i], "name"), rawjson.TextAt(ours[i], "name"))
		}
	}
}
