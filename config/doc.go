// Package config is the desired state: the only room that knows YAML.
//
//	file ─► parse ─► nodes ─► variables ─► join ─► decode ─► Config ─► lint ─► matcher
//	        yaml.go  node.go  ${NAME}      files   shape     model.go  meaning  match.go
//
// Decisions:
//
//   - One decoder over nodes, driven by the struct tags of model.go. The YAML library's own decoder names Go types
//     in its messages, stops at the first struct, and lets unknown keys pass. Validator tags were rejected for
//     their messages.
//   - The decoder checks shape (what one value tells), the lints meaning (what several values, or files, tell). The
//     JSON Schema is made from the same tags and refuses exactly the faults of shape; testdata holds both to it.
//   - A fault is reported once: what follows from a value that was refused is not reported again. Where a file
//     cannot be read at all, references to it are not checked.
//   - An alias is a copy of what its anchor names, made while the file is read, so that each use has problems and
//     variables of its own; messages name both places. How much aliases may add is bounded by a count of values.
//   - Variables are replaced in the decoded scalars, not in the text of the file: what a variable holds can
//     never become YAML.
//   - Positions are found by the address of the decoded field (decoder.positions), so that no lint spells a key to
//     find its place. The structs are not moved until the lints are done.
//   - Matching is compiled once: ids in a map, patterns classified by form, tag names numbered; 100,000 VMs against 200
//     rules take a quarter of a second.
//   - Messages treat every text of a file, and its name, as untrusted.
//
// # Reading order
//
//	the format, as structs with tags                            model.go, restore_tests.go, defaults.go
//	a file, and what makes it unreadable                        load.go, encoding.go, syntax.go, flow_glob.go
//	YAML becomes nodes, with their places                       yaml.go, yaml_convert.go, node.go
//	${NAME}; several files become one                           variables.go, join.go
//	nodes become structs, strictly                              decode.go, struct_fields.go, union_types.go, value_formats.go
//	a message, its place, its code                              problem.go, escape.go, lint_codes.go
//	what several values mean together                           lint.go, lint_vaults.go, lint_policies.go, lint_retention.go,
//	                                                            lint_rules.go, lint_route.go, lint_restore_tests.go
//	whether one pattern covers another                          cover.go, glob.go
//	which rule a VM has, which vault it may go to               match.go, candidate_index.go, index.go, resolve.go,
//	                                                            vault_match.go
//	why a rule matches a VM, or does not                        explain.go, tag_case.go
//	the file for a part of the subscriptions                    subscriptions.go, shard.go
//	time zones by their Windows names                           timezone.go, zone_titles.go, gen_timezones.go
//	the file written back, its JSON Schema, the file of prices  encode.go, schema.go, prices.go
package config

//go:generate go run gen_timezones.go
//go:generate go test -run MadeFromTheStructs -update
