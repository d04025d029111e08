package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/internal/telemetry"
)

// Main runs the command line args and returns the exit code (docs/design.md §7); it does not end the process. Several
// calls may run at the same time, each with streams of its own.
func Main(ctx context.Context, args []string, s Streams) int {
	ctx, stop := newInterrupts(ctx, s.Signals, s.Err)
	defer stop.end()
	a := &app{Streams: s, interrupts: stop, exitConditions: exitConditions{}, terminal: s.Err, stdout: &resultWriter{w: s.Out, isTerminal: s.OutTerminal}, stderr: &stderr{w: s.Err}}
	a.In, a.Out, a.Err = &stdin{ctx, s.In}, a.stdout, a.stderr
	// Until the flags are parsed: errors for people.
	a.log, _ = newLogger(a.Err, "text", false, false)
	root := a.root() //nolint:contextcheck // cobra hands the context to the commands
	root.SetArgs(args)
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		unquoteUsage(root)
	}
	if err := root.ExecuteContext(ctx); err != nil {
		a.reportError(ctx, err)
	}
	if err := a.stdout.writeError(); err != nil {
		a.exitConditions[exitError] = true
		a.log.Error(oneLine(err.Error()))
	}
	code := a.exitConditions.code()
	a.telemetry.End(ctx, code)
	return code
}

// app is one run of the program.
type app struct {
	Streams
	// terminal is stderr itself, on which bars are drawn. All other output goes to Err, which puts lines above the bars.
	terminal       io.Writer
	stdout         *resultWriter
	stderr         *stderr
	log            *slog.Logger
	interrupts     *interrupts
	exitConditions exitConditions
	answers        *bufio.Reader // reads In; nil until something is asked
	approvedAt     time.Time     // when the operator approved the plan; zero = no prompt

	telemetry *telemetry.Run // nil = no telemetry is sent

	verbose   bool
	noColor   bool
	logFormat string
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "azbackup",
		Short:         "Keeps Azure VM backup the way one YAML file says",
		Args:          unknownCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkEmptyFlags(cmd.Flags()); err != nil {
				return err
			}
			log, err := newLogger(a.Err, a.logFormat, a.verbose, a.hasColor(a.ErrTerminal))
			if err == nil {
				a.log = log
			}
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError("%w", err) })
	flags := root.PersistentFlags()
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "show more: each field before and after, where a change comes from")
	flags.BoolVar(&a.noColor, "no-color", false, "no colours (NO_COLOR does the same)")
	flags.StringVar(&a.logFormat, "log-format", "text", "`FORMAT` of what goes to stderr: text or json")
	root.AddCommand(a.initCommand(), a.validateCommand(), a.planCommand(), a.applyCommand(), a.auditCommand(),
		a.backupCommand(), a.pointsCommand(), a.restoreCommand(), a.restoreTestCommand(), a.explainCommand(), a.exportCommand(), a.reportCommand(), a.snapshotCommand(), a.simulateCommand(), a.schemaCommand(), a.versionCommand(), a.manCommand())
	root.AddCommand(a.topics()...)
	a.addCompletionCommands(root)
	registerCompletions(root, a.Env)
	return root
}

// hasColor reports whether output to a stream has colours; terminal reports whether the stream is one.
func (a *app) hasColor(terminal bool) bool {
	if no, ok := a.Env("NO_COLOR"); ok && no != "" || a.noColor {
		return false
	}
	return terminal && !a.isDumb()
}

// isDumb reports whether the terminal takes lines and nothing else.
func (a *app) isDumb() bool {
	term, _ := a.Env("TERM")
	return term == "dumb"
}

// styleFor returns the style of a result: with colours and a width on the terminal, plain in files.
func (a *app) styleFor(w io.Writer, all bool) report.Style {
	s := report.Style{Verbose: a.verbose, All: all}
	if w == a.Out && a.OutTerminal {
		s.Color, s.Width = a.hasColor(true), a.Width
	}
	return s
}

// errStyle returns the style of what is shown on stderr.
func (a *app) errStyle() report.Style {
	s := report.Style{Verbose: a.verbose}
	if a.ErrTerminal {
		s.Color, s.Width = a.hasColor(true), a.Width
	}
	return s
}

// withUsageError returns check with its errors as usage errors.
func withUsageError(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError("%s: %w", cmd.CommandPath(), err)
		}
		return nil
	}
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	what := fmt.Errorf("there is no command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return withHint(what, "did you mean "+strings.Join(near, " or ")+"?")
	}
	return usageError("%w", what)
}
