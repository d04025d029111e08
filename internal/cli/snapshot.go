package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// scopeFlags select what to read: a config's scope, or subscriptions without one.
type scopeFlags struct {
	configFlags
	subscriptions []string
	shard         config.Shard // set by the commands that take --shard
	known         []string     // subscriptions of an earlier run, set by the commands that take --baseline
}

func (f *scopeFlags) addFlags(cmd *cobra.Command) {
	f.configFlags.addFlags(cmd)
	cmd.Flags().StringArrayVar(&f.subscriptions, "subscription", nil, "look at this subscription `ID`, with or without a config; may be repeated")
}

// load reads the config. Where the command line names subscriptions and no file, it returns a config without rules.
func (f *scopeFlags) load(a *app) (*config.Config, error) {
	if len(f.files) == 0 && len(f.subscriptions) > 0 {
		return &config.Config{Cloud: config.Cloud{Name: arm.AzurePublic}, Settings: config.DefaultSettings()}, nil
	}
	return a.loadConfig(f.configFlags)
}

// resolve returns the scope of the config and of --subscription together, and the config with the subscriptions that
// its query found.
func (f *scopeFlags) resolve(ctx context.Context, a *app, s *session, c *config.Config) (*config.Config, plan.Scope, error) {
	var scope plan.Scope
	if len(c.Files) > 0 {
		var err error
		if c, scope, err = a.findScope(ctx, s, c, f.known...); err != nil {
			return nil, scope, err
		}
	}
	for _, id := range f.subscriptions {
		if f.shard.Has(id) && !slices.ContainsFunc(scope.Subscriptions, func(s string) bool { return strings.EqualFold(s, id) }) {
			scope.Subscriptions = append(scope.Subscriptions, strings.ToLower(id))
		}
	}
	scope.Names = scope.Names || len(f.subscriptions) > 1 || len(scope.Subscriptions) > 1
	return c, scope, nil
}

// connectScope returns the config and the scope that f selects, and a connection to their Azure, which the caller closes.
func (a *app) connectScope(ctx context.Context, command azure.Command, f scopeFlags, at azureFlags) (*config.Config, plan.Scope, *session, error) {
	c, err := f.load(a)
	if err != nil {
		return nil, plan.Scope{}, nil, err
	}
	c = c.WithShard(f.shard)
	s, err := a.connect(ctx, command, at, c.Cloud, c.Tenant, c.Settings.AuxiliaryTenants...)
	if err != nil {
		return nil, plan.Scope{}, nil, err
	}
	c, scope, err := f.resolve(ctx, a, s, c)
	if err != nil {
		return nil, scope, nil, errors.Join(err, s.close())
	}
	return c, scope, s, nil
}

type snapshotFlags struct {
	scopeFlags
	azureFlags
	out string
}

func (a *app) snapshotCommand() *cobra.Command {
	var f snapshotFlags
	cmd := &cobra.Command{
		Use:   "snapshot",
		Short: "Save the estate as it is read, for plans without credentials and for rehearsals",
		Long: "Writes what a plan and an audit read, as Azure answered it, into one JSON file: --simulate FILE then plans over it, and\n" +
			"azbackup simulate serves it. The file holds names, tags and ids, and no secrets. Sends nothing but reads.",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.snapshot(cmd.Context(), f) },
	}
	f.scopeFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "write to `FILE` instead of stdout; - is stdout")
	return cmd
}

func (a *app) snapshot(ctx context.Context, f snapshotFlags) (err error) {
	c, scope, s, err := a.connectScope(ctx, azure.CommandSnapshot, f.scopeFlags, f.azureFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	write := func(w io.Writer) error {
		wants := func(o plan.Observed) plan.Questions {
			_, wanted := plan.MakeWithQuestions(c, o, plan.Options{Now: s.Now()})
			for i := range wanted.Tests {
				wanted.Tests[i].Failed = true // an audit of the snapshot shows why a test failed
			}
			return wanted
		}
		gaps, err := s.Snapshot(ctx, scope, wants, w)
		a.warnOfClockSkew(s)
		a.exitConditions[exitIncomplete] = len(gaps) > 0
		a.recordGaps(gaps)
		a.warnOfGaps(gaps, "the estate says so too")
		return err
	}
	if f.out == "" || f.out == stdoutName {
		return write(a.Out)
	}
	if err := writeFile(f.out, write); err != nil {
		return err
	}
	a.log.Info("estate written to "+report.Line(f.out)+": "+report.FormatCount(sum(s.Requests()), "request"), "file", f.out, "requests", s.Requests())
	return nil
}
