// Package azure sends all requests to Azure: it reads what exists ([Client.Discover], [Client.Snapshot]) and carries
// changes out (it implements [apply.Backend]).
//
//	Discover / Snapshot          Start / List / Poll
//	        │                            │
//	        └──────────────┬─────────────┘
//	                       │ what may be sent: allowlist.go
//	wire: documents ───────┤
//	                       │
//	             arm: requests, lists, sign-in ──► quota: when each is sent
//
// # Contract
//
// A read that fails is a [plan.Gap], never an absence: only a 404 with one of a few codes means "does not exist"
// (gaps.go). What a command may send is a table (allowlist.go), checked before the token is attached. There is no row
// with DELETE: that of a disk is permitted by group (clean_up.go). A write without an answer has an unknown outcome,
// which the engine determines ([apply.Error.Unknown]); how requests are repeated, and where tokens go, is the contract
// of arm.
//
// # Reading order
//
//	the client, and what it may send  client.go, allowlist.go, rights.go, api_versions.go, read.go, gaps.go
//	what there is                     discover.go, discover_reads.go, discover_vaults.go, discover_other_vaults.go,
//	                                  discover_hidden_vaults.go, discover_graph.go, read_details.go, points.go,
//	                                  subscriptions.go
//	what there is, as a file          snapshot.go, recorder.go
//	a write                           start.go, precondition.go, policy_cache.go, write_item.go, write_policy.go,
//	                                  write_vault.go, resource_guard.go
//	how writes end                    poll.go, list.go, job_window.go
//	restores and their tests          restore_reads.go, restore_targets.go, restore_write.go, restore_check.go,
//	                                  read_tests.go, clean_up.go
//
// # Decisions
//
//   - No generated clients: docs/design.md §1 has the four measured reasons. The structs name the fields in use. One
//     that decides something is a [wire.Field]: read, absent, or not understood. A row with such a field that
//     was not understood stays in the result, with the value in its Unreadable, and is a gap of its own; only if
//     not even its identity is known, the whole list is a gap. Fields that decide nothing are tolerant.
//   - A missing field may be replaced by another: a time of deletion proves that an item is deleted, an id holds
//     the container's name. Contradicting evidence is not understood.
//   - An item whose recovery point is fresh and whose VM is not in the list is read by GET, one VM per
//     resource group: 403 proves that the identity sees too little, 404 that the VM is gone. Without that
//     read a VM deleted this morning would make every plan of its subscription incomplete for days.
//   - A disk filter is reset by "extendedProperties": {}, which is what Azure CLI sends for its
//     resetexclusionsettings; an explicit null does not survive the service's own types.
//   - A write waits for its quotas first, then the current state is read and compared with the approved one, then
//     the write is sent: in the other order the state could be an hour old (precondition.go).
//   - Rejected: Resource Graph for plans (minutes old, docs/azure.md §10); one GET per VM (the hourly budget,
//     §12); If-Match (no operation has it, §12).
package azure
