package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
)

// completionIndex is the variable in which a Kubernetes Indexed Job gives each of its pods a number from 0.
const completionIndex = "JOB_COMPLETION_INDEX"

// autoShard is the index in --shard for which the environment has the number ([completionIndex]).
const autoShard = "auto"

// shardFlag selects a part of the subscriptions.
type shardFlag struct{ text string }

func (f *shardFlag) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.text, "shard", "",
		"work on part `I/N` of the subscriptions only, I from 1 to N; "+autoShard+"/N takes I from "+completionIndex+", which counts from 0")
}

// parse returns the shard of the flag; without the flag, the shard that has all subscriptions.
func (f *shardFlag) parse(env func(string) (string, bool)) (config.Shard, error) {
	if f.text == "" {
		return config.Shard{}, nil
	}
	const hint = "--shard 2/4 is the second of four parts; --shard " + autoShard + "/4 in a Kubernetes Indexed Job with four completions"
	text, what := f.text, fmt.Sprintf("--shard %q", f.text)
	if count, isAuto := strings.CutPrefix(text, autoShard+"/"); isAuto {
		value, set := env(completionIndex)
		index, err := strconv.Atoi(value)
		switch {
		case !set:
			return config.Shard{}, withHint(fmt.Errorf("%s: %s is not set", what, completionIndex), hint)
		case err != nil || index < 0 || index == math.MaxInt:
			return config.Shard{}, withHint(fmt.Errorf("%s: %s is %q, which is no number from 0", what, completionIndex, value), hint)
		}
		text = strconv.Itoa(index+1) + "/" + count
		what += fmt.Sprintf(" with %s %d", completionIndex, index)
	}
	shard, err := config.ParseShard(text)
	if err != nil {
		return shard, withHint(fmt.Errorf("%s: %w", what, err), hint)
	}
	return shard, nil
}
