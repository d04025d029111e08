package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/plan"
)

// planFlagSet holds the flags that determine a plan, of plan and apply alike.
type planFlagSet struct {
	only, skip   []string
	liftedGuards map[string]*bool // by flag, with its dashes
}

func (f *planFlagSet) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.only, "only", nil,
		"plan for `rule=NAME|vault=NAME|group=GLOB|vm=GLOB|restore-tests` only; may be repeated (never plans unmatched stops)")
	cmd.Flags().StringArrayVar(&f.skip, "skip", nil, "leave `restore-tests` out")
	f.liftedGuards = map[string]*bool{}
	for _, g := range plan.Guards() {
		f.liftedGuards[g.Flag] = cmd.Flags().Bool(strings.TrimLeft(g.Flag, "-"), false, g.Help)
	}
}

// options returns the options of the plan that --only and --skip ask for.
func (f *planFlagSet) options() (plan.Options, error) {
	var o plan.Options
	var err error
	if o.Filters, err = parseTargets(f.only); err != nil {
		return o, err
	}
	for _, s := range f.skip {
		if s != string(plan.FilterTests) {
			return o, usageError("--skip: %q is not %s", s, plan.FilterTests)
		}
		o.SkipTests = true
	}
	if o.SkipTests && slices.ContainsFunc(o.Filters, func(one plan.TargetFilter) bool { return one.Key == plan.FilterTests }) {
		return o, usageError("--only %s and --skip %[1]s leave nothing", plan.FilterTests)
	}
	return o, nil
}

// parseTargets parses --only.
func parseTargets(only []string) ([]plan.TargetFilter, error) {
	var all []plan.TargetFilter
	for _, s := range only {
		one, err := plan.ParseTargetFilter(s)
		if err != nil {
			return nil, usageError("--only: %w", err)
		}
		all = append(all, one)
	}
	return all, nil
}

// applyGuards returns p judged by the flags that lift guards ([plan.Judge]).
func (f *planFlagSet) applyGuards(p plan.Plan) plan.Plan {
	lifted := map[string]bool{}
	for flag, on := range f.liftedGuards {
		lifted[flag] = *on
	}
	return plan.Judge(p, lifted)
}
