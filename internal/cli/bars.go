package cli

import (
	"io"
	"maps"
	"slices"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// maxBars is the highest number of vaults that have a bar each; more vaults share one bar.
const maxBars = 8

// bars draws a bar per vault, with the remaining time. Failures are printed above them as they happen.
type bars struct {
	lines    *lineProgress
	progress *mpb.Progress
	byVault  map[armid.Key]*mpb.Bar
	all      *mpb.Bar             // the one bar of all vaults where there are too many
	restore  func(end func())     // runs end, and then gives stderr back to the terminal
	elapsed  func() time.Duration // since the bars were made
}

func newBars(a *app, p plan.Plan, lines *lineProgress) *bars {
	lines.isQuiet = true
	b := &bars{lines: lines, byVault: map[armid.Key]*mpb.Bar{}}
	// WithAutoRefresh would write escape sequences into files: terminals are refreshed without it.
	b.progress = mpb.New(mpb.WithOutput(a.terminal), mpb.WithWidth(40))
	// The redirection comes before the first bar, which would be drawn over a line that went to the terminal directly.
	b.restore = a.stderr.redirect(&aboveBars{progress: b.progress, terminal: a.terminal})
	counts, order := countByVault(p)
	name := namerOf(p)
	started, forecast := a.Now(), time.Duration(p.Forecast.Duration)
	b.elapsed = func() time.Duration { return a.Now().Sub(started) }
	if len(order) > maxBars {
		b.all = b.add("all vaults", len(p.Changes), forecast)
	} else {
		for _, vault := range order {
			key := armid.Of(vault)
			b.byVault[key] = b.add(name(vault), counts[key], forecast)
		}
	}
	return b
}

// countByVault returns the number of changes per vault, and the vaults in plan order.
func countByVault(p plan.Plan) (counts map[armid.Key]int, order []string) {
	counts = map[armid.Key]int{}
	for _, c := range p.Changes {
		key := armid.Of(c.Vault)
		if counts[key] == 0 {
			order = append(order, c.Vault)
		}
		counts[key]++
	}
	return counts, order
}

// aboveBars writes lines above the bars, and where there are none any more, directly to the terminal: a write to the
// terminal that fails, since it was closed or takes nothing for the moment, ends the bars, and no line is lost for it.
type aboveBars struct {
	progress *mpb.Progress
	terminal io.Writer
}

// Write implements [io.Writer].
func (w *aboveBars) Write(p []byte) (int, error) {
	if n, err := w.progress.Write(p); err == nil {
		return n, nil
	}
	return w.terminal.Write(p)
}

// add returns a new bar, or nil where the bars have ended because a write to the terminal failed.
func (b *bars) add(name string, total int, forecast time.Duration) *mpb.Bar {
	if name == "" {
		name = "no vault"
	}
	bar, _ := b.progress.Add(int64(total), mpb.BarStyle().Build(),
		mpb.PrependDecorators(
			decor.Name(name, decor.WC{C: decor.DindentRight | decor.DextraSpace | decor.DSyncWidth}),
			decor.CountersNoUnit("%d/%d", decor.WC{C: decor.DSyncWidth}),
		),
		mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
			defer crash.ExitOnPanic() // mpb draws in a goroutine of its own
			if s.Completed || s.Aborted {
				return report.FormatDuration(b.elapsed())
			}
			return estimateTimeLeft(b.elapsed(), forecast, s.Current, s.Total)
		})),
	)
	return bar
}

// estimateTimeLeft returns how long the changes still take, in words: by the forecast until a fifth of them has ended,
// then by those that have.
func estimateTimeLeft(passed, forecast time.Duration, done, total int64) string {
	if done*5 >= total {
		return "about " + report.FormatDuration(passed*time.Duration(total-done)/time.Duration(max(done, 1))) + " left"
	}
	if forecast > passed {
		return "about " + report.FormatDuration(forecast-passed) + " left"
	}
	return "running for " + report.FormatDuration(passed)
}

func (b *bars) observe(e apply.Event) {
	b.lines.observe(e)
	if e.Kind != apply.EventFinished {
		return
	}
	if bar := b.bar(e.Vault); bar != nil {
		bar.Increment()
	}
}

func (b *bars) bar(vault string) *mpb.Bar {
	if b.all != nil {
		return b.all
	}
	return b.byVault[armid.Of(vault)]
}

// end stops the bars and restores stderr. Lines are drawn together with the bars, a moment after they were written: end
// adds a bar and removes it, which draws once more, so that no last line is lost.
func (b *bars) end() {
	b.restore(func() {
		for _, bar := range append(slices.Collect(maps.Values(b.byVault)), b.all) {
			if bar != nil {
				bar.Abort(false)
			}
		}
		if last, err := b.progress.Add(1, mpb.BarStyle().Build(), mpb.BarFillerTrim(), mpb.BarRemoveOnComplete()); err == nil {
			last.Abort(true)
		}
		b.progress.Wait()
	})
}
