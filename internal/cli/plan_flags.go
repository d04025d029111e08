package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/plan"
)

// planFlagSet are the flags that shape a plan, for plan and apply alike.
type planFlagSet struct {
	only         []string
	liftedGuards map[string]*bool // by flag, with its dashes
}

func (f *planFlagSet) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.only, "only", nil,
		"plan for `rule=NAME|vault=NAME|group=GLOB|vm=GLOB` only; may be repeated (never plans unmatched stops)")
	f.liftedGuards = map[string]*bool{}
	for _, g := range plan.Guards() {
		f.liftedGuards[g.Flag] = cmd.Flags().Bool(strings.TrimLeft(g.Flag, "-"), false, g.Help)
	}
}

// parse parses --only.
func (f *planFlagSet) parse() ([]plan.TargetFilter, error) {
	var all []plan.TargetFilter
	for _, s := range f.only {
		o, err := plan.ParseTargetFilter(s)
		if err != nil {
			return nil, usageError("--only: %w", err)
		}
		all = append(all, o)
	}
	return all, nil
}

// applyGuards drops from p the refusals that a flag lifts.
func (f *planFlagSet) applyGuards(p plan.Plan) plan.Plan {
	lifted := map[string]bool{}
	for flag, on := range f.liftedGuards {
		lifted[flag] = *on
	}
	p.Refusals = p.RemainingRefusals(lifted)
	return p
}
