package report

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// large returns a plan of n protections, spread so that vault i of vaults gets about twice as many as vault i+1.
func large(n, vaults int) plan.Plan {
	p := plan.Plan{FormatVersion: plan.FormatVersion, Fingerprint: testPrint, Complete: true}
	for i := range n {
		v := 0
		for v < vaults-1 && (i>>v)&1 == 1 {
			v++
		}
		if i < vaults {
			v = i
		}
		vault := armid.Vault(testSub, "rg-backup", fmt.Sprintf("rsv-%03d", v))
		c := plan.Change{
			ID: fmt.Sprint("protect:", i), Action: plan.Protect, Target: vm("rg-app-"+strconv.Itoa(i%40), fmt.Sprintf("vm-%05d", i)), Vault: vault,
			Reason: "vm-not-protected", Because: "no vault protects it", After: policyOf(vault, "daily-30d"),
		}
		switch {
		case i%97 == 5:
			c.Action, c.Risk, c.Because = plan.Stop, plan.RiskStopsBackup, "rule retired says protect: stopped"
		case i%31 == 3:
			c.Action, c.Wanted, c.Because = plan.Blocked, plan.Protect, `it is protected in vault "rsv-shadow", which is outside this file`
		case i%11 == 2:
			c.Action, c.Because = plan.Modify, "the rule wants another policy"
			c.Fields = []plan.Field{{Path: "policy", Before: "daily-30d", After: "hourly-4h"}}
		}
		p.Changes = append(p.Changes, c)
	}
	p.Summary = map[plan.Action]int{plan.Unchanged: 12345}
	for _, c := range p.Changes {
		p.Summary[c.Action]++
	}
	p.Forecast = plan.Forecast{Requests: map[string]int{"writes": n, "confirm": n / 50}, Duration: plan.Duration(9 * time.Minute)}
	return p
}

// targetsOf counts the targets in all tables, and the tables.
func targetsOf(root *html.Node) (targets, vaults int) {
	target := regexp.MustCompile(`vm-\d{5}`)
	walk(root, false, func(n *html.Node, _ bool) {
		if n.Type == html.ElementNode && n.Data == "td" {
			walk(n, false, func(n *html.Node, inCode bool) {
				if n.Type == html.TextNode && inCode && target.MatchString(n.Data) {
					targets++
				}
			})
		}
		if n.Type == html.ElementNode && n.Data == "details" {
			vaults++
		}
	})
	return targets, vaults
}

func TestMarkdownIsCutVisiblyAndCounted(t *testing.T) {
	cut := regexp.MustCompile(`Cut: ([\d,]+) of ([\d,]+) changes? are not shown`)
	for _, test := range []struct{ changes, vaults int }{{10, 3}, {300, 3}, {5000, 1}, {5000, 7}, {5000, 500}, {40000, 2000}} {
		t.Run(fmt.Sprintf("%d changes in %d vaults", test.changes, test.vaults), func(t *testing.T) {
			p := large(test.changes, test.vaults)
			text := markdownOf(t, p)
			if len(text) > mdLimit {
				t.Fatalf("%d bytes", len(text))
			}
			root := render(t, text)
			mustBeDead(t, root)
			shown, vaults := targetsOf(root)
			left := 0
			if m := cut.FindSubmatch(text); m != nil {
				left, _ = strconv.Atoi(strings.ReplaceAll(string(m[1]), ",", ""))
			}
			if shown+left != test.changes {
				t.Errorf("%d targets are shown and %d are said to be cut, of %d", shown, left, test.changes)
			}
			if left > 0 && len(text) < mdLimit*9/10 {
				t.Errorf("%d changes were cut, yet only %d bytes are used", left, len(text))
			}
			if test.vaults <= 7 && vaults != test.vaults {
				t.Errorf("%d of %d vaults have a table", vaults, test.vaults)
			}
			if test.vaults > vaults && !strings.Contains(string(text), formatNumber(test.vaults-vaults)+" more vaults** not shown") {
				t.Errorf("%d vaults are missing and not counted", test.vaults-vaults)
			}
		})
	}
}

// AZBACKUP_PICTURE=file go test -run TestMarkdownPicture writes the page to look at in a browser.
func TestMarkdownPicture(t *testing.T) {
	file := os.Getenv("AZBACKUP_PICTURE")
	if file == "" {
		t.Skip("AZBACKUP_PICTURE names no file")
	}
	var b strings.Builder
	p := large(5000, 6)
	b.WriteString(`<!doctype html><meta charset=utf-8><style>body{font:14px/1.5 -apple-system,"Segoe UI",sans-serif;max-width:900px;margin:20px;color:#1f2328}
table{border-collapse:collapse;display:block;overflow:auto;margin-bottom:16px}th,td{border:1px solid #d1d9e0;padding:6px 13px}tr:nth-child(2n){background:#f6f8fa}
code{background:#818b981f;padding:.2em .4em;border-radius:6px;font-size:85%;white-space:break-spaces}h2{border-bottom:1px solid #d1d9e0;padding-bottom:.3em}</style>`)
	if err := html.Render(&b, render(t, markdownOf(t, p))); err != nil {
		t.Fatal(err)
	}
	b.WriteString("<hr>")
	if err := html.Render(&b, render(t, markdownOf(t, fleet()))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A head that is long by itself is cut too: here the fields of risky changes, 300 characters each.
func TestMarkdownListsAreCutBeforeTheyFillTheComment(t *testing.T) {
	p := fleet()
	long := strings.Repeat("長", 300)
	for i := range 20 {
		c := p.Changes[2]
		c.ID = fmt.Sprint("update-policy:", i)
		c.Fields = nil
		for range 30 {
			c.Fields = append(c.Fields, plan.Field{Path: long, Before: long, After: long})
		}
		p.Changes = append(p.Changes, c)
	}
	text := markdownOf(t, p)
	if len(text) > mdLimit {
		t.Errorf("%d bytes", len(text))
	}
	if !strings.Contains(string(text), " more\n") {
		t.Error("entries are left out and not counted")
	}
	if !strings.Contains(string(text), "<code>rsv-neu-prod</code>") {
		t.Error("the lists left no room for the tables")
	}
}
