package cli

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/report"
)

// Main runs the command line args and returns the exit code.
func Main(ctx context.Context, args []string, s Streams) int {
	ctx, stop := newInterrupts(ctx, s.Signals)
	defer stop.cancel(nil)
	a := &app{Streams: s, interrupts: stop, verdict: verdict{}, stderr: &stderr{w: s.Err}}
	a.Err = a.stderr
	// Until the flags are read: errors for people.
	a.log, _ = newLogger(a.Err, "text", false, false)
	root := a.root()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		a.fail(ctx, err)
	}
	return a.verdict.code()
}

// app is one run of the program.
type app struct {
	Streams
	stderr     *stderr
	log        *slog.Logger
	interrupts *interrupts
	verdict    verdict

	verbose   bool
	noColor   bool
	logFormat string
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "azbackup",
		Short:         "Keeps Azure VM backup the way one YAML file says",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) (err error) {
			a.log, err = newLogger(a.Err, a.logFormat, a.verbose, a.color(a.ErrTerminal))
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%w", err) })
	flags := root.PersistentFlags()
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "show more: each field before and after, where a change comes from")
	flags.BoolVar(&a.noColor, "no-color", false, "no colours (NO_COLOR does the same)")
	flags.StringVar(&a.logFormat, "log-format", "text", "`format` of what goes to stderr: text or json")
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(a.validateCommand(), a.versionCommand())
	root.AddCommand(a.topics()...)
	return root
}

// color says whether a stream that is, or is not, a terminal gets colours.
func (a *app) color(terminal bool) bool {
	if no, ok := a.Env("NO_COLOR"); ok && no != "" || a.noColor {
		return false
	}
	term, _ := a.Env("TERM")
	return terminal && term != "dumb"
}

// style is how results are laid out on stdout.
func (a *app) style(all bool) report.Style {
	s := report.Style{Color: a.color(a.OutTerminal), Verbose: a.verbose, All: all}
	if a.OutTerminal {
		s.Width = a.Width
	}
	return s
}
