package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
)

// htmlData is the table of VMs for the page's script: one array per VM, in the order of Fields, with the words
// that repeat said once and meant by their index. So 10,000 VMs stay below 5 MB.
type htmlData struct {
	States        []htmlWord `json:"states"`
	Subscriptions []htmlWord `json:"subscriptions"`
	Words         []string   `json:"words"`
	Fields        []string   `json:"fields"`
	Rows          [][]any    `json:"rows"`
}

type htmlWord struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

func newData(r audit.Result) htmlData {
	d := htmlData{
		Fields: []string{
			"id", "name", "group", "subscription", "location", "state", "also", "because", "vault", "policy", "point", "age",
			"maxAge", "rule", "codes", "tags", "notes", "protectionState",
		},
		Rows: [][]any{}, Words: []string{}, Subscriptions: []htmlWord{},
	}
	if r.Summary.RestoreProven != nil {
		d.Fields = append(d.Fields, "proven", "test")
	}
	for _, s := range htmlOrder() {
		d.States = append(d.States, htmlWord{string(s), stateLabel(s)})
	}
	for _, s := range r.Scope.Subscriptions {
		d.Subscriptions = append(d.Subscriptions, htmlWord{s.ID, escapeInvisible(s.Name)})
	}
	codes := map[armid.Key][]string{}
	for _, f := range r.Findings {
		codes[armid.Of(f.Target)] = append(codes[armid.Of(f.Target)], f.Code)
	}
	index := map[string]int{}
	word := func(s string) int {
		s = escapeInvisible(s)
		i, ok := index[s]
		if !ok {
			i = len(d.Words)
			index[s] = i
			d.Words = append(d.Words, s)
		}
		return i
	}
	for _, vm := range r.VMs {
		d.Rows = append(d.Rows, []any{
			escapeInvisible(vm.ID), escapeInvisible(vm.Name), word(vm.ResourceGroup), word(vm.Subscription), word(vm.Location),
			slices.Index(htmlOrder(), vm.State), joinStates(vm.Also), word(vm.Because), word(lastName(vm.Vault)), word(vm.Policy),
			formatTime(vm.LastRecoveryPoint), vm.AgeSeconds, vm.MaxAgeSeconds, word(describeRule(vm.Rule)), word(strings.Join(codes[armid.Of(vm.ID)], " ")),
			htmlTags(vm.Tags, word), word(strings.Join(vm.Notes, "; ")), word(vm.ProtectionState),
		})
		if r.Summary.RestoreProven != nil {
			last := len(d.Rows) - 1
			d.Rows[last] = append(d.Rows[last], htmlProven(vm), escapeInvisible(describeRestoreTest(vm)))
		}
	}
	return d
}

// htmlTags are tags as "name=value" words, sorted by name; the name is folded as the filters' is.
func htmlTags(tags map[string]string, word func(string) int) []int {
	words := []int{}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, word(foldKey(name)+"="+tags[name]))
	}
	return words
}

func foldKey(s string) string { return strings.ToLower(s) }

func tagValue(tags map[string]string, name string) (string, bool) {
	for _, n := range slices.Sorted(maps.Keys(tags)) {
		if strings.EqualFold(n, name) {
			return tags[n], true
		}
	}
	return "", false
}
