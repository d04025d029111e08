package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"
)

// load reads a text as a file and fails the test on any message.
func load(t *testing.T, text string) *Config {
	t.Helper()
	c, warnings, err := loadText(t, text)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", warnings, err)
	}
	return c
}

func loadText(t testing.TB, text string) (*Config, []Problem, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load([]string{file}, testEnv)
}

func TestEveryKeyReachesItsField(t *testing.T) {
	c, _, err := Load([]string{"testdata/ok/design.yaml"}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Version: 1, Cloud: Cloud{Name: "AzurePublic"}, Tenant: "22222222-2222-2222-2222-222222222222",
		Subscriptions: []string{sub1}, Files: []string{"testdata/ok/design.yaml"},
		Vaults: []Vault{{
			Name: "rsv-weu-prod", Subscription: sub1, ResourceGroup: "rg-backup", Location: "westeurope", Manage: true,
			Redundancy: "GeoRedundant", CrossRegionRestore: new(true), SoftDeleteDays: new(30), Immutability: "Unlocked",
			PublicNetworkAccess: new(false), Tags: map[string]string{"owner": "platform"}, Unmatched: "report",
		}},
		Policies: []Policy{{
			Name: "daily-30d", Vaults: []string{"rsv-weu-prod"}, Manage: true, Tier: "Enhanced",
			TimeZone: "W. Europe Standard Time", Schedule: &Schedule{Daily: &Daily{At: "22:00"}}, InstantRestoreDays: new(5),
			Retention: &Retention{
				Days: new(30), Weeks: &KeepWeeks{Keep: 12, Days: []string{"Sunday"}},
				Months: &KeepMonths{Keep: 36, Weeks: []string{"First"}, Days: []string{"Sunday"}},
				Years:  &KeepYears{Keep: 7, Months: []string{"January"}, Weeks: []string{"First"}, Days: []string{"Sunday"}},
			},
			Archive: &Archive{AfterMonths: 3}, Consistency: "crash",
			InstantRestoreGroup: &InstantRestoreGroup{Prefix: "rp-", Suffix: "-weu"},
		}, {Name: "hourly-4h"}},
		Rules: []Rule{{
			Name: "sql01", ID: "/subscriptions/" + sub1 + "/resourceGroups/rg-sql/providers/Microsoft.Compute/virtualMachines/sql01",
			Policy: "hourly-4h", Vault: []string{"rsv-weu-prod"}, Disks: &Disks{Kind: DisksInclude, LUNs: []int{0, 1}}, Protect: ProtectOn,
		}, {
			Name: "prod",
			Match: []Selector{{
				Tags:           map[string][]string{"env": {"prod"}, "tier": {"web", "app"}},
				ResourceGroups: []string{"rg-app-*"}, Locations: []string{"westeurope"},
			}},
			Except: []Selector{{Names: []string{"bastion*"}}, {Tags: map[string][]string{"backup": {"none"}}}},
			Policy: "daily-30d", Backup: &Backup{IfOlderThan: 24 * time.Hour, Retain: 30 * 24 * time.Hour}, Protect: ProtectOn,
		}, {
			Name: "scratch", Match: []Selector{{Tags: map[string][]string{"env": {"dev"}}}}, Protect: ProtectOff,
			Reason: "rebuilt from images every night",
		}, {
			Name: "retired", Match: []Selector{{Tags: map[string][]string{"lifecycle": {"retired"}}}}, Protect: ProtectStopped,
		}},
		Settings: Settings{
			Refresh: "auto", Elsewhere: "block",
			Limits: Limits{Writes: 32, Polls: 8, Operations: 500, Restores: 20, ItemTimeout: 30 * time.Minute, RestoreTimeout: 8 * time.Hour, RunTimeout: 9 * time.Hour},
			Guards: Guards{MaxStops: Share{Count: 10, Percent: true}, MaxChanges: 1000, MaxRestores: 20},
		},
		RestoreTests: []RestoreTest{{
			Name: "gold-quarterly", Match: []Selector{{Tags: map[string][]string{"class": {"gold"}}}}, Every: 90 * 24 * time.Hour,
			Sample: Sample{Count: 3}, Point: PointLatest, Disks: RestoreDisks{},
			Into: RestoreTarget{ResourceGroup: "rg-restore-tests", StorageAccounts: []string{"stweurestore", "stneurestore"}},
		}},
	}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreTypes(Position{}), cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if got, want := c.Rules[1].Match[0].Pos, (Position{"testdata/ok/design.yaml", 45, 12}); got != want {
		t.Errorf("the selector stands at %v, want %v", got, want)
	}
}

func TestWhatTheFileDoesNotSayHasItsDefault(t *testing.T) {
	c := load(t, "version: 1\nsubscriptions: ["+sub1+"]\nvaults: [{name: a, resourceGroup: b, location: c}]\nsettings: {guards: {maxStops: 0, maxChanges: 0, maxRestores: 0}}\n")
	want := Settings{
		Refresh: "auto", Elsewhere: "block",
		Limits: Limits{Writes: 64, Polls: 8, Operations: OperationsAuto, Restores: 20, ItemTimeout: 30 * time.Minute, RestoreTimeout: 8 * time.Hour, RunTimeout: 6 * time.Hour},
	}
	if diff := cmp.Diff(want, c.Settings); diff != "" {
		t.Errorf("settings, want (-), got (+):\n%s", diff)
	}
	if c.Cloud.Name != "AzurePublic" || c.Vaults[0].Subscription != sub1 || c.Vaults[0].Unmatched != "report" {
		t.Errorf("cloud %v, vault %+v", c.Cloud, c.Vaults[0])
	}
	if v := c.Vaults[0]; v.CrossRegionRestore != nil || v.SoftDeleteDays != nil || v.Tags != nil || v.Redundancy != "" {
		t.Errorf("the file says nothing of these: %+v", v)
	}
}

func TestVariablesAreReplacedInEveryKindOfScalar(t *testing.T) {
	c, _, err := Load([]string{"testdata/ok/variables.yaml"}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	v, p, r := c.Vaults[0], c.Policies[0], c.Rules[0]
	got := fmt.Sprintln(c.Version, c.Subscriptions, v.Name, v.Manage, *v.SoftDeleteDays, v.Tags, *p.Retention.Days, p.Retention.Months.Dates,
		p.Archive.AfterMonths, r.Match[0].Tags, r.Spread, r.Disks.Kind, r.Protect, r.Backup.IfOlderThan, c.Rules[1].Protect, c.Settings.Guards.MaxStops)
	want := "1 [" + sub1 + "] rsv-prod true 30 map[empty: env:prod fallback:else literal:${ENV} price:$5] 30 [1 0] 6 map[env:[prod]] false osOnly true 30h0m0s stopped {30 true}\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWhatAVariableHoldsIsNotReadAsYAMLOrAsVariables(t *testing.T) {
	env := func(string) (string, bool) { return "${A} # {x: y}\n- z", true }
	file := filepath.Join(t.TempDir(), "a.yaml")
	text := "version: 1\nsubscriptions: [" + sub1 + "]\nvaults: [{name: a, resourceGroup: b, location: c, manage: true, tags: {x: \"<${A}>\"}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := Load([]string{file}, env)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Vaults[0].Tags["x"], "<${A} # {x: y}\n- z>"; got != want {
		t.Errorf("tag = %q, want %q", got, want)
	}
}

func TestTimeZonesAreWindowsZones(t *testing.T) {
	c, _, err := Load([]string{"testdata/ok/policies.yaml"}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"W. Europe Standard Time", "UTC", "UTC", "India Standard Time", ""} {
		if got := c.Policies[i].TimeZone; got != want {
			t.Errorf("policy %s: time zone %q, want %q", c.Policies[i].Name, got, want)
		}
	}
	india, _ := IANAZone("india standard time")
	if l, err := time.LoadLocation(india); err != nil || time.Unix(0, 0).In(l).Format("-0700") != "+0530" {
		t.Errorf("India is %q, %v", india, err)
	}
	for name, windows := range windowsZones() {
		if windows == "Kamchatka Standard Time" || windows == "Mid-Atlantic Standard Time" {
			continue // Windows lists them still, and nobody else
		}
		iana, ok := IANAZone(windows)
		if !ok {
			t.Errorf("%s has no IANA name", windows)
		}
		if _, err := time.LoadLocation(iana); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesAreJoinedInOrder(t *testing.T) {
	c, _, err := Load([]string{"testdata/ok/team"}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Subscriptions) != 2 || len(c.Rules) != 2 || c.Settings.Limits.Writes != 4 || c.Settings.Limits.Polls != 2 || c.Settings.Refresh != "never" {
		t.Errorf("joined: %+v", c)
	}
	want := []string{"testdata/ok/team/10-base.yaml", "testdata/ok/team/20-team.yaml", "testdata/ok/team/30-rules.yaml"}
	if !slices.Equal(c.Files, want) || c.Rules[0].Pos.File != want[1] {
		t.Errorf("files %q, rule at %v", c.Files, c.Rules[0].Pos)
	}
}

func TestAMissingFileIsToldWithItsCause(t *testing.T) {
	t.Chdir(t.TempDir())
	c, _, err := Load(nil, testEnv)
	if c != nil || !errors.Is(err, fs.ErrNotExist) || err.Error() != "azbackup.yaml: the file cannot be read: no such file or directory [file]" {
		t.Errorf("config %v, error %v", c, err)
	}
}

func TestReferencesAreNotCheckedWhereAFileIsMissing(t *testing.T) {
	_, _, err := Load([]string{"testdata/err/unknown-policy.yaml", "testdata/none.yaml"}, testEnv)
	if err == nil || !strings.Contains(err.Error(), "none.yaml") || strings.Contains(err.Error(), "unknown-policy]") {
		t.Errorf("error %v", err)
	}
}

func TestDisksAreSorted(t *testing.T) {
	c, _, err := Load([]string{"testdata/ok/rules.yaml"}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Rules[2].Disks; got.Kind != DisksExclude || !slices.Equal(got.LUNs, []int{0, 2}) {
		t.Errorf("disks %+v", got)
	}
}

func TestAFileNamedTwiceIsRefused(t *testing.T) {
	_, _, err := Load([]string{"testdata/ok/minimal.yaml", "testdata/ok/../ok/minimal.yaml"}, testEnv)
	if err == nil || !strings.Contains(err.Error(), "named twice") {
		t.Errorf("error %v", err)
	}
}

func TestRoutes(t *testing.T) {
	c, _, err := Load([]string{"testdata/ok/rules.yaml"}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	ids := func(vaults []Vault) string {
		var s []string
		for _, v := range vaults {
			s = append(s, v.Subscription[:1]+"/"+v.ResourceGroup+"/"+v.Name)
		}
		return strings.Join(s, " ")
	}
	rule := func(name string) *Rule {
		return &c.Rules[slices.IndexFunc(c.Rules, func(r Rule) bool { return r.Name == name })]
	}
	tests := []struct{ what, got, want string }{
		{"by region", ids(c.Candidates(rule("app wide"), strings.ToUpper(sub1), "West Europe")), "1/rg-a/rsv 1/rg-b/rsv"},
		{"by region, none", ids(c.Candidates(rule("app wide"), sub1, "northeurope")), ""},
		{"named, in their order", ids(c.Candidates(rule("app without tag"), sub1, "westeurope")), "1/rg-b/rsv 1/rg-a/rsv"},
		{"named, in the region", ids(c.Candidates(&Rule{Vault: []string{c.Vaults[2].ID(), "rg-b/rsv"}}, sub1, "westeurope")), "1/rg-b/rsv"},
		{"named, none in the region", ids(c.Candidates(rule("app without tag"), sub1, "anywhere")), "1/rg-b/rsv 1/rg-a/rsv"},
		{"policy of rules", ids(c.VaultsOf(c.Policy("DAILY"))), "1/rg-a/rsv 1/rg-b/rsv 2/rg-a/rsv"},
		{"policy of an id rule", ids(c.VaultsOf(c.Policy("weekly"))), "2/rg-a/rsv"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if c.Policy("none") != nil {
		t.Error("found a policy that is not there")
	}
}

func TestTooMany(t *testing.T) {
	head := "version: 1\nsubscriptions: [" + sub1 + "]\n"
	list := func(key string, count int, item string) string {
		return head + key + ":\n" + strings.ReplaceAll(strings.Repeat(item, count), "#", strings.Repeat("?", 100))
	}
	tests := map[string]struct{ text, want string }{
		"vaults":   {list("vaults", maxVaults+1, "  - {name: v, resourceGroup: g, location: l}\n"), "there are 20001 vaults"},
		"policies": {list("policies", maxPolicies+1, "  - {name: p}\n"), "20001 policies"},
		"patterns": {list("vms", 3000, "  - {name: r, match: {names: ['#x']}, except: [{names: ['#y', '#z*']}], protect: false}\n"), "not checked for being covered"},
	}
	for name, tt := range tests {
		start := time.Now()
		_, warnings, err := loadText(t, tt.text)
		if got := fmt.Sprint(warnings, err); !strings.Contains(got, "[too-many]") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %.300s", name, got)
		}
		t.Logf("%s: %v", name, time.Since(start))
	}
}

func TestAFileOverTheLimitIsNotRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, maxSize+1); err != nil { // takes no room on disk
		t.Fatal(err)
	}
	if _, _, err := Load([]string{file}, testEnv); err == nil || !strings.Contains(err.Error(), "too large: 268435457 bytes, at most 268435456") {
		t.Errorf("error %v", err)
	}
}

func TestAFileMaySayWhichYAMLItIs(t *testing.T) {
	rest := "version: 1\nsubscriptions: [" + sub1 + "]\nvms:\n  - {name: <<, match: {names: [<<]}, protect: false}\n"
	for head, want := range map[string]string{
		"%YAML 1.1\n---\n": "", "%YAML 1.2\n---\n": "", "# a comment\n\n%YAML  1.2 # as most do\n--- # here\n": "",
		"%YAML 2.0\n---\n": "neither 1.1 nor 1.2", "%YAML 1.2\n%YAML 1.2\n---\n": "duplicate",
	} {
		c, _, err := loadText(t, head+rest)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v, want %q", head, err, want)
			}
			continue
		}
		if err != nil || c.Rules[0].Name != "<<" || c.Rules[0].Match[0].Names[0] != "<<" {
			t.Errorf("%q: %v", head, err)
		}
	}
}

// Each rule and vault of a file may merge a full set of keys: what bounds aliases follows the size of the file.
func TestEveryRuleAndVaultOfALargeFileMayMergeAFullSetOfKeys(t *testing.T) {
	const many = 15_000
	rule := "x-rule: &rule {policy: p, vault: v, disks: {include: [0, 1]}, backup: {ifOlderThan: 24h, retain: 30d}, elsewhere: accept, resume: true," +
		" except: [{names: [bastion*]}, {tags: {backup: none}}]}\n"
	vault := "x-vault: &vault {manage: true, location: l, redundancy: GeoRedundant, crossRegionRestore: false, softDeleteDays: 30," +
		" immutability: Unlocked, publicNetworkAccess: false, tags: {owner: platform, env: prod, team: backup}}\n"
	for name, text := range map[string]string{
		"rules":  rule + "vms:\n" + strings.Repeat("  - {<<: *rule, name: r, match: {names: [a]}}\n", many),
		"vaults": vault + "vaults:\n" + strings.Repeat("  - {<<: *vault, name: v, resourceGroup: g}\n", many),
	} {
		out := &diagnostics{}
		if root := parse(&source{text: text}, out); root == nil || len(out.failures) > 0 {
			t.Errorf("%s: %.300v", name, out.failures)
		} else if entries := root.pairs[1].value.items; len(entries) != many || len(entries[many-1].pairs) < 9 {
			t.Errorf("%s: %d entries, the last with %d keys", name, len(entries), len(entries[many-1].pairs))
		}
	}
}

// A refusal of aliases costs no more than the text, as it comes before anything is copied.
func TestABombOfAliasesIsRefusedWithItsPlacesBeforeAnythingIsCopied(t *testing.T) {
	text := "x-a: &a [" + strings.Repeat("x, ", 1000) + "x]\nx-b: &b [" + strings.Repeat("*a, ", 1000) + "*a]\nx-c: *b\n"
	src := &source{text: text}
	allocated := testing.AllocsPerRun(1, func() {
		out := &diagnostics{}
		if parse(src, out) != nil || len(out.failures) != 1 {
			t.Fatalf("%d failures", len(out.failures))
		}
		p := out.failures[0]
		if p.Line != 2 || !strings.Contains(p.Message, "&a of line 1") {
			t.Errorf("%s", p)
		}
	})
	if allocated > 20_000 { // of the library, and of 2000 values
		t.Errorf("%v allocations", allocated)
	}
}

// Blocks nested too deep are refused at the first line that shows it: a file of 20,000 levels has 200 MB.
func TestBlocksNestedTooDeepAreRefusedBeforeTheRestIsRead(t *testing.T) {
	blocks := strings.Builder{}
	for i := range maxIndentation + 2 {
		blocks.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	out := &diagnostics{}
	if parse(&source{text: blocks.String() + "\x00: [*no\n"}, out) != nil || len(out.failures) != 1 {
		t.Fatalf("%v", out.failures)
	}
	if p := out.failures[0]; p.Code != "nesting" || p.Line != maxIndentation+2 || p.Column != maxIndentation+2 {
		t.Errorf("%s", p)
	}
	wide := "version: 1 # blanks alone are no level\n" + strings.Repeat(" ", maxIndentation+1) + "\n"
	if out := new(diagnostics); parse(&source{text: wide}, out) == nil {
		t.Errorf("%v", out.failures)
	}
}

func TestHostileFilesAreRefusedQuickly(t *testing.T) {
	bomb := "version: 1\na: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	merges := "version: 1\nx-a: &a {a1: 1, a2: 1, a3: 1, a4: 1}\n"
	for c := 'b'; c < 'z'; c++ {
		merges += fmt.Sprintf("x-%c: &%c {%c1: {<<: *%c}, %c2: {<<: *%c}, %c3: {<<: *%c}, %c4: {<<: *%c}}\n", c, c, c, c-1, c, c-1, c, c-1, c, c-1)
	}
	rules := "version: 1\nvms:\n" + strings.Repeat("  - {name: a, match: {names: [a]}, policy: b, vualt: c}\n", 4<<20/60)
	tests := map[string]struct{ text, rule string }{
		"an alias bomb":        {bomb, "[alias]"},
		"merge bombs":          {merges, "[alias]"},
		"a circle":             {"version: 1\nx-a: &a [b, {c: *a}]\n", "[alias]"},
		"deep lists":           {"version: " + strings.Repeat("[", 1<<20), "[nesting]"},
		"deep closed lists":    {"version: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "[nesting]"},
		"deep mappings":        {strings.Repeat("a: {", 9000), "is not YAML"},
		"deep block lists":     {strings.Repeat("- ", 1<<20), "[nesting]"},
		"deep keys":            {strings.Repeat("? ", 1<<20), "[nesting]"},
		"many errors":          {rules, "… and"},
		"many duplicate keys":  {"{" + strings.Repeat("a: 1, ", 100_000) + "}", "[duplicate-key]"},
		"many control signs":   {strings.Repeat("\x01\n", 1<<20), "[encoding]"},
		"a long key":           {strings.Repeat("x", 1<<20) + ": 1", "[syntax]"},
		"a long unknown word":  {"version: 1\nsubscriptions: [" + sub1 + "]\ncloud: " + strings.Repeat("x", 1<<20), "[value]"},
		"a long glob":          {"version: 1\nsubscriptions: [" + sub1 + "]\nvms:\n" + strings.Repeat("  - {name: a, match: {names: ['"+strings.Repeat("*a", 1<<14)+"']}, protect: false}\n", 20), "[duplicate-name]"},
		"many documents":       {strings.Repeat("---\n", 1<<18), "[second-document]"},
		"many variables":       {"version: 1\ntenant: \"" + strings.Repeat("${NO}", 10_000) + "\"", "[variable]"},
		"a variable, unclosed": {"version: 1\ntenant: \"" + strings.Repeat("${", 100_000) + "\"", "[variable]"},
	}
	// The measure is what the YAML library alone takes for the largest file, on this machine and in this minute: about
	// a quarter of a second on an idle one. What grows faster than the file would need hundreds of times as long.
	start := time.Now()
	if err := yaml.Unmarshal([]byte(rules), &yaml.Node{}); err != nil {
		t.Fatal(err)
	}
	limit := 30 * max(time.Since(start), 100*time.Millisecond)
	for name, tt := range tests {
		start := time.Now()
		_, _, err := loadText(t, tt.text)
		if took := time.Since(start); took > limit {
			t.Errorf("%s: took %v, more than %v", name, took, limit)
		} else {
			t.Logf("%s: %v of %v", name, took, limit)
		}
		if err == nil || !strings.Contains(err.Error(), tt.rule) {
			t.Errorf("%s: error %.200v, want one with %q", name, err, tt.rule)
		}
	}
}
