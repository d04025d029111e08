package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// resultKind names a kind of result, by the command that wrote it.
type resultKind string

const (
	kindPlan  resultKind = "plan"
	kindApply resultKind = "apply report"
	kindAudit resultKind = "audit"
)

// formats returns the formats that the command writes.
func (k resultKind) formats() []string {
	switch k {
	case kindPlan:
		return report.PlanFormats()
	case kindApply:
		return report.ApplyFormats()
	default:
		return report.AuditFormats()
	}
}

// shardFile is the result of one shard. By kind one of plan, run and audit is set; or failure, the reason why a plan or
// an audit has no result.
type shardFile struct {
	path    string
	kind    resultKind
	shard   config.Shard
	plan    plan.Plan
	run     report.Run
	audit   audit.Result
	failure *shardFailure
}

// readShardFiles returns the results in the files that can be read, and a problem for each of the others.
func readShardFiles(paths []string) (files []shardFile, problems []string) {
	for _, path := range paths {
		f, err := readShardFile(path)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%q: %s", path, err))
			continue
		}
		files = append(files, f)
	}
	return files, problems
}

// isThere is true where a JSON value is present, whatever it is.
type isThere bool

// UnmarshalJSON implements [json.Unmarshaler].
func (p *isThere) UnmarshalJSON([]byte) error {
	*p = true
	return nil
}

func readShardFile(path string) (shardFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return shardFile{}, err
	}
	var has struct {
		Fingerprint isThere `json:"fingerprint"`
		Changes     isThere `json:"changes"`
		Results     isThere `json:"results"`
		VMs         isThere `json:"vms"`
		Findings    isThere `json:"findings"`
		Error       isThere `json:"error"`
	}
	if err := json.Unmarshal(data, &has); err != nil {
		return shardFile{}, err
	}
	f := shardFile{path: path}
	var shard *config.Shard
	switch {
	case bool(has.Fingerprint && has.Changes):
		f.kind = kindPlan
		f.plan, err = readPlan(data)
		shard = f.plan.Shard
	case bool(has.Results):
		f.kind = kindApply
		f.run, err = report.ReadApply(data)
		shard = f.run.Plan.Shard
	case bool(has.VMs && has.Findings):
		f.kind = kindAudit
		f.audit, err = audit.Read(bytes.NewReader(data))
		shard = f.audit.Shard
	case bool(has.Error):
		f.failure = &shardFailure{}
		err = json.Unmarshal(data, f.failure)
		f.kind, shard = resultKind(f.failure.Command), &f.failure.Shard
	default:
		err = errors.New("is no plan, apply report or audit in JSON")
	}
	switch {
	case err != nil:
		return f, err
	case f.plan.IsMerged():
		return f, errors.New("is a merged plan: give the plans of the shards")
	case shard == nil:
		return f, errors.New("is of all subscriptions, not of a shard")
	}
	f.shard, err = config.ParseShard(shard.String())
	if err != nil {
		return f, fmt.Errorf("its shard: %w", err)
	}
	return f, f.checkContent()
}

// readPlan parses a plan as `plan --format json` writes it: with a digest, or with --all without one.
func readPlan(data []byte) (p plan.Plan, err error) {
	if err := json.Unmarshal(data, &p); err != nil {
		return p, err
	}
	if p.Digest != "" {
		if p, err = plan.ParseSaved(data); err != nil {
			return p, err
		}
	}
	if p.FormatVersion != plan.FormatVersion {
		return p, fmt.Errorf("its format_version is %q, this program reads %q", p.FormatVersion, plan.FormatVersion)
	}
	if err := plan.Validate(p); err != nil { // not a fault: the file was written by hand
		return p, errors.New(err.Error())
	}
	return p, nil
}

// checkContent returns an error where a target is not in the shard that the file names.
func (f *shardFile) checkContent() error {
	var targets []string
	for i := range f.plan.Changes {
		targets = append(targets, f.plan.Changes[i].Target)
	}
	for i := range f.run.Results {
		targets = append(targets, f.run.Results[i].Target)
	}
	for i := range f.audit.VMs {
		targets = append(targets, f.audit.VMs[i].ID)
	}
	for _, id := range targets {
		if s := armid.SubscriptionOf(id); s != "" && !f.shard.Has(s) {
			return fmt.Errorf("says that it is of shard %s, and has %q, which is not", f.shard, id)
		}
	}
	return nil
}

// checkAges returns a problem for each result that is older than maxAge: where a shard ended early, the file of an
// earlier run may still be there. The age of a result that is further than maxAge ahead of this machine's clock is not
// known, which is a problem as well.
func checkAges(files []shardFile, now time.Time, maxAge time.Duration) (problems []string) {
	for _, f := range files {
		_, at := f.time()
		stamp := at.UTC().Format("2006-01-02 15:04Z")
		switch age := now.Sub(at); {
		case f.kind == kindPlan, f.failure != nil: // a plan has no time, and a failure is a problem anyway
		case age > maxAge:
			problems = append(problems, fmt.Sprintf("%q is of %s: older than --max-age %s", f.path, stamp, report.FormatDuration(maxAge)))
		case age < -maxAge:
			problems = append(problems, fmt.Sprintf("%q is of %s: ahead of this machine's clock, so its age is not known", f.path, stamp))
		}
	}
	return problems
}

// time returns when the run of a file began and ended; both are zero for a plan, which does not hold it.
func (f *shardFile) time() (began, ended time.Time) {
	if f.kind == kindAudit {
		return f.audit.Made.At, f.audit.Made.At
	}
	return f.run.Started, f.run.Finished
}

// maxApart is how long after the end of one shard another may begin without a warning.
const maxApart = 6 * time.Hour

// describeApart returns a warning that the results may be of different runs, because one shard ended more than
// [maxApart] before another began; else "". Where a shard was killed, the file of an earlier run is still there.
func describeApart(files []shardFile) string {
	first, last := &files[0], &files[0]
	for i := range files {
		_, ended := files[i].time()
		if _, at := first.time(); ended.Before(at) {
			first = &files[i]
		}
		began, _ := files[i].time()
		if at, _ := last.time(); began.After(at) {
			last = &files[i]
		}
	}
	_, ended := first.time()
	began, _ := last.time()
	apart := began.Sub(ended)
	if apart <= maxApart {
		return ""
	}
	return fmt.Sprintf("shard %s ended %s before shard %s began: is it of the same run? --max-age refuses results of an earlier one",
		first.shard, report.FormatDuration(apart), last.shard)
}

// trait is a property that the results of all shards of one run have in common.
type trait struct {
	name  string // as in "the plan is of another NAME"
	value string
}

// traits returns what must be the same in all files; the kind comes first, and files of another kind have other traits.
func (f *shardFile) traits() []trait {
	all := []trait{{"command", string(f.kind)}, {"number of shards", fmt.Sprint(f.shard.Count)}}
	if f.failure != nil {
		return all
	}
	switch f.kind {
	case kindPlan:
		currency := "none"
		if f.plan.Cost != nil {
			currency = f.plan.Cost.Currency
		}
		all = append(all, trait{"config", f.plan.Config}, trait{"cloud", f.plan.Cloud}, trait{"currency of prices", currency})
	case kindApply:
		all = append(all, trait{"config", f.run.Plan.Config}, trait{"cloud", f.run.Plan.Cloud})
	case kindAudit:
		m, baseline := f.audit.Made, ""
		if b := f.audit.Baseline; b != nil {
			baseline = b.At.UTC().Format(time.RFC3339)
		}
		all = append(all, trait{"config", m.Config}, trait{"cloud", m.Cloud}, trait{"tenant", m.Tenant},
			trait{"--subscription", strings.Join(m.Subscriptions, ", ")}, trait{"--source", m.Source}, trait{"--baseline", baseline},
			trait{"--max-age", fmt.Sprint(m.MaxAge)}, trait{"--tolerance", fmt.Sprint(m.Tolerance)},
			trait{"--min-retention", fmt.Sprint(m.MinRetention)}, trait{"--fail-on", string(m.FailOn)})
	}
	return all
}

// maxMissing is the highest number of missing shards that are named one by one.
const maxMissing = 20

// checkShardFiles returns all problems that prevent a merge: files with other traits than most of the files; and among
// the others shards that are there twice, are missing, or have no result.
func checkShardFiles(files []shardFile) (problems []string) {
	fitting := files
	for i := 0; i < maxTraits(fitting); i++ {
		fits, value := commonest(fitting, i)
		var rest []shardFile
		for _, f := range fitting {
			if t, said := f.trait(i); said && t.value != value {
				problems = append(problems, fmt.Sprintf("%q is of another %s than %q: %s, not %s", f.path, t.name, fits, cmp.Or(t.value, "none"), cmp.Or(value, "none")))
				continue
			}
			rest = append(rest, f)
		}
		fitting = rest
	}
	if len(fitting) == 0 {
		return problems
	}
	at := map[int]string{}
	for _, f := range fitting {
		if first, twice := at[f.shard.Index]; twice {
			problems = append(problems, fmt.Sprintf("shard %s is in %q and in %q", f.shard, first, f.path))
			continue
		}
		at[f.shard.Index] = f.path
		if f.failure != nil {
			problems = append(problems, fmt.Sprintf("shard %s has no result (%q): exit code %d: %s", f.shard, f.path, f.failure.ExitCode, f.failure.Error))
		}
	}
	count := fitting[0].shard.Count
	missing := count - len(at)
	for i, named := 1, 0; named < min(missing, maxMissing); i++ {
		if at[i] == "" {
			problems = append(problems, fmt.Sprintf("shard %s is missing", config.Shard{Index: i, Count: count}))
			named++
		}
	}
	if more := missing - maxMissing; more > 0 {
		problems = append(problems, fmt.Sprintf("and %d more shards are missing", more))
	}
	return problems
}

// commonest returns the most frequent value of the i-th trait, of equally frequent ones that of the first file, and the
// path of the first file that has it.
func commonest(files []shardFile, i int) (path, value string) {
	counts := map[string]int{}
	for _, f := range files {
		if t, said := f.trait(i); said {
			counts[t.value]++
		}
	}
	for _, f := range files {
		if t, said := f.trait(i); said && (path == "" || counts[t.value] > counts[value]) {
			path, value = f.path, t.value
		}
	}
	return path, value
}

// trait returns the i-th trait of a file, and whether the file has it: a run that ended before it had read its config
// has its command and shard alone.
func (f *shardFile) trait(i int) (t trait, said bool) {
	all := f.traits()
	if i >= len(all) {
		return t, false
	}
	return all[i], i < 2 || f.run.Error == "" || all[i].value != ""
}

func maxTraits(files []shardFile) int {
	n := 0
	for i := range files {
		n = max(n, len(files[i].traits()))
	}
	return n
}
