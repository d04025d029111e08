package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
)

// shardFailure is the JSON that a plan or audit of a shard writes where it ends without a result, so that [app.merge]
// can say why. An apply has the reason in its report.
type shardFailure struct {
	FormatVersion string       `json:"format_version"`
	Command       string       `json:"command"`
	Shard         config.Shard `json:"shard"`
	Ended         time.Time    `json:"ended"`
	Error         string       `json:"error"`
	Hints         []string     `json:"hints,omitempty"`
	ExitCode      int          `json:"exit_code"`
}

// recordFailure writes why a shard ended without a result, in JSON, in place of the result, and returns err joined with
// the errors of writing. It does nothing where err is nil, nor for a run of all subscriptions, whose files stay as they
// are.
func (a *app) recordFailure(ctx context.Context, o outputFlags, kind resultKind, shard config.Shard, err error) error {
	if err == nil || shard.IsAll() {
		return err
	}
	failure := shardFailure{
		FormatVersion: "1", Command: string(kind), Shard: shard, Ended: a.Now().UTC(),
		Error: oneLine(err.Error()), Hints: hintsOf(err), ExitCode: a.currentExitCode(ctx, err),
	}
	return errors.Join(err, o.writeOnly([]string{"json"}, a.Out, func(w io.Writer, _ string) error {
		return report.WriteJSON(w, failure)
	}))
}
