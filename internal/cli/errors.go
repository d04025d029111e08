package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// commandError is an error with an exit code of its own, or with advice for the operator.
type commandError struct {
	error
	code   int // 0 = exitError
	advice []string
}

func (f *commandError) Unwrap() error { return f.error }

// withHint adds advice to err.
func withHint(err error, hints ...string) error { return &commandError{error: err, advice: hints} }

// withCode makes err end the command with code.
func withCode(code int, err error, hints ...string) error {
	return &commandError{error: err, code: code, advice: hints}
}

// usageError returns the error of a wrong command line.
func usageError(format string, args ...any) error {
	return withHint(fmt.Errorf(format, args...), "azbackup help: the commands; azbackup COMMAND --help: its flags")
}

// reportError prints why a command ended early, each of several errors by itself, and sets the exit condition that
// follows from it. An interrupt is the cause of all but the files that could not be written, and of what has a code of its own: a
// plan that was refused stays refused, whoever cuts what comes after.
func (a *app) reportError(ctx context.Context, err error) {
	isInterrupted := errors.Is(context.Cause(ctx), errInterrupted)
	if isInterrupted {
		a.exitConditions[exitInterrupted] = true
		a.log.Error("interrupted")
	} else {
		a.exitConditions[exitCodeOf(err)] = true
	}
	for _, err := range joined(err) {
		if isInterrupted && !isOfFile(err) && !hasOwnCode(err) {
			continue
		}
		if load, ok := errors.AsType[*config.LoadError](err); ok {
			a.reportConfigError(load)
			continue
		}
		a.log.Error(oneLine(err.Error())+describeAttempts(err), hintArgs(hintsOf(err))...)
	}
}

// joined returns the errors that [errors.Join] made err of, or err alone.
func joined(err error) []error {
	// An error that wraps several has a text of its own.
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	var texts []string
	for _, e := range several.Unwrap() {
		all, texts = append(all, joined(e)...), append(texts, e.Error())
	}
	if strings.Join(texts, "\n") != err.Error() { // it was made by fmt.Errorf
		return []error{err}
	}
	return all
}

func hasOwnCode(err error) bool {
	f, ok := errors.AsType[*commandError](err)
	return ok && f.code != 0
}

// isOfFile reports whether an error is that of a file.
func isOfFile(err error) bool {
	_, ofPath := errors.AsType[*fs.PathError](err)
	_, ofLink := errors.AsType[*os.LinkError](err)
	return ofPath || ofLink
}

// describeAttempts lists the credentials that failed, where there were several, one per line.
func describeAttempts(err error) string {
	var lines strings.Builder
	if e, ok := errors.AsType[*arm.SignInError](err); ok && len(e.Attempts) > 1 {
		for _, attempt := range e.Attempts {
			lines.WriteString("\n  " + oneLine(attempt))
		}
	}
	return lines.String()
}

// reportConfigError prints all problems of the config, or of the file of prices, each with file:line:col.
func (a *app) reportConfigError(err *config.LoadError) {
	for _, p := range err.Problems {
		a.log.Error(p.Message, problemKey, p)
	}
	what := "1 problem"
	if n := len(err.Problems); n != 1 {
		what = fmt.Sprintf("%d problems", n)
	}
	var hints []string
	if errors.Is(err, fs.ErrNotExist) && err.Subject == "the config" {
		hints = []string{"-f names the file; azbackup init writes a first one; points, restore, export and snapshot need none with --subscription"}
	}
	a.log.Error(err.Subject+" has "+what, hintArgs(hints)...)
}

// exitCodeOf returns the exit code of an error; of several, that of the first in the table.
func exitCodeOf(err error) int {
	if all := joined(err); len(all) > 1 {
		conditions := exitConditions{}
		for _, e := range all {
			conditions[exitCodeOf(e)] = true
		}
		return conditions.code()
	}
	if f, ok := errors.AsType[*commandError](err); ok && f.code != 0 {
		return f.code
	}
	if _, ok := errors.AsType[*arm.SignInError](err); ok {
		return exitDenied
	}
	if e, ok := errors.AsType[*apply.Error](err); ok && (e.Status == 401 || e.Status == 403) {
		return exitDenied
	}
	return exitError
}

// hintsOf returns an error's own advice, and the advice for its code.
func hintsOf(err error) []string {
	var hints []string
	if f, ok := errors.AsType[*commandError](err); ok {
		hints = append(hints, f.advice...)
	}
	if e, ok := errors.AsType[*apply.Error](err); ok && apply.HintFor(e.Code) != "" {
		return append(hints, apply.HintFor(e.Code), "azbackup help errors: what "+report.Line(e.Code)+" means, and what azbackup does about it")
	}
	if _, ok := errors.AsType[*arm.SignInError](err); ok {
		hints = append(hints, "az login signs in on a workstation; on a server use a managed identity or the AZURE_… variables of azidentity")
		if !strings.Contains(err.Error(), "AZURE_TOKEN_CREDENTIALS") {
			hints = append(hints, "AZURE_TOKEN_CREDENTIALS chooses what is tried: "+strings.Join(arm.CredentialChoices(), ", "))
		}
	}
	if isFault(err) {
		hints = append(hints, "this is a fault of azbackup: please report it, with what is said above")
	}
	return hints
}

// isFault reports whether an error can only come from a fault of this program.
func isFault(err error) bool {
	_, invalid := errors.AsType[*plan.InvalidError](err)
	_, internal := errors.AsType[*apply.InternalError](err)
	return invalid || internal
}

// oneLine returns a text as one line that is safe to print.
func oneLine(s string) string { return report.Line(strings.Join(strings.Fields(s), " ")) }
