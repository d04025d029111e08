package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
)

// shardFailure is the JSON of a shard's plan or audit that ended without a result: [app.merge] says why there is none. An
// apply says it in its report.
type shardFailure struct {
	FormatVersion string       `json:"format_version"`
	Command       string       `json:"command"`
	Shard         config.Shard `json:"shard"`
	Ended         time.Time    `json:"ended"`
	Error         string       `json:"error"`
	Hints         []string     `json:"hints,omitempty"`
	ExitCode      int          `json:"exit_code"`
}

// recordFailure writes why a shard ended without a result where its result would have been, and returns err with what went
// wrong in that. It does nothing without an error, and for a run of all subscriptions: what is there stays.
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
