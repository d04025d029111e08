package main

import (
	"bytes"
	"fmt"
	"strings"
)

// config returns the file that most of the fleet already matches: a plan over it has a little of everything.
func (f *fleet) config() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The fleet that estategen makes with -vms %d -vaults %d -seed %d -protected-share %v.\n", f.vms, len(f.vaults), f.seed, f.share)
	fmt.Fprintf(&b, "version: 1\ntenant: %s\n", tenant)
	if f.organisation {
		b.WriteString(f.scope())
		fmt.Fprintf(&b, policiesAndRules, policyDaily, policyHourly, f.vaultRegions(), f.vms+len(f.vaults))
		return b.Bytes()
	}
	b.WriteString("subscriptions:\n")
	for _, s := range f.subscriptions {
		fmt.Fprintf(&b, "  - %s\n", s)
	}
	b.WriteString("\nvaults:\n")
	for _, v := range f.vaults {
		fmt.Fprintf(&b, "  - {name: %s, subscription: %s, resourceGroup: %s, location: %s, manage: true, softDeleteDays: 14}\n",
			v.name, v.subscription, v.group, v.region.name)
	}
	fmt.Fprintf(&b, policiesAndRules, policyDaily, policyHourly, f.vaultRegions(), f.vms+len(f.vaults))
	return b.Bytes()
}

// vaultRegions returns the regions that have vaults.
func (f *fleet) vaultRegions() string {
	var names []string
	for _, r := range regions() {
		for _, c := range f.cells {
			if c.region == r {
				names = append(names, r.name)
				break
			}
		}
	}
	return strings.Join(names, ", ")
}

const policiesAndRules = `
policies:
  - name: %[1]s
    manage: true
    tier: Enhanced
    timeZone: UTC
    schedule: {daily: {at: "22:00"}}
    instantRestoreDays: 5
    retention: {days: 30}
  - name: %[2]s
    manage: true
    tier: Enhanced
    timeZone: UTC
    schedule: {hourly: {every: 4h, from: "08:00", window: 12h}}
    instantRestoreDays: 5
    retention: {days: 30}

vms:
  - name: retired
    match: {tags: {lifecycle: retired}}
    protect: stopped
  - name: scratch
    match: {tags: {env: dev}}
    protect: false
    reason: rebuilt from images every night
  - name: sql
    match: {tags: {role: sql}, locations: [%[3]s]}
    policy: %[2]s
    disks: {include: [0, 1]}
    spread: true
    resume: true
  - name: others
    match: {locations: [%[3]s]}
    policy: %[1]s
    spread: true
    resume: true

settings:
  guards: {maxChanges: %[4]d}
`
