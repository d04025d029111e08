package cli

// The exit codes. Scripts may rely on them; [exitCodes] has their meaning.
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

// exitHelp is a row of the table of exit codes.
type exitHelp struct {
	code  int
	means string
}

// exitCodes returns the table of exit codes, in order of precedence: the process ends with the first code whose condition
// holds.
func exitCodes() []exitHelp {
	return []exitHelp{
		{exitInterrupted, "interrupted by Ctrl-C, SIGTERM or a closed terminal"},
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

// knownExitCode returns code where the table has it, else [exitError].
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
