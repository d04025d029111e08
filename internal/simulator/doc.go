// Package simulator is a simulated Azure: an http.Handler over the state of an estate file that answers Azure Resource
// Manager, Compute, Recovery Services and Resource Graph requests as recorded from the real services.
//
// It imports no other package of azbackup and shares no code with them: two independent readings of the same facts
// expose each other's mistakes. The facts are docs/azure.md (§n); every rule names its section. What is UNVERIFIED
// there is a field of [Settings] or a key of [DefaultUnverified], with the choice documented next to it.
//
// # Use
//
//	e, err := simulator.Read(file)             // an estate in memory
//	s, err := simulator.New(e, simulator.Options{Settings: simulator.Settings{
//		Durations:  map[string]simulator.Range{"": simulator.Fixed(2 * time.Second)},
//		RetryAfter: new(int),              // 0 s instead of Azure's 60
//	}})
//	http.ListenAndServe("127.0.0.1:8080", s)   // or, without a network:
//	client := &http.Client{Transport: s.Transport()}
//	s.Stats().Requests["items.list"]           // what clients did, by kind
//
// [Open] keeps the estate in its file: each accepted write is on disk before its reply, so that killing either side
// loses nothing; Close merges the journal into the file. While clients only read, the file is not touched. GET
// /_simulator/state and /_simulator/stats report over HTTP.
//
// # Rooms
//
// Here are the server, its routes, and the handlers, in files named after their resources; below them
//
//	rules     what the service refuses, and when a policy runs: pure
//	state     the estate, its operations, the journal: no request
//	quota     the budgets of requests
//	fault     which fault hits a request, and its reply
//	signin    the tenant's endpoints and tokens
//	query     Resource Graph's language and OData filters: pure
//	settings  what configures all of it, with its defaults
//	reply, ids, seed, rawjson   replies, ids, seeded values, JSON as bytes
//
// A handler checks by the rules, starts an operation, and answers; what the operation does when it ends is beside its
// handler, because it makes what a later request reads.
//
// # Time
//
// A server has one clock. It starts at the time of the estate's snapshot or, for a saved state, at its last write, and
// advances as the Go clock does (times Options.Speed): an estate gives the same plan on every day, and no time passes
// in it while no server runs. An estate without a time (no "taken") starts at the machine's, and so does every estate
// with Options.WallClock. Every reply follows this clock, including the Date header; only tokens use the machine's
// clock, because clients compare them with their own.
//
// Nothing runs in the background: due timers run, in order, when the next request arrives. So the simulator works in a
// testing/synctest bubble, where a day passes in no time, and continues after a kill, because operations hold absolute
// times and each line of the journal records the clock. Durations, faults and ids depend on the seed and on their
// purpose, not on the order of requests: a run with parallel clients repeats.
//
// # Operations
//
//	request             answer                 URLs to poll, under            ends as
//	PUT item, backup    202, no body           the item                       200 item / 204
//	DELETE item         202, no body           the vault: backupOperations    204
//	refreshContainers   202, no body           the fabric                     204
//	restore             202, no body           the item                       204; its job makes the disks later
//	DELETE disk         202, no body           the location                   200
//	PUT policy in use   202, no body           the policy                     200 policy
//	PUT vault           201, "Provisioning"    the vault: operationStatus     200; no Location
//	PATCH, DELETE vault 202, no body           the vault: operationStatus     200; 404 once it is gone
//
// # Decisions
//
//   - Bodies are bytes. An estate is indexed by a scanner that reads a handful of fields; bodies of an opened file
//     stay in the file. 100,000 VMs with an item each load in 2 to 3 s and take 110 MB of heap, 210 MB in all (go test
//     -bench Open -benchtime 1x). Rejected: decoding into maps (20 times the time), holding the file in memory (350 MB
//     more).
//   - Bodies are edited through an ordered object that keeps unknown keys, so that undocumented fields survive a
//     write, as they do in Azure.
//   - The journal holds changes, not requests: replaying requests would need every rule to stay the same forever.
//   - A recovery point stores its source disks under a key of its body that no reply shows: a restore can create them
//     after the VM was deleted. Of the files a restore writes to a storage account only the number is kept.
//   - An operation takes effect when it ends; until then the item is unchanged. Whether Azure shows an item earlier is
//     unknown.
//   - ScheduledBackups, Quota, DailyLimits and RequireToken are off by default: then only clients change an estate,
//     and a test is not throttled unexpectedly.
//   - An unknown query, filter or path is refused, never answered with a guess.
//
// # Evidence
//
//	go test -run 'Recordings|Broken' -v ./internal/simulator
//
// replays the 727 recorded requests to these services, each recording from its own start and at its own times, and
// compares status, headers and every field of the bodies: 16,617 of 16,618 compared fields agree (share 0.9999).
// conformance_normal_test.go lists what is normalised, ignored and accepted. `make conformance` runs this and three
// independent clients (Azure SDK for Go, for JavaScript, HashiCorp's), and prints for each rule, found by its
// citation, which of them exercised it by code coverage: a rule that none exercised is unproven. A second test breaks
// the replies in fourteen ways, each of which must lower the share.
//
// # Reading order
//
//	a request, from the connection to its handler      server.go, route.go, request.go
//	one resource from end to end, with rules/items.go  items.go, operation_effects.go, long_running.go
//	what configures backup                             policies.go, vaults.go, vault_config.go, protectable.go, guards.go,
//	                                                   daily_limits.go
//	what makes and uses recovery points                jobs.go, backup.go, backup_schedule.go, recovery_points.go,
//	                                                   restores.go, restore_jobs.go
//	what is not of the backup service                  compute.go, storage_accounts.go, groups.go, metadata.go,
//	                                                   resource_graph.go
//	what serves all of them                            list.go, faults.go, stats.go, clock.go, options.go, transport.go,
//	                                                   aliases.go
package simulator
