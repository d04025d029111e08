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

// ExplainText writes what decides about one VM, for people.
func ExplainText(w io.Writer, e plan.Explanation, s Style) error {
	out := bufio.NewWriter(w)
	t := explainText{planText{Writer: out, style: s, palette: newPalette(s.Color)}, e}
	name := DisplayName(e.VM)
	if e.Subscription != "" {
		name = Line(e.Subscription + "/" + displayName(e.VM))
	}
	fmt.Fprintf(out, "%s  %s\n", t.bold(name), t.dim(Line(e.VM)))
	t.writeVMNotes()
	t.writeRules()
	t.writeWanted()
	t.writeItems()
	t.writeNext()
	t.writeSchedule()
	t.writeTest()
	return out.Flush()
}

type explainText struct {
	planText
	e plan.Explanation
}

func (t explainText) writeSection(title string) { fmt.Fprintf(t, "\n%s\n", t.bold(title)) }

// writeVMNotes writes what is unusual about the VM itself.
func (t explainText) writeVMNotes() {
	switch {
	case t.e.Missing:
		t.writeProse("  ", t.stop, "it does not exist")
	case !t.e.Read:
		t.writeProse("  ", t.change, "it was not read: it may not exist, or the identity may not see it")
	}
	for _, s := range []string{t.e.Unsupported, t.e.NeedsEnhanced} {
		if s != "" {
			t.writeProse("  ", t.change, Line(s))
		}
	}
	if t.e.Gap != nil {
		t.writeProse("  ", t.change, "could not be read: "+DescribeGap(*t.e.Gap))
	}
}

// writeRules lists how each rule judged the VM.
func (t explainText) writeRules() {
	t.writeSection("rules")
	if len(t.e.Steps) == 0 {
		t.writeProse("  ", t.dim, "none was asked")
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
	columns := newTextTable(lines, t.style, t.palette)
	for _, l := range lines {
		columns.write(t, l)
	}
	if !decided {
		t.writeProse("  ", t.change, "no rule matches: it is left as it is")
	}
}

// writeWanted writes what the rule wants.
func (t explainText) writeWanted() {
	if t.e.Rule == nil {
		return
	}
	t.writeSection("wanted")
	switch t.e.Protect {
	case config.ProtectOff:
		t.writeProse("  ", plainText, "left alone")
	case config.ProtectStopped:
		t.writeProse("  ", plainText, "no new backups; the data is kept")
	default:
		t.writeProse("  ", plainText, Line(strings.Join(nonEmpty("backups", describePolicy(t.e.Policy), describeVault(t.e.Vault)), " ")))
		if n := len(t.e.Candidates); n > 1 {
			names := make([]string, n)
			for i, v := range t.e.Candidates {
				names[i] = DisplayName(v)
			}
			t.writeProse("  ", t.dim, "chosen among the vaults "+strings.Join(names, ", "))
		}
	}
}

// writeSchedule writes when backups run once the next changes are done.
func (t explainText) writeSchedule() {
	if t.e.Schedule == "" {
		return
	}
	t.writeSection("schedule")
	t.writeProse("  ", plainText, Line(t.e.Schedule))
	if t.e.NextBackup != nil {
		t.writeProse("  ", plainText, "next backup due "+t.e.NextBackup.UTC().Format("2006-01-02 15:04 UTC")+", begun within two hours of it")
	}
}

// writeItems lists the protected items of the VM.
func (t explainText) writeItems() {
	t.writeSection("now")
	if len(t.e.Items) == 0 {
		t.writeProse("  ", plainText, "no backup in any vault that was read")
	}
	for _, it := range t.e.Items {
		if it.Unreadable != "" { // its vault is certain, and nothing else of it
			t.writeProse("  ", t.change, Line("not known, "+describeVault(it.Vault)+": "+it.Unreadable))
			continue
		}
		state := it.State
		if it.SoftDeleted {
			state = plan.StateSoftDeleted
		}
		words := nonEmpty(state, describeVault(it.Vault), describePolicy(it.PolicyName), describeDisks(it.Disks))
		if !it.LastRecoveryPoint.IsZero() {
			words = append(words, "last recovery point "+it.LastRecoveryPoint.UTC().Format(time.RFC3339))
			if t.e.Created.After(it.LastRecoveryPoint) {
				words = append(words, "of an earlier VM of this name: this one was made "+t.e.Created.UTC().Format(time.RFC3339))
			}
		}
		if s := it.LastBackupStatus; s != "" && s != "Completed" {
			words = append(words, "last backup "+s)
		}
		if it.SoftDeleted && !it.PurgeAt.IsZero() {
			words = append(words, "data goes "+it.PurgeAt.UTC().Format(time.RFC3339))
		}
		t.writeProse("  ", plainText, Line(strings.Join(words, ", ")))
	}
}

// writeNext lists what the plan does about it.
func (t explainText) writeNext() {
	t.writeSection("next")
	var lines []line
	for _, c := range t.e.Next {
		l := t.newLine(c)
		if isRisky(c) {
			l.details = append([]string{describeRisks(c)}, l.details...)
		}
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		t.writeProse("  ", plainText, "nothing")
	}
	columns := newTextTable(lines, t.style, t.palette)
	for _, l := range lines {
		columns.write(t, l)
	}
}

func describePolicy(policy string) string {
	if policy == "" {
		return ""
	}
	return "by policy " + lastName(policy)
}

func describeVault(vault string) string {
	if vault == "" {
		return ""
	}
	return "in vault " + displayName(vault)
}
