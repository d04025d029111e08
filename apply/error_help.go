package apply

import (
	"cmp"
	"fmt"
	"strings"
)

// CodeHelp explains error codes with one meaning (docs/azure.md §14). Its texts are clauses without a full stop.
type CodeHelp struct {
	Codes []string
	Means string // what Azure means by them
	Does  string // what the engine does when a write is answered with one
	Hint  string // what to do
}

// Codes returns the help for all known error codes, in the order of the table.
func Codes() []CodeHelp {
	var all []CodeHelp
	for _, row := range knownErrors() {
		all = append(all, CodeHelp{row.codes, row.means, row.policy.does(), row.policy.hint})
	}
	return all
}

// StatusHelp explains what the engine does about an answer whose code has no row.
type StatusHelp struct {
	Status int // of HTTP
	Does   string
	Hint   string
}

// Statuses returns the help for answers whose code has no row, by each HTTP status that the engine treats differently.
func Statuses() []StatusHelp {
	var all []StatusHelp
	for _, status := range []int{
		statusBadRequest, statusUnauthorized, statusForbidden, statusNotFound, statusRequestTimeout, statusConflict, statusLocked, statusTooManyRequests, statusServerError,
	} {
		r := policyForStatus(status)
		all = append(all, StatusHelp{status, r.does(), cmp.Or(r.hint, "the message says why")})
	}
	return all
}

// HintFor returns what to do about a code, or "". A known code with a suffix, such as V2, counts as that code.
func HintFor(code string) string {
	_, hint := findHelp(code)
	return hint
}

// KnownCode returns the longest code of the table that code begins with, or "".
func KnownCode(code string) string {
	known, _ := findHelp(code)
	return known
}

// HelpURL returns the address of the section that explains a code, or "". The address does not change between releases,
// and holds the code of the table, never text of an answer.
func HelpURL(code string) string {
	known := KnownCode(code)
	if known == "" {
		return ""
	}
	return "https://github.com/azbackup/azbackup/blob/main/docs/errors.md#" + strings.ToLower(known)
}

// findHelp returns the longest known code that code begins with, and its hint.
func findHelp(code string) (known, hint string) {
	for _, row := range knownErrors() {
		for _, c := range row.codes {
			if strings.HasPrefix(code, c) && len(c) > len(known) {
				known, hint = c, row.policy.hint
			}
		}
	}
	return known, hint
}

// does returns what the engine does about a write that is answered with an error of this policy, in words.
func (r errorPolicy) does() string {
	again := fmt.Sprintf("; it waits %s or as long as Azure says, then longer each time", r.wait)
	switch {
	case r.class == transient && r.tries == 0:
		return "sends the write again until the change's deadline" + again
	case r.class == transient && r.tries == 1:
		return fmt.Sprintf("sends the write once more, after %s, then the change fails alone", r.wait)
	case r.class == transient:
		return fmt.Sprintf("sends the write again, %d times at most%s", r.tries, again)
	case r.class == conflict && r.tries == 0:
		return "waits until that has ended and sends the write again, until the change's deadline"
	case r.class == conflict:
		return fmt.Sprintf("waits and sends the write again, %d times at most", r.tries)
	case r.class == needsRefresh:
		return "refreshes the vault's list of machines once, where a machine is to be protected, and sends the write once more"
	default:
		return "lets this change fail, and goes on with the others"
	}
}
