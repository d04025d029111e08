package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"
)

// write writes the estate file: one body a line, so that it streams in and out.
func (f *fleet) write(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "{\n\"format_version\":\"1\",\n\"taken\":%q,\n\"cloud\":\"AzurePublic\",\n\"tenant\":%q",
		f.taken.Format(time.RFC3339), tenant); err != nil {
		return err
	}
	counts := f.policyCounts()
	for _, section := range []struct {
		name   string
		bodies iter.Seq[body]
	}{
		{"subscriptions", f.subscriptionBodies()},
		{"managementGroups", f.managementGroupBodies()},
		{"resourceGroups", none},
		{"virtualMachines", f.machineBodies()},
		{"vaults", f.vaultBodies()},
		{"policies", f.policyBodies(counts)},
		{"protectedItems", f.itemBodies()},
		{"protectableItems", none},
		{"jobs", f.jobBodies()},
		{"recoveryPoints", none},
		{"resourceGuardProxies", none},
		{"refused", f.refusedBodies()},
	} {
		if err := writeSection(w, section.name, section.bodies); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n}\n")
	return err
}

func writeSection(w io.Writer, name string, bodies iter.Seq[body]) error {
	if _, err := fmt.Fprintf(w, ",\n%q:[", name); err != nil {
		return err
	}
	separator := "\n"
	for b := range bodies {
		raw, err := json.Marshal(b)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s%s", separator, raw); err != nil {
			return err
		}
		separator = ",\n"
	}
	_, err := io.WriteString(w, "\n]")
	return err
}

func none(func(body) bool) {}

func (f *fleet) subscriptionBodies() iter.Seq[body] {
	return func(yield func(body) bool) {
		for i, s := range f.subscriptions {
			if !yield(body{
				"id": "/subscriptions/" + s, "subscriptionId": s, "tenantId": tenant,
				"displayName": displayName(i), "state": f.stateOf(i),
			}) {
				return
			}
		}
	}
}

func (f *fleet) machineBodies() iter.Seq[body] {
	return func(yield func(body) bool) {
		for n := range f.vms {
			if !yield(f.machine(n).body(f.taken)) {
				return
			}
		}
	}
}

func (f *fleet) allVaults() []vault { return append(append([]vault(nil), f.vaults...), f.legacy...) }

func (f *fleet) vaultBodies() iter.Seq[body] {
	return func(yield func(body) bool) {
		for _, v := range f.allVaults() {
			if !yield(v.body()) {
				return
			}
		}
	}
}

func (f *fleet) policyBodies(items map[string]int) iter.Seq[body] {
	return func(yield func(body) bool) {
		for _, v := range f.allVaults() {
			for _, p := range v.policies(items) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// allItems returns the items of all machines, including deleted ones.
func (f *fleet) allItems() iter.Seq[item] {
	return func(yield func(item) bool) {
		for n := range f.vms + f.orphans() {
			m := f.machine(n)
			if n >= f.vms {
				m = f.orphan(n - f.vms)
			}
			for _, it := range f.items(m) {
				if !yield(it) {
					return
				}
			}
		}
	}
}

func (f *fleet) itemBodies() iter.Seq[body] {
	return func(yield func(body) bool) {
		for it := range f.allItems() {
			if !yield(it.body(f.taken)) {
				return
			}
		}
	}
}

// policyCounts counts the items of each policy, by its id.
func (f *fleet) policyCounts() map[string]int {
	counts := map[string]int{}
	for it := range f.allItems() {
		if it.policy != "" {
			counts[it.vault.policyID(it.policy)]++
		}
	}
	return counts
}

// jobBodies returns the last backups that failed, as the list shows jobs: without their tasks (docs/azure.md §11).
func (f *fleet) jobBodies() iter.Seq[body] {
	return func(yield func(body) bool) {
		for it := range f.allItems() {
			if it.failed && !yield(it.failedJob(f)) {
				return
			}
		}
	}
}

func (it item) failedJob(f *fleet) body {
	m := it.machine
	id := uuid(f.random("job", m.n))
	start := f.taken.Add(-time.Duration(m.n%600)*time.Second - 5*time.Hour)
	return body{
		"id": it.vault.id() + "/backupJobs/" + id, "name": id, "type": "Microsoft.RecoveryServices/vaults/backupJobs",
		"properties": body{
			"jobType": "AzureIaaSVMJob", "actionsInfo": []string{}, "duration": "PT1M41.093615S", "virtualMachineVersion": "Compute",
			"containerName":      it.body(f.taken)["properties"].(body)["containerName"],
			"entityFriendlyName": m.name, "backupManagementType": "AzureIaasVM", "operation": "Backup", "status": "Failed",
			"startTime": stamp(start), "endTime": stamp(start.Add(101 * time.Second)), "activityId": id,
			"errorDetails": []body{{
				"errorCode": 400239, "errorTitle": "UserErrorGuestAgentStatusUnavailable",
				"errorString": "Azure Backup could not reach the agent of the virtual machine.", "recommendations": []string{"Start the agent."},
			}},
		},
	}
}
