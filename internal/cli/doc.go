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
// A first Ctrl-C (or SIGTERM) while changes run stops admission and waits for running changes, up to
// --grace; a second one, or the first one at any other time, ends the command at once.
//
// Rejected: viper (flags and one YAML file are enough), package-level commands (a test could not run two at a
// time), a --dry-run flag (plan is the dry run).
package cli
