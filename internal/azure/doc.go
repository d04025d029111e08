// Package azure is the only room that talks to Azure: it reads what exists ([Client.Discover],
// [Client.Snapshot]) and carries changes out (it is the [apply.Backend] of the real world).
//
//	          Discover / Snapshot          Start / List / Poll
//	                  │                            │
//	wire structs ─────┴────────── requests ────────┘        request.go
//	                                  │
//	azcore pipeline:  allow-list → names → retry → [ quota → time limit → decode → token → count ] → transport
//	                  and host                                                            no redirects,
//	                                                                                      bounded bodies
//
// # Contract
//
// A read that fails is a [plan.Gap], never an absence: only a 404 with a code that says so (ResourceNotFound,
// ResourceGroupNotFound) is taken as "does not exist". Half a list is no list. Reads are retried by the
// pipeline, a body that breaks off included; a write is sent exactly once, and what became of one without an
// answer is the engine's to find out ([apply.Error.Unknown]). A 401 is no exception: what was refused so was not
// done, and is sent once more with another token (tokens.go).
//
// The bearer token goes to the configured endpoint (scheme, host and port) and nowhere else: nextLink, Location
// and Azure-AsyncOperation are followed verbatim, because they are signed (docs/azure.md §4), but only there;
// redirects are not followed. What a command may send is a table (allowlist.go), checked before the token is
// attached. There is no row with DELETE.
//
// # Decisions
//
//   - No generated clients: docs/design.md §1 has the four measured reasons. Our structs name the fields we use. One
//     by which something is decided is a field (field.go): read, absent, or not understood. A row of which
//     such a field was not understood keeps its place, with the value in its Unreadable, and is a gap of its
//     own; only where not even its identity is known is the list one. Fields that decide nothing are tolerant.
//   - What one field does not tell, another may: the time of a deletion says that an item is deleted, an id holds
//     the container's name. Evidence that contradicts itself is not understood.
//   - Lists are decoded element by element inside the retry loop (decode.go), so that a page that breaks off is
//     read again and a vault with many items never stands in memory as text.
//   - An item whose recovery point is fresh and whose VM is not in the list is asked for by GET, one VM a
//     resource group: 403 proves that the identity sees too little, 404 that the VM is gone. Without the
//     question a VM deleted this morning would make every plan of its subscription incomplete for days.
//   - A disk filter is reset by "extendedProperties": {}, which is what Azure CLI sends for its
//     resetexclusionsettings; an explicit null does not survive the service's own types.
//   - A write waits for its quotas first, then what it is laid over is read and compared with what was approved, then it
//     is sent: the other way round the reading could be an hour old (precondition.go).
//   - Rejected: Resource Graph for plans (minutes old, docs/azure.md §10); one GET per VM (the hourly budget,
//     §12); If-Match (no operation has it, §12).
package azure
