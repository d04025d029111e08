package simtest

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// mainPath runs a command from a config file to a report: each walk with a client of its own.
type mainPath struct {
	config    *config.Config
	transport http.RoundTripper
	// approve waits for the approval of a plan; nil = it is approved at once.
	approve func(*run) time.Time
}

// newMainPath loads the config from its text.
func newMainPath(t testing.TB, yaml string, transport http.RoundTripper) *mainPath {
	t.Helper()
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	return &mainPath{config: c, transport: transport}
}

// client signs in anew.
func (r *mainPath) client(t testing.TB) *azure.Client {
	t.Helper()
	c, err := azure.New(azure.CommandApply, arm.Options{
		Endpoint: "http://127.0.0.1", AccessToken: "token", Transport: r.transport, Version: "test", Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run is one command: the estate it read, its plan, and, if it applied, the result.
type run struct {
	client    *azure.Client
	startedAt time.Time // by the machine's clock; the others are the service's
	observed  time.Time
	found     plan.Observed
	plan      plan.Plan
	report    apply.Report
}

// plan reads and plans.
func (r *mainPath) plan(ctx context.Context, t testing.TB) (*run, error) {
	t.Helper()
	w := &run{client: r.client(t), startedAt: time.Now()}
	var err error
	if w.found, err = w.client.Discover(ctx, plan.ScopeOf(r.config)); err != nil {
		return w, err
	}
	w.observed = w.client.ServiceTime(w.startedAt)
	opt := plan.Options{Now: w.client.Now()}
	w.plan, w.found, err = plan.MakeAsking(r.config, w.found, opt, func(o plan.Observed, wanted plan.Questions) (plan.Observed, error) {
		return w.client.ReadDetails(ctx, o, wanted)
	})
	return w, err
}

// apply reads, plans, waits for the approval of the plan, and applies it.
func (r *mainPath) apply(ctx context.Context, t testing.TB, o apply.Options) (*run, error) {
	t.Helper()
	w, err := r.plan(ctx, t)
	if err != nil {
		return w, err
	}
	if r.approve != nil {
		o.Approved = r.approve(w)
	}
	o.Budget, o.Observed, o.Now = w.client, w.observed, w.client.Now
	l := r.config.Settings.Limits
	if o.Limits == (apply.Limits{}) {
		o.Limits = apply.Limits{Writes: l.Writes, Polls: l.Polls, Operations: max(0, int(l.Operations)), ItemTimeout: l.ItemTimeout, RunTimeout: l.RunTimeout}
	}
	w.client.SetApprovalTime(o.Approved)
	w.report, err = apply.Run(ctx, w.plan, w.client, o)
	return w, err
}

func serve(t testing.TB, estate string, o simulator.Options) *simulator.Server {
	t.Helper()
	e, err := simulator.Read(strings.NewReader(estate))
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, estate)
	}
	server, err := simulator.New(e, o)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// readState reads the whole estate as the simulator has it now.
func readState(t testing.TB, server *simulator.Server, into any) {
	t.Helper()
	readAdmin(t, server, "state", into)
}

// readAdmin reads one of the simulator's own endpoints.
func readAdmin(t testing.TB, server *simulator.Server, name string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://127.0.0.1/_simulator/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
