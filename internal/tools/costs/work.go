// Package costs counts the costs of azbackup's parts on an estate of any shape, in numbers that do not depend on the
// machine: allocations, bytes, requests, statements. Its tests compare them with a baseline, and with laws of growth.
package costs

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/export"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// World is an estate with all the program's intermediate results from a file to a report.
type World struct {
	file     string
	canned   *canned
	config   *config.Config
	observed plan.Observed // for a plan
	seen     plan.Observed // for an audit
	plan     plan.Plan
	result   audit.Result
	Requests map[string]int // of both reads, by the name of the work
}

func now() time.Time { return time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC) }

// NewWorld creates the estate, reads it and audits it. It writes the config file to dir.
func NewWorld(ctx context.Context, dir string, s Shape) (*World, error) {
	w := &World{file: filepath.Join(dir, "azbackup.yaml"), Requests: map[string]int{}}
	if err := os.WriteFile(w.file, []byte(s.config()), 0o600); err != nil {
		return nil, err
	}
	estate, err := simulator.Read(strings.NewReader(s.estate()))
	if err != nil {
		return nil, err
	}
	server, err := simulator.New(estate, simulator.Options{Settings: Plenty()})
	if err != nil {
		return nil, err
	}
	w.canned = &canned{from: server.Transport(), answers: map[string]answer{}}
	if w.config, err = w.Load(); err != nil {
		return nil, err
	}
	if w.observed, w.Requests[readPlan], err = w.Discover(ctx, false); err != nil {
		return nil, err
	}
	if w.seen, w.Requests[readAudit], err = w.Discover(ctx, true); err != nil {
		return nil, err
	}
	w.canned.from = nil
	w.plan = plan.Make(w.config, w.observed, plan.Options{Now: now()})
	w.result = audit.Assess(w.config, w.seen, audit.Options{Now: now()})
	if len(w.observed.VMs) != s.VMs || w.result.Summary.VMs != s.VMs || len(w.observed.Gaps) > 0 {
		return nil, fmt.Errorf("%d machines were read, %d were judged, expected %d; gaps %v", len(w.observed.VMs), w.result.Summary.VMs, s.VMs, w.observed.Gaps)
	}
	return w, nil
}

// Plenty returns settings of a service whose every reply reports a practically unlimited quota.
func Plenty() simulator.Settings {
	return simulator.Settings{Limits: map[string]int{"": 1 << 30, "arm-reads": 1 << 30, "arm-writes": 1 << 30}}
}

// Load reads the config.
func (w *World) Load() (*config.Config, error) {
	c, _, err := config.Load([]string{w.file}, func(string) (string, bool) { return "", false })
	return c, err
}

// Discover reads the estate as plan or audit does, with a client of its own, and returns the number of requests.
func (w *World) Discover(ctx context.Context, forAudit bool) (plan.Observed, int, error) {
	command, scope := azure.CommandPlan, plan.ScopeOf(w.config)
	if forAudit {
		command, scope.AllVaults, scope.Hidden, scope.Protectable = azure.CommandAudit, true, true, false
	}
	client, err := azure.New(command, arm.Options{Endpoint: "https://simulator.invalid", AccessToken: "x", Transport: w.canned, Now: time.Now})
	if err != nil {
		return plan.Observed{}, 0, err
	}
	o, err := client.Discover(ctx, scope)
	requests := 0
	for _, n := range client.Requests() {
		requests += n
	}
	return o, requests, err
}

// Work is a piece of the program whose cost is counted.
type Work struct {
	Name string
	Run  func(ctx context.Context, w *World, out io.Writer) error
}

// The two works that send requests.
const (
	readPlan  = "discover for a plan"
	readAudit = "discover for an audit"
)

// Works returns the table of works: a new one is one entry.
func Works() []Work {
	all := []Work{
		{"load the file", func(_ context.Context, w *World, _ io.Writer) error { _, err := w.Load(); return err }},
		{readPlan, func(ctx context.Context, w *World, _ io.Writer) error {
			_, _, err := w.Discover(ctx, false)
			return err
		}},
		{readAudit, func(ctx context.Context, w *World, _ io.Writer) error { _, _, err := w.Discover(ctx, true); return err }},
		{"make a plan", func(_ context.Context, w *World, _ io.Writer) error {
			plan.Make(w.config, w.observed, plan.Options{Now: now()})
			return nil
		}},
		{"audit", func(_ context.Context, w *World, _ io.Writer) error {
			audit.Assess(w.config, w.seen, audit.Options{Now: now()})
			return nil
		}},
		{"export", exportAll},
	}
	for _, format := range report.PlanFormats() {
		all = append(all, Work{"plan as " + format, func(_ context.Context, w *World, out io.Writer) error {
			return report.WritePlan(out, format, w.plan, report.Style{All: true})
		}})
	}
	for _, format := range report.AuditFormats() {
		all = append(all, Work{"audit as " + format, func(_ context.Context, w *World, out io.Writer) error {
			return report.WriteAudit(out, format, w.result, report.Style{All: true})
		}})
	}
	return all
}

func exportAll(_ context.Context, w *World, out io.Writer) error {
	r, err := export.Export(w.observed, export.Options{GroupBy: "none", Subscriptions: w.config.Subscriptions})
	if err != nil {
		return err
	}
	text, err := r.Config.Encode(r.Comments)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}
