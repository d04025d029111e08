package cli

// The exit codes. A script may rely on them; a code that is not listed is a failure.
const (
	exitOK          = 0
	exitError       = 1
	exitChanges     = 2
	exitUnfinished  = 3
	exitDenied      = 4
	exitIncomplete  = 5
	exitRefused     = 6
	exitLocked      = 7
	exitInterrupted = 130
)

// exitHelp is a line of the table.
type exitHelp struct {
	code  int
	means string
}

// exitCodes returns the table, in order of precedence: the first code whose condition holds ends the process.
func exitCodes() []exitHelp {
	return []exitHelp{
		{exitInterrupted, "interrupted by Ctrl-C or SIGTERM"},
		{exitDenied, "not signed in, in another tenant, or allowed nothing at all"},
		{exitError, "error: the config, the command line, a file, or nothing usable came back"},
		{exitLocked, "another run holds the lock of this config"},
		{exitRefused, "refused by a guard, or not the plan that was approved: another fingerprint, or nothing of a saved plan can be done any more"},
		{exitIncomplete, "something could not be read"},
		{exitUnfinished, "something failed, was changed meanwhile, timed out, is unconfirmed, blocked or not started (apply, backup, restore)"},
		{exitChanges, "changes to make (plan, and apply of a saved plan, with --detailed-exitcode), findings (audit)"},
		{exitOK, "all is well"},
	}
}

// knownExitCode returns a code of the table: one that is not in it is a failure.
func knownExitCode(code int) int {
	for _, c := range exitCodes() {
		if c.code == code {
			return code
		}
	}
	return exitError
}

// exitConditions collects the conditions that hold at the end of a command.
type exitConditions map[int]bool

// code returns the first code of the table whose condition holds.
func (v exitConditions) code() int {
	for _, c := range exitCodes() {
		if v[c.code] {
			return c.code
		}
	}
	return exitOK
}
