package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
)

// htmlHead describes the table of VMs for the page's script. Its rows follow: one array per VM, in the order of Fields,
// with the words that repeat meant by their index; and then the words, each said once. So 10,000 VMs stay below 5 MB.
type htmlHead struct {
	States        []htmlWord `json:"states"`
	Subscriptions []htmlWord `json:"subscriptions"`
	Fields        []string   `json:"fields"`
}

type htmlWord struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

func newHead(r audit.Result) htmlHead {
	d := htmlHead{
		Fields: []string{
			"id", "name", "group", "subscription", "location", "state", "also", "because", "vault", "policy", "point", "age",
			"maxAge", "rule", "codes", "tags", "notes", "protectionState",
		},
		Subscriptions: []htmlWord{},
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
	return d
}

// writeHTMLData writes the data of the page's script row by row, as JSON that can end no element of HTML.
func writeHTMLData(w *bufio.Writer, r audit.Result) error {
	head, err := json.Marshal(newHead(r))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `%s,"rows":[`, head[:len(head)-1]) // its brace is closed behind the words
	codes := map[armid.Key][]string{}
	for _, f := range r.Findings {
		codes[armid.Of(f.Target)] = append(codes[armid.Of(f.Target)], f.Code)
	}
	words, index := []string{}, map[string]int{}
	word := func(s string) int {
		s = escapeInvisible(s)
		i, ok := index[s]
		if !ok {
			i = len(words)
			index[s] = i
			words = append(words, s)
		}
		return i
	}
	var row []any
	between := ""
	for i := range r.VMs {
		vm := &r.VMs[i]
		row = append(row[:0],
			escapeInvisible(vm.ID), escapeInvisible(vm.Name), word(vm.ResourceGroup), word(vm.Subscription), word(vm.Location),
			slices.Index(htmlOrder(), vm.State), joinStates(vm.Also), word(vm.Because), word(lastName(vm.Vault)), word(vm.Policy),
			formatTime(vm.LastRecoveryPoint), vm.AgeSeconds, vm.MaxAgeSeconds, word(describeRule(vm.Rule)), word(strings.Join(codes[armid.Of(vm.ID)], " ")),
			htmlTags(vm.Tags, word), word(strings.Join(vm.Notes, "; ")), word(vm.ProtectionState),
		)
		if r.Summary.RestoreProven != nil {
			row = append(row, htmlProven(*vm), escapeInvisible(describeRestoreTest(*vm)))
		}
		line, err := json.Marshal(row)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s%s", between, line)
		between = ",\n"
	}
	said, err := json.Marshal(words)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `],"words":%s}`, said) // w keeps the first error
	return err
}

// htmlTags returns tags as "name=value" words, sorted by name; the name is folded as the filters' is.
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
