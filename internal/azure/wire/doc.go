// Package wire converts between the documents of Azure's API and plan's values. It sends nothing, has no clock and holds
// no state of a run: the same bytes give the same values.
//
// # Contract
//
// A field that decides something is a [Field]: read, absent, or not understood, and never a decoding error. A row with
// such a field that was not understood stays in the result, with the value in its Unreadable; only a row without an
// identity is an error. Fields that decide nothing are tolerant: a value of an unexpected type counts as absent.
// Contradicting evidence is not understood.
//
// Types are named as Azure names the resource; each has a method ToPlan. Times of the past are checked against the moment
// of the read, which is an argument; the zero moment accepts any. Texts are Azure's: untrusted wherever they are printed.
// Nothing here is safe for concurrent use unless it says so; converted values are plain data.
//
// # Reading order
//
//	a field: read, absent, or not understood  field.go, times.go
//	the rows of a list, without garbage       row_decoder.go, text_cache.go, string_pool.go
//	what is protected, by what, where         item.go, workload.go, disk_filter.go, vm.go, vault.go, policy.go
//	what was done                             job.go, restore_job.go, point.go, disk.go
//	where to look                             subscription.go
//	documents that are written                policy_merge.go, vault_body.go
package wire
