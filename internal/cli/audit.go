package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

type auditFlags struct {
	scopeFlags
	azureFlags
	outputFlags
	notifyFlags
	shardFlag
	failOn       string
	maxAge       durationFlag
	tolerance    durationFlag
	minRetention durationFlag
	baseline     string
	asOf         string
	source       string
	all          bool
}

// The values of --source.
const (
	sourceARM   = "arm"
	sourceGraph = "resource-graph"
)

// failNever is the value of --fail-on at which no finding counts as a failure.
const failNever = "never"

func (a *app) auditCommand() *cobra.Command {
	f := auditFlags{tolerance: durationFlag(audit.DefaultTolerance)}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show which machines have no usable backup",
		Long: "Reads every vault of the subscriptions and says where each machine stands: protected, stale, stopped, without any\n" +
			"backup, and so on. Needs no config: --subscription names what to look at. Sends nothing but reads.\n\n" +
			"Exit codes: 0 nothing at or above --fail-on; 2 findings; 5 something could not be read, also with findings;\n" +
			"4 not signed in. See azbackup help findings and azbackup help exit-codes.",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.audit(cmd.Context(), f) },
	}
	f.scopeFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.shardFlag.addFlags(cmd)
	f.outputFlags.addFlags(cmd, report.AuditFormats())
	f.notifyFlags.addFlags(cmd, "where there are new findings (see --baseline)")
	flags := cmd.Flags()
	flags.StringVar(&f.failOn, "fail-on", string(audit.High), "exit with 2 when a finding has this `SEVERITY` or a worse one: "+severityNames()+" or "+failNever)
	flags.Var(&f.maxAge, "max-age", "a recovery point older than this is stale (default: the longest pause of its policy, and the tolerance)")
	flags.Var(&f.tolerance, "tolerance", "how much later than its policy says a recovery point may be")
	flags.Var(&f.minRetention, "min-retention", "report policies in use that keep daily or weekly recovery points for less, such as 30d")
	flags.StringVar(&f.baseline, "baseline", "", "compare with the JSON of an earlier audit in `FILE`")
	flags.StringVar(&f.asOf, "as-of", "", "judge ages as of this `TIME` (RFC 3339), for a snapshot taken then")
	flags.StringVar(&f.source, "source", sourceARM, "where the `LIST` of machines comes from: "+sourceARM+", or "+sourceGraph+" for hundreds of subscriptions (up to 30 hours old)")
	flags.BoolVar(&f.all, "all", false, "list every machine too, not only findings")
	return cmd
}

func severityNames() string {
	var words []string
	for _, s := range audit.Severities() {
		words = append(words, string(s))
	}
	return strings.Join(words, ", ")
}

func (a *app) audit(ctx context.Context, f auditFlags) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	if err := f.checkApart(append(f.paths(), f.simulate)...); err != nil {
		return err
	}
	if f.shard, err = f.shardFlag.parse(a.Env); err != nil {
		return err
	}
	hasResult := false
	defer func() {
		if !hasResult {
			err = a.recordFailure(ctx, f.outputFlags, kindAudit, f.shard, err)
		}
	}()
	opt, err := f.auditOptions()
	if err != nil {
		return err
	}
	hook, err := f.notifyFlags.parse()
	if err != nil {
		return err
	}
	if !f.shard.IsAll() {
		opt.Shard = &f.shard
		opt.Subscriptions = slices.DeleteFunc(slices.Clone(opt.Subscriptions), func(id string) bool { return !f.shard.Has(id) })
	}
	c, scope, s, err := a.connectScope(ctx, azure.CommandAudit, f.scopeFlags, f.azureFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	// Every vault of the subscriptions is read, so that a VM that a vault outside the file protects is not unprotected.
	scope.Graph = f.source == sourceGraph
	scope.AllVaults, scope.Hidden, scope.Protectable, scope.Guards, scope.BackupJobsSince = true, true, false, false, 0
	began := a.Now()
	observed, err := a.observe(ctx, s, scope)
	if err != nil {
		return err
	}
	// Subscriptions of other shards were listed as well.
	observed.Subscriptions = slices.DeleteFunc(observed.Subscriptions, func(s plan.Subscription) bool { return !f.shard.Has(s.ID) })
	if len(c.Files) == 0 {
		c = nil // without a file nothing is compared with rules
	}
	if observed, err = readRestoreTests(ctx, s, c, observed, opt.Now); err != nil {
		return err
	}
	if f.asOf == "" {
		opt.Now, opt.ReadSince = s.Now(), s.ServiceTime(began)
	}
	if opt.Made, err = a.auditProvenance(ctx, s); err != nil {
		return err
	}
	if c != nil {
		opt.Made.Config = plan.ConfigHash(c)
	}
	opt.Made.Subscriptions = sortedFold(f.subscriptions)
	if scope.Graph {
		opt.ListLag = audit.GraphLag
		opt.Made.Source = "machines listed by Resource Graph, which may be up to 30 hours behind"
	}
	result := audit.Assess(c, observed, opt)
	hasResult = true
	a.setAuditConditions(result)
	if n := auditNotification(result); n != nil {
		defer func() {
			n.ExitCode = a.currentExitCode(ctx, err)
			a.notify(ctx, hook, *n)
		}()
	}
	return f.write(a.Out, func(w io.Writer, format string) error {
		return report.WriteAudit(w, format, result, a.styleFor(w, f.all))
	})
}

// setAuditConditions sets the exit conditions that follow from an audit.
func (a *app) setAuditConditions(r audit.Result) {
	a.exitConditions[exitIncomplete] = r.IsIncomplete()
	a.exitConditions[exitChanges] = len(r.FailingFindings()) > 0
}

// readRestoreTests reads the jobs that show which VMs a restore has proven, as of a time (zero = now); where the file
// has no restore tests it reads nothing.
func readRestoreTests(ctx context.Context, s *session, c *config.Config, o plan.Observed, at time.Time) (plan.Observed, error) {
	if c == nil || len(c.RestoreTests) == 0 {
		return o, nil
	}
	if at.IsZero() {
		at = s.Now()
	}
	_, wanted := plan.AssessTests(c, o, at)
	return s.ReadDetails(ctx, o, plan.Questions{Tests: wanted})
}

// auditOptions parses the flags and reads the baseline. It is called before any output is written, because --output may
// name the file of the baseline.
func (f *auditFlags) auditOptions() (audit.Options, error) {
	opt := audit.Options{
		FailOn: audit.Severity(f.failOn), MaxAge: time.Duration(f.maxAge), MinRetention: time.Duration(f.minRetention),
		Tolerance: max(time.Duration(f.tolerance), 1), Subscriptions: f.subscriptions, // 0 would stand for the default
	}
	if f.failOn == failNever {
		opt.FailOn = ""
	} else if !slices.Contains(audit.Severities(), opt.FailOn) {
		return opt, usageError("--fail-on %q is not one of %s or %s", f.failOn, severityNames(), failNever)
	}
	if f.source != sourceARM && f.source != sourceGraph {
		return opt, usageError("--source %q is not %s or %s", f.source, sourceARM, sourceGraph)
	}
	if f.asOf != "" {
		t, err := time.Parse(time.RFC3339, f.asOf)
		if err != nil {
			return opt, usageError("--as-of %q is not a time like 2026-11-24T06:00:00Z", f.asOf)
		}
		opt.Now = t
	}
	if f.baseline != "" {
		before, err := readBaseline(f.baseline)
		if err != nil {
			return opt, fmt.Errorf("reading baseline %q: %w", f.baseline, err)
		}
		opt.Baseline = &before
		for _, s := range before.Scope.Subscriptions {
			f.known = append(f.known, s.ID)
		}
	}
	return opt, nil
}

func readBaseline(path string) (audit.Result, error) {
	file, err := os.Open(path)
	if err != nil {
		return audit.Result{}, err
	}
	defer file.Close()
	return audit.Read(file)
}

// sortedFold returns ids in lower case and in order, each once.
func sortedFold(ids []string) []string {
	var all []string
	for _, id := range ids {
		all = append(all, strings.ToLower(id))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// auditProvenance returns who makes the audit, in which cloud and tenant, and with which version.
func (a *app) auditProvenance(ctx context.Context, s *session) (audit.Provenance, error) {
	if s.simulated != nil {
		return audit.Provenance{By: "nobody", Cloud: "simulated", Version: a.Version}, nil
	}
	who, err := s.WhoAmI(ctx)
	if err != nil {
		return audit.Provenance{}, err
	}
	return audit.Provenance{
		By: strings.TrimSpace(cmp.Or(who.Name, who.ObjectID) + " (" + who.Kind + ")"), Cloud: who.Cloud, Tenant: who.Tenant, Version: a.Version,
	}, nil
}

// findingsTopic returns the page of `azbackup help findings`.
func findingsTopic() string {
	var b strings.Builder
	b.WriteString("What azbackup audit can find. A code keeps its meaning for ever.\n")
	for _, h := range audit.Codes() {
		fmt.Fprintf(&b, "\n%s  %s  (%s)\n  %s\n  What to do: %s.\n", h.Code, h.Title, h.Severity, h.Means, h.Hint)
		if len(h.Controls) > 0 {
			fmt.Fprintf(&b, "  Evidence for %s.\n", strings.Join(h.Controls, ", "))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
