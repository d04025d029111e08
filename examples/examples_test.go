// Package examples holds the files that the README points to. Its tests load each of them as a user would.
package examples

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

func observe(t *testing.T, c *config.Config) plan.Observed {
	t.Helper()
	f, err := os.Open("estate.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	estate, err := simulator.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	server, err := simulator.New(estate, simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := azure.New(azure.CommandPlan, arm.Options{
		Cloud: arm.Cloud{Name: "AzurePublic"}, Endpoint: "https://simulator.invalid", AccessToken: "x",
		Transport: server.Transport(), Version: "test", Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := client.Discover(t.Context(), plan.ScopeOf(c))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestEveryExampleLoadsSilentlyAndPlans(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("want quickstart.yaml and production.yaml, got %v, %v", files, err)
	}
	for _, file := range files {
		if file == "prices.yaml" { // no config
			continue
		}
		t.Run(file, func(t *testing.T) {
			with := []string{file}
			if file == "restore-tests.yaml" { // it is read beside the fleet that it restores
				with = []string{"quickstart.yaml", file}
			}
			c, warnings, err := config.Load(with, func(name string) (string, bool) { return "x", name != "" })
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range warnings {
				t.Error(w)
			}
			p := plan.Make(c, observe(t, c), plan.Options{Now: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)})
			if len(p.Changes)+len(p.Unchanged) == 0 {
				t.Error("the plan says nothing at all")
			}
		})
	}
}

func TestTheExampleOfPricesLoadsAndHasAllPrices(t *testing.T) {
	p, err := config.LoadPrices("prices.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Storage; s.LocallyRedundant == nil || s.ZoneRedundant == nil || s.GeoRedundant == nil || s.CrossRegionRestore == nil {
		t.Errorf("a price is missing: %+v", s)
	}
}

func TestTheQuickstartShowsEveryKindOfChange(t *testing.T) {
	c, _, err := config.Load([]string{"quickstart.yaml"}, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Make(c, observe(t, c), plan.Options{Now: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)})
	for _, action := range []plan.Action{
		plan.UpdateVault, plan.CreatePolicy, plan.UpdatePolicy, plan.Protect, plan.Modify, plan.Resume, plan.Undelete,
		plan.Stop, plan.Blocked, plan.Unchanged,
	} {
		if p.Summary[action] == 0 {
			t.Errorf("no change of the kind %q in the quickstart", action)
		}
	}
	for _, r := range p.Refusals {
		t.Errorf("the demo would be refused: %s", r.Message)
	}
	for _, g := range p.Gaps {
		t.Errorf("the demo has a gap: %+v", g)
	}
}
