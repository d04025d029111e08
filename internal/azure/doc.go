// Package azure sends all requests to Azure: it reads what exists ([Client.Discover], [Client.Snapshot]) and carries
// changes out (it implements [apply.Backend]).
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
// A read that fails is a [plan.Gap], never an absence: only a 404 with the code ResourceNotFound or ResourceGroupNotFound
// means "does not exist". Half a list is no list. Reads are retried by the
// pipeline, a body that breaks off included; a write is sent exactly once, and the engine determines the outcome of
// one without an answer ([apply.Error.Unknown]). A 401 is no exception: a write refused so was not done, and is sent
// once more with another token (tokens.go).
//
// The bearer token goes to the configured endpoint (scheme, host and port) and nowhere else: nextLink, Location
// and Azure-AsyncOperation are followed verbatim, because they are signed (docs/azure.md §4), but only there;
// redirects are not followed. What a command may send is a table (allowlist.go), checked before the token is
// attached. There is no row with DELETE.
//
// # Decisions
//
//   - No generated clients: docs/design.md §1 has the four measured reasons. The structs name the fields in use. One
//     that decides something is a [wire.Field]: read, absent, or not understood. A row with such a field that
//     was not understood stays in the result, with the value in its Unreadable, and is a gap of its own; only if
//     not even its identity is known, the whole list is a gap. Fields that decide nothing are tolerant.
//   - A missing field may be replaced by another: a time of deletion proves that an item is deleted, an id holds
//     the container's name. Contradicting evidence is not understood.
//   - Lists are decoded element by element inside the retry loop (decode.go), so that a page that breaks off is
//     read again and a vault with many items is never in memory as text.
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
