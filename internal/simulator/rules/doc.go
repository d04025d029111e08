// Package rules is what the service refuses: the rules of protected items, policies, vaults, resource guards and restores,
// each with the section of docs/azure.md that it is read from. It also says when a policy runs and how long it keeps a
// recovery point.
//
// It is pure: a [Checker] holds the state, the settings and the time of one request, and a check returns the refusal, or
// nil. What no source confirms is refused by Checker.unverified, whose answer is a setting. The daily limits are not here:
// they count what was accepted.
//
// To read it: checker.go, items.go (the state machine of docs/azure.md §6), vms.go,
// policies.go, policy_times.go, policy_runs.go, vaults.go, guards.go, restores.go.
package rules
