package simtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// rehearsal is a vault with some VMs, a group for restore tests with disks of other people in it, and a plan with a restore
// test of each VM.
type rehearsal struct {
	sim    *simulator.Server
	wire   *wire
	client *azure.Client
	plan   plan.Plan
	group  string
	// effects are all changes of vaults, policies, items and disks so far; the server's lock guards them while it runs.
	effects []simulator.Effect
	// names are the vault's jobs and the estate's sections before the first run, to compare with the end.
	before map[string][]string
}

// bystander returns the body of a disk of somebody else in the tests' group: with a tag of an old job, or none.
func bystander(group, name, job string) string {
	tags := `{"owner":"somebody"}`
	if job != "" {
		tags = fmt.Sprintf(`{"owner":"somebody","RSVaultBackup":%q}`, job)
	}
	return fmt.Sprintf(`{"id":"%s/providers/Microsoft.Compute/disks/%s","name":%q,"type":"Microsoft.Compute/disks","location":"westeurope","tags":%s,`+
		`"properties":{"osType":"Linux","hyperVGeneration":"V1","diskSizeGB":127,"diskState":"Unattached","timeCreated":"1999-12-31T00:00:00Z","creationData":{"createOption":"Empty"},"provisioningState":"Succeeded"}}`,
		group, name, name, tags)
}

func newRehearsal(t *testing.T, vms int, o simulator.Options) *rehearsal {
	t.Helper()
	sub := subscriptionID(1)
	vault, group := armid.Vault(sub, "rg-backup", "rsv"), "/subscriptions/"+sub+"/resourceGroups/rg-tests"
	account := "/subscriptions/" + sub + "/resourceGroups/rg-st/providers/Microsoft.Storage/storageAccounts/st"
	var e estate
	e.addVault(vault, "westeurope")
	e.addPolicy(vault, "daily", 30)
	var points, items, names, disks []string
	for i := range vms {
		vm := armid.VM(sub, "rg-app", fmt.Sprintf("vm%d", i))
		e.addVM(vm, "westeurope", nil)
		id, _ := armid.ParseVM(vm)
		item, itemID := protectedItem(vault, vm)
		items, points = append(items, item), append(points, instantPoint(itemID, "7", midnight()))
		names = append(names, vm)
		for _, d := range []string{"_OsDisk_1", "_DataDisk_0", "_DataDisk_1"} {
			body := bystander("/subscriptions/"+sub+"/resourceGroups/rg-app", id.Name()+d, "")
			if d != "_OsDisk_1" {
				body = strings.Replace(body, `"osType":"Linux","hyperVGeneration":"V1",`, "", 1)
			}
			disks = append(disks, strings.Replace(body, `"location"`, fmt.Sprintf(`"managedBy":%q,"location"`, vm), 1))
		}
	}
	disks = append(disks, bystander(group, "somebodys", ""), bystander(group, "restored-by-hand", "8c5f2e0a-0000-4000-8000-000000000001"))
	groups := fmt.Sprintf(`{"id":%q,"name":"rg-tests","location":"westeurope","tags":{"azbackup-restore-tests":"allowed"}},{"id":"/subscriptions/%s/resourceGroups/rg-app","location":"westeurope"}`, group, sub)
	file := fmt.Sprintf(`{"format_version":"1","taken":"2000-01-01T06:00:00Z","subscriptions":[%q],"resourceGroups":[%s],`+
		`"storageAccounts":[{"id":%q,"location":"westeurope","kind":"StorageV2","sku":{"name":"Standard_LRS"}}],`+
		`"virtualMachines":[%s],"vaults":[%s],"policies":[%s],"protectedItems":[%s],"recoveryPoints":[%s],"disks":[%s]}`,
		sub, groups, account, strings.Join(e.vms, ","), strings.Join(e.vaults, ","), strings.Join(e.policies, ","), strings.Join(items, ","), strings.Join(points, ","), strings.Join(disks, ","))
	read, err := simulator.Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	r := &rehearsal{group: group}
	hear := o.Effects
	o.Effects = func(e simulator.Effect) {
		r.effects = append(r.effects, e)
		if hear != nil {
			hear(e)
		}
	}
	if r.sim, err = simulator.New(read, o); err != nil {
		t.Fatal(err)
	}
	r.wire = &wire{inner: r.sim.Transport()}
	r.wire.begin(-1, true, nil)
	r.connect(t)
	ctx := context.Background()
	observed, err := r.client.Discover(ctx, plan.Scope{Subscriptions: []string{sub}, AllVaults: true})
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.client.Points(ctx, observed.Items, r.client.Now().Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	facts := plan.RestoreFacts{Items: all.Items, Jobs: all.Restores, Gaps: all.Gaps}
	if err := r.client.RestoreTargets(ctx, []string{sub}, group, []string{"st"}, &facts); err != nil {
		t.Fatal(err)
	}
	r.plan = plan.MakeRestores(observed, facts, plan.RestoreRequest{VMs: names, Into: group, Staging: []string{"st"}, MaxRestores: vms}, r.client.Now())
	if r.plan.Summary[plan.Restore] != vms || !r.plan.Complete {
		t.Fatalf("%+v", r.plan)
	}
	for i := range r.plan.Changes {
		c := &r.plan.Changes[i]
		c.Action, c.ID = plan.RestoreTest, strings.Replace(c.ID, "restore:", "restore-test:", 1)
		c.Test = &plan.RestoreTestOrder{Name: "quarterly", Every: plan.Duration(90 * 24 * time.Hour), Group: group}
	}
	r.before = r.inventory()
	return r
}

// connect makes a new client, as a new process has one, with the permit of an approved plan.
func (r *rehearsal) connect(t *testing.T) {
	t.Helper()
	var err error
	if r.client, err = azure.New(azure.CommandRestoreTest, arm.Options{
		Endpoint: "http://127.0.0.1", AccessToken: "token", Transport: r.wire, Version: "test", Now: time.Now,
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.client.PermitCleanUp(r.group); err != nil {
		t.Fatal(err)
	}
}

// run executes the plan.
func (r *rehearsal) run(t *testing.T, o apply.Options) apply.Report {
	t.Helper()
	if o.Limits.RunTimeout == 0 {
		o.Limits.RunTimeout = 24 * time.Hour
	}
	o.Budget, o.Now = r.client, r.client.Now
	rep, err := apply.Run(context.Background(), r.plan, r.client, o)
	if err != nil && len(rep.Results) == 0 {
		t.Fatal(err)
	}
	return rep
}

// section returns the bodies of a section of the estate, as the service has them.
func (r *rehearsal) section(name string) []json.RawMessage {
	req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1/_simulator/state", http.NoBody)
	resp, err := r.sim.Transport().RoundTrip(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	var all map[string]json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		panic(err)
	}
	var list []json.RawMessage
	decode(all[name], &list)
	return list
}

// inventory returns the ids of what nobody may delete, and of the disks, by section of the estate.
func (r *rehearsal) inventory() map[string][]string {
	out := map[string][]string{}
	for _, section := range []string{"virtualMachines", "vaults", "policies", "protectedItems", "recoveryPoints", "resourceGroups", "storageAccounts", "disks"} {
		for _, body := range r.section(section) {
			out[section] = append(out[section], string(idOf(body)))
		}
		slices.Sort(out[section])
	}
	return out
}

// disks returns the disks of the tests' group, by id, with the jobs in their tags.
func (r *rehearsal) disks(t *testing.T) map[armid.Key]plan.Disk {
	t.Helper()
	all, err := r.client.Disks(context.Background(), r.group)
	if err != nil {
		t.Fatal(err)
	}
	out := map[armid.Key]plan.Disk{}
	for _, d := range all {
		out[armid.Of(d.ID)] = d
	}
	return out
}
