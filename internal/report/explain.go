package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// ExplainFormats are the formats of an explanation.
func ExplainFormats() []string { return []string{"text", "json"} }

// WriteExplain writes what decides about one VM in one of [ExplainFormats].
func WriteExplain(w io.Writer, format string, e plan.Explanation, s Style) error {
	switch format {
	case "json":
		return explainJSON(w, e)
	case "text":
	default:
		return fmt.Errorf("writing explanation: %q is not one of %s", format, strings.Join(ExplainFormats(), ", "))
	}
	out := bufio.NewWriter(w)
	t := explainText{planText{Writer: out, style: s, palette: newPalette(s.Color)}, e}
	fmt.Fprintf(out, "%s  %s\n", t.bold(Name(e.VM)), t.dim(Line(e.VM)))
	t.seen()
	t.rules()
	t.wants()
	t.has()
	t.next()
	t.schedule()
	return out.Flush()
}

type explainText struct {
	planText
	e plan.Explanation
}

func (t explainText) section(title string) { fmt.Fprintf(t, "\n%s\n", t.bold(title)) }

// seen says what is odd about the VM itself.
func (t explainText) seen() {
	switch {
	case t.e.Missing:
		t.prose("  ", t.stop, "it does not exist")
	case !t.e.Read:
		t.prose("  ", t.change, "it was not read: it may not exist, or the identity may not see it")
	}
	for _, s := range []string{t.e.Unsupported, t.e.NeedsEnhanced} {
		if s != "" {
			t.prose("  ", t.change, Line(s))
		}
	}
	if t.e.Gap != nil {
		t.prose("  ", t.change, "could not be read: "+GapWords(*t.e.Gap))
	}
}

// rules lists what each rule said.
func (t explainText) rules() {
	t.section("rules")
	if len(t.e.Steps) == 0 {
		t.prose("  ", t.dim, "none was asked")
		return
	}
	var lines []line
	decided := false
	for _, s := range t.e.Steps {
		decided = decided || s.Chosen
		l := line{mark: "·", paint: t.dim, why: Line(s.Reason), cells: []string{Line(s.Name), Line(fmt.Sprintf("%s:%d", s.Pos.File, s.Pos.Line))}}
		switch {
		case s.Chosen:
			l.mark, l.paint = "✓", t.create
		case s.Matched:
			l.mark = "="
		}
		lines = append(lines, l)
	}
	columns := newColumns(lines, t.style, t.palette)
	for _, l := range lines {
		columns.write(t, l)
	}
	if !decided {
		t.prose("  ", t.change, "no rule matches: it is left as it is")
	}
}

// wants says what the rule asks for.
func (t explainText) wants() {
	if t.e.Rule == nil {
		return
	}
	t.section("wanted")
	switch t.e.Protect {
	case config.ProtectOff:
		t.prose("  ", plain, "left alone")
	case config.ProtectStopped:
		t.prose("  ", plain, "no new backups; the data is kept")
	default:
		t.prose("  ", plain, Line(strings.Join(notEmpty("backups", by(t.e.Policy), in(t.e.Vault)), " ")))
		if n := len(t.e.Candidates); n > 1 {
			names := make([]string, n)
			for i, v := range t.e.Candidates {
				names[i] = Name(v)
			}
			t.prose("  ", t.dim, "chosen among the vaults "+strings.Join(names, ", "))
		}
	}
}

// schedule says when backups run once what is next is done.
func (t explainText) schedule() {
	if t.e.Schedule == "" {
		return
	}
	t.section("schedule")
	t.prose("  ", plain, Line(t.e.Schedule))
	if t.e.NextBackup != nil {
		t.prose("  ", plain, "next backup due "+t.e.NextBackup.UTC().Format("2006-01-02 15:04 UTC")+", begun within two hours of it")
	}
}

// has says what the VM has now.
func (t explainText) has() {
	t.section("now")
	if len(t.e.Items) == 0 {
		t.prose("  ", plain, "no backup in any vault that was read")
	}
	for _, it := range t.e.Items {
		state := it.State
		if it.SoftDeleted {
			state = plan.StateSoftDeleted
		}
		words := notEmpty(state, in(it.Vault), by(it.PolicyName), diskWords(it.Disks))
		if !it.LastRecoveryPoint.IsZero() {
			words = append(words, "last recovery point "+it.LastRecoveryPoint.UTC().Format(time.RFC3339))
		}
		if it.SoftDeleted && !it.PurgeAt.IsZero() {
			words = append(words, "data goes "+it.PurgeAt.UTC().Format(time.RFC3339))
		}
		t.prose("  ", plain, Line(strings.Join(words, ", ")))
	}
}

// next lists what the plan does about it.
func (t explainText) next() {
	t.section("next")
	var lines []line
	for _, c := range t.e.Next {
		l := t.line(c)
		if risky(c) {
			l.details = append([]string{riskWords(c)}, l.details...)
		}
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		t.prose("  ", plain, "nothing")
	}
	columns := newColumns(lines, t.style, t.palette)
	for _, l := range lines {
		columns.write(t, l)
	}
}

func by(policy string) string {
	if policy == "" {
		return ""
	}
	return "by policy " + lastName(policy)
}

func in(vault string) string {
	if vault == "" {
		return ""
	}
	return "in vault " + name(vault)
}
