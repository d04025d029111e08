// Package cli is the command line: commands, flags, exit codes, and the wiring of the other packages.
//
// [Main] takes its environment as a value ([Streams]) and returns the exit code. stdout carries the result of
// a command and nothing else; everything else goes to stderr. Errors read
//
//	error: what, where
//	hint:  what to do
//
// in lower case, and an Azure error shows its code, its message and its request id. A text from Azure, from
// YAML or from a plan file is untrusted: it passes [report.Line] before it is written.
//
// One file per command; code that several share is in files named for it (connect.go, output_flags.go, lock.go).
// The exit codes and their order of precedence are one table, exit.go, which `azbackup help exit-codes`
// prints and the script tests check.
//
// A first Ctrl-C (or SIGTERM, or SIGHUP) while changes run stops admission and waits for running changes, up to
// --grace; a second one, or the first one at any other time, ends the command at once.
//
// Rejected: viper (flags and one YAML file are enough), package-level commands (a test could not run two at a
// time), a --dry-run flag (plan is the dry run).
//
// # Reading order
//
//	the program around its commands    root.go, streams.go, exit.go, errors.go, log.go, interrupt.go
//	flags that several commands take   flags.go, output_flags.go, plan_flags.go, shard_flag.go
//	the road of a run, step by step    pipeline.go, scope.go, connect.go, read.go, read_subscriptions.go, approve.go,
//	                                   saved.go, lock.go, engine.go
//	what is seen of a run              progress.go, bars.go, waits.go, records.go, event_log.go, notify.go, notify_run.go
//	the commands, one file each        plan.go, apply.go, audit.go, explain.go, export.go, init.go, init_role.go, snapshot.go,
//	                                   validate.go, schema.go, version.go
//	backups and restores of named VMs  points.go, backup.go, backup_wait.go, named_vms.go, restore.go, restore_request.go,
//	                                   restored.go
//	restore tests                      restore_tests_command.go, restore_tests_clean_up.go
//	results of shards become one       report_merge.go, shard_files.go, shard_failure.go
//	a simulated Azure that listens     simulate.go, simulate_stats.go, tls.go
//	help                               topics.go, topic_pages.go, permissions.go, man.go, completion.go, completion_install.go
package cli
