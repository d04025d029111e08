package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

var update = flag.Bool("update", false, "rewrite want.txt in testdata")

const (
	subscription = "11111111-1111-1111-1111-111111111111"
	vaultGroup   = "rg-backup"
)

// now is the time of every case.
var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// TestCases plans every testdata/*/*.txtar: free text, config.yaml, observed.json, optionally an `options`
// file (lines of --only) and want.txt, which -update writes.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) { runCase(t, file) })
	}
}

func runCase(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ar := txtar.Parse(data)
	c := loadConfig(t, section(ar, "config.yaml"))
	o := readObserved(t, section(ar, "observed.json"))
	opt := plan.Options{Now: now}
	for line := range strings.Lines(string(section(ar, "options"))) {
		only, err := plan.ParseTargetFilter(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		opt.Filters = append(opt.Filters, only)
	}
	p := plan.Make(c, o, opt)
	got := render(p)
	if *update {
		setSection(ar, "want.txt", []byte(got))
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(section(ar, "want.txt")), got); diff != "" {
		t.Errorf("plan differs (-want +got), run with -update and read the diff:\n%s", diff)
	}
	checkPlan(t, c, o, p)
	if len(opt.Filters) == 0 {
		checkConverges(t, c, o, p)
	}
}

func section(ar *txtar.Archive, name string) []byte {
	for _, f := range ar.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func setSection(ar *txtar.Archive, name string, data []byte) {
	for i := range ar.Files {
		if ar.Files[i].Name == name {
			ar.Files[i].Data = data
			return
		}
	}
	ar.Files = append(ar.Files, txtar.File{Name: name, Data: data})
}

func loadConfig(t testing.TB, yaml []byte) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	if err := os.WriteFile(file, expand(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatalf("config.yaml: %v", err)
	}
	c.Files = []string{"azbackup.yaml"}
	return c
}

func readObserved(t testing.TB, data []byte) plan.Observed {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(expand(data)))
	d.DisallowUnknownFields()
	var o plan.Observed
	if err := d.Decode(&o); err != nil {
		t.Fatalf("observed.json: %v", err)
	}
	for i := range o.VMs {
		vm := &o.VMs[i]
		id, err := armid.ParseVM(vm.ID)
		if err != nil {
			t.Fatalf("observed.json: %v", err)
		}
		vm.Name, vm.ResourceGroup, vm.Subscription = id.Name(), id.ResourceGroup, id.Subscription
	}
	for i := range o.Vaults {
		id, err := armid.ParseVault(o.Vaults[i].ID)
		if err != nil {
			t.Fatalf("observed.json: %v", err)
		}
		o.Vaults[i].Name = id.Name()
	}
	for i := range o.Policies {
		o.Policies[i].Name = o.Policies[i].ID[strings.LastIndexByte(o.Policies[i].ID, '/')+1:]
		o.Policies[i].Vault = armid.VaultOf(o.Policies[i].ID)
	}
	for i := range o.Items {
		if o.Items[i].ID == "" {
			id, err := armid.ParseVM(o.Items[i].VM)
			if err != nil {
				t.Fatalf("observed.json: %v", err)
			}
			o.Items[i].ID = armid.ProtectedItem(o.Items[i].Vault, id)
		}
	}
	return o
}

// expand replaces {vm GROUP/NAME}, {vault NAME}, {policy VAULT/NAME} and {container GROUP/NAME}; a subscription may
// precede them as "2:".
func expand(text []byte) []byte {
	macro := regexp.MustCompile(`\{(vm|vault|policy|container) (?:(\d):)?([^{}/]+)(?:/([^{}/]+))?\}`)
	return macro.ReplaceAllFunc(text, func(m []byte) []byte {
		p := macro.FindSubmatch(m)
		sub, first, second := subscription, string(p[3]), string(p[4])
		if n := string(p[2]); n != "" {
			sub = strings.ReplaceAll(subscription, "1", n)
		}
		switch string(p[1]) {
		case "vm":
			return []byte(armid.VM(sub, first, second))
		case "vault":
			return []byte(armid.Vault(sub, vaultGroup, first))
		case "policy":
			return []byte(armid.Policy(armid.Vault(sub, vaultGroup, first), second))
		}
		return []byte("iaasvmcontainerv2;" + first + ";" + second)
	})
}

// render returns a plan as the cases show it: the parts that a person would check.
func render(p plan.Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		renderChange(&b, c)
	}
	for _, c := range p.Unchanged {
		renderChange(&b, c)
	}
	for _, r := range p.Refusals {
		fmt.Fprintf(&b, "refused %s: %s (%d > %d, %s)\n", r.Guard, r.Message, r.Count, r.Limit, r.Flag)
	}
	var parts []string
	for a, n := range p.Summary {
		parts = append(parts, fmt.Sprintf("%s %d", a, n))
	}
	slices.Sort(parts)
	fmt.Fprintf(&b, "complete %t; %s\n", p.Complete, strings.Join(parts, ", "))
	return b.String()
}

func renderChange(b *strings.Builder, c plan.Change) {
	action := string(c.Action)
	if c.Wanted != "" {
		action += " " + string(c.Wanted)
	}
	fmt.Fprintf(b, "%s %s", action, short(c.Target))
	if c.Vault != "" && c.Vault != c.Target {
		fmt.Fprintf(b, " in %s", short(c.Vault))
	}
	b.WriteString("\n")
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "  %-7s %s\n", name, text)
		}
	}
	line("why", string(c.Reason)+": "+short(c.Because))
	if c.Rule != nil {
		line("rule", fmt.Sprintf("%s, line %d", c.Rule.Name, c.Rule.Line))
	}
	line("from", renderState(c.Before))
	line("to", renderState(c.After))
	for _, f := range c.Fields {
		line("field", fmt.Sprintf("%s: %s -> %s", f.Path, f.Before, f.After))
	}
	if c.Risk != plan.RiskNone {
		line("risk", string(c.Risk))
	}
	for _, r := range c.Also {
		line("also", string(r))
	}
	if c.Allowed {
		line("allowed", "resume: true")
	}
	line("needs", short(strings.Join(c.Needs, " ")))
	line("waits", c.WaitsFor)
	if c.Due != nil {
		line("due", c.Due.Format(time.RFC3339))
	}
	for _, n := range c.Notes {
		line("note", n)
	}
}

func renderState(s *plan.State) string {
	if s == nil {
		return ""
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return short(string(b))
}

// short removes the long ids from a text.
func short(s string) string {
	vault := regexp.MustCompile(`(?i)/subscriptions/(\d)[-\d]*/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/`)
	vm := regexp.MustCompile(`(?i)/subscriptions/(\d)[-\d]*/resourceGroups/([^/ "]*)/providers/Microsoft.Compute/virtualMachines/`)
	return vm.ReplaceAllString(vault.ReplaceAllString(s, "$1:"), "$1:$2/")
}
