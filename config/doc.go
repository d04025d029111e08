// Package config is the desired state: the only room that knows YAML.
//
//	file ─► parse ─► nodes ─► variables ─► join ─► walk ─► Config ─► lint ─► matcher
//	        yaml.go  node.go  ${NAME}      files   shape   model.go  meaning  match.go
//
// Decisions:
//
//   - One walk over nodes, driven by the struct tags of model.go. The YAML library's own decoder names Go types
//     in its messages, stops at the first struct, and lets unknown keys pass. Validator tags were rejected for
//     their messages.
//   - The walk checks shape (what one value tells), the lints meaning (what several values, or files, tell). The
//     JSON Schema is made from the same tags and refuses exactly the faults of shape; testdata holds both to it.
//   - A fault is reported once: what follows from a value that was refused is not reported again. Where a file
//     cannot be read at all, references to it are not checked.
//   - An alias is a copy of what its anchor names, made while the file is read, so that each use has problems and
//     variables of its own; messages name both places. How much aliases may add is bounded by a count of values.
//   - Variables are replaced in the decoded scalars, not in the text of the file: what a variable holds can
//     never become YAML.
//   - Positions are found by the address of the decoded field (walker.positions), so that no lint spells a key to
//     find its place. The structs are not moved until the lints are done.
//   - Matching is compiled once: ids in a map, patterns told apart, tag names numbered; 100,000 VMs against 200
//     rules take a quarter of a second.
//   - Messages treat every text of a file, and its name, as untrusted.
package config

//go:generate go run gen_timezones.go
//go:generate go test -run MadeFromTheStructs -update
