package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/examples/policies"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// A shell asks for completions at each press of a key. They come from the config and from the estate of --simulate, never
// from the network; a file that cannot be read gives no completions and no error.

// maxCompletedEstate is the largest estate file, in bytes, that completions are read from: a larger one would make the
// shell wait.
const maxCompletedEstate = 64 << 20

// registerCompletions adds completions to the flags and arguments of root and of all commands below it.
func registerCompletions(root *cobra.Command, env func(string) (string, bool)) {
	for name, complete := range flagCompletions(env) {
		for _, flags := range []*pflag.FlagSet{root.LocalNonPersistentFlags(), root.PersistentFlags()} {
			if flags.Lookup(name) != nil {
				// The only error is a second registration of a flag, which the table's keys exclude.
				_ = root.RegisterFlagCompletionFunc(name, complete)
			}
		}
	}
	switch root.Name() {
	case "backup", "explain", "points", "restore":
		root.ValidArgsFunction = completeVM(env, "")
	}
	for _, cmd := range root.Commands() {
		registerCompletions(cmd, env)
	}
}

// unquoteUsage removes the quotes around the names of flags' values, which help and the manual need: shells would show
// them.
func unquoteUsage(cmd *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{cmd.LocalNonPersistentFlags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") })
	}
	for _, sub := range cmd.Commands() {
		unquoteUsage(sub)
	}
}

// flagCompletions returns the completions of flags, by name: a flag of one name has one meaning in all commands.
func flagCompletions(env func(string) (string, bool)) map[string]cobra.CompletionFunc {
	words := func(words ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
	}
	files := func(extensions ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
	}
	var severities []string
	for _, s := range audit.Severities() {
		severities = append(severities, string(s))
	}
	return map[string]cobra.CompletionFunc{
		"log-format":   words(logText, logJSON),
		"clock":        words(clockEstate, clockWall),
		"source":       words(sourceARM, sourceGraph),
		"fail-on":      words(append(severities, failNever)...),
		"quota":        words(simulator.Quotas()...),
		"role":         words(commandNames()...),
		"policy":       words(policies.Names()...),
		"at":           words(scopeNames()...),
		"disks":        words("all", "os"),
		"group-by":     words("resource-group", "tag:", "none"),
		"file":         files("yaml", "yml"),
		"simulate":     files("json"),
		"prices":       files("yaml"),
		"estate":       files("json"),
		"settings":     files("json"),
		"faults":       files("json"),
		"baseline":     files("json"),
		"tls":          cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		"format":       completeFormat,
		"output":       completeOutput,
		"only":         completeOnly(env),
		"subscription": completeFromEstate(env, (*completionSource).subscriptions),
		"into":         completeFromEstate(env, (*completionSource).groups),
		"staging":      completeFromEstate(env, (*completionSource).accounts),
	}
}

// completeFormat completes --format with what its usage lists.
func completeFormat(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return formatsOf(cmd), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// completeOutput completes the FORMAT of FORMAT=FILE; the shell completes the file.
func completeOutput(cmd *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if strings.Contains(toComplete, "=") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var all []string
	for _, format := range formatsOf(cmd) {
		all = append(all, format+"=")
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// formatsOf returns the formats of a command, as outputFlags lists them after the colon of the flag's usage.
func formatsOf(cmd *cobra.Command) []string {
	format := cmd.Flag("format")
	if format == nil {
		return nil
	}
	_, list, _ := strings.Cut(format.Usage, ": ")
	return strings.Split(list, ", ")
}

// completeOnly completes rule=NAME, vault=NAME, group=GLOB, vm=GLOB and restore-tests.
func completeOnly(env func(string) (string, bool)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		key, _, named := strings.Cut(toComplete, "=")
		if !named {
			return []string{
					string(plan.FilterByRule) + "=", string(plan.FilterByVault) + "=", string(plan.FilterByGroup) + "=",
					string(plan.FilterByVM) + "=", string(plan.FilterTests),
				},
				cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		s := readCompletionSource(cmd, env)
		var names []string
		switch plan.FilterKey(key) {
		case plan.FilterByRule:
			names = s.rules()
		case plan.FilterByVault:
			names = s.vaults()
		case plan.FilterByGroup:
			names = s.vmGroups()
		case plan.FilterTests:
		case plan.FilterByVM:
			return completeVM(env, key+"=")(cmd, nil, toComplete)
		}
		for i, name := range names {
			names[i] = key + "=" + name
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeVM completes names of VMs, each after prefix, those in args left out.
func completeVM(env func(string) (string, bool), prefix string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if cmd.Name() == "explain" && len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var all []string
		for _, name := range readCompletionSource(cmd, env).vms() {
			if !slices.Contains(args, name) {
				all = append(all, prefix+name)
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

func completeFromEstate(env func(string) (string, bool), names func(*completionSource) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return names(readCompletionSource(cmd, env)), cobra.ShellCompDirectiveNoFileComp
	}
}

// completionSource holds what completions are taken from. Both parts may be empty.
type completionSource struct {
	config config.Config
	estate completedEstate
}

// completedEstate is the part of an estate file that completions need.
type completedEstate struct {
	Subscriptions []struct {
		ID   string `json:"subscriptionId"`
		Name string `json:"displayName"`
	} `json:"subscriptions"`
	Groups   []completedResource `json:"resourceGroups"`
	VMs      []completedResource `json:"virtualMachines"`
	Items    []completedItem     `json:"protectedItems"`
	Vaults   []completedResource `json:"vaults"`
	Accounts []completedResource `json:"storageAccounts"`
}

type completedResource struct {
	ID string `json:"id"`
}

// completedItem is a protected item, for the name of its VM, which may not exist any more.
type completedItem struct {
	Properties struct {
		VM string `json:"sourceResourceId"`
	} `json:"properties"`
}

// readCompletionSource reads the files that the command line names so far.
func readCompletionSource(cmd *cobra.Command, env func(string) (string, bool)) *completionSource {
	s := &completionSource{}
	var files []string
	if f := cmd.Flag("file"); f != nil {
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, name := range list.GetSlice() { // cobra parses the flags twice
				if !slices.Contains(files, name) {
					files = append(files, name)
				}
			}
		}
	}
	if c, _, err := config.Load(files, env); err == nil {
		s.config = *c
	}
	if f := cmd.Flag("simulate"); f != nil && f.Value.String() != "" {
		// A part that was read before an error completes as well as the whole.
		_ = readCompletedEstate(f.Value.String(), &s.estate)
	}
	return s
}

func readCompletedEstate(path string, estate *completedEstate) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxCompletedEstate {
		return errors.New("not read for completions")
	}
	return json.NewDecoder(f).Decode(estate)
}

func (s *completionSource) rules() []string {
	var names []string
	for _, r := range s.config.Rules {
		names = append(names, r.Name)
	}
	return completable(names)
}

func (s *completionSource) vaults() []string {
	var names []string
	for _, v := range s.config.Vaults {
		names = append(names, v.Name)
	}
	for _, v := range s.estate.Vaults {
		names = append(names, lastSegment(v.ID))
	}
	return completable(names)
}

// vms returns the names of the VMs of the estate, and of those of which only the backup is left; without an estate
// those of the VMs that the rules name.
func (s *completionSource) vms() []string {
	var names []string
	for _, vm := range s.estate.VMs {
		names = append(names, lastSegment(vm.ID))
	}
	for _, it := range s.estate.Items {
		names = append(names, lastSegment(it.Properties.VM))
	}
	if len(names) > 0 {
		return completable(names)
	}
	for _, r := range s.config.Rules {
		names = append(names, lastSegment(r.ID))
		for _, m := range r.Match {
			names = append(names, slices.DeleteFunc(slices.Clone(m.Names), func(n string) bool { return strings.ContainsAny(n, "*?") })...)
		}
	}
	return completable(names)
}

// vmGroups returns the resource groups of the VMs, also of those of which only the backup is left.
func (s *completionSource) vmGroups() []string {
	var names []string
	add := func(id string) {
		if vm, err := armid.ParseVM(id); err == nil {
			names = append(names, vm.ResourceGroup)
		}
	}
	for _, vm := range s.estate.VMs {
		add(vm.ID)
	}
	for _, it := range s.estate.Items {
		add(it.Properties.VM)
	}
	return completable(names)
}

func (s *completionSource) subscriptions() []string {
	described := map[string]string{}
	for _, id := range s.config.Subscriptions {
		described[id] = ""
	}
	for _, sub := range s.estate.Subscriptions {
		described[strings.ToLower(sub.ID)] = sub.Name
	}
	var all []string
	for id, name := range described {
		if isCompletable(id) && isCompletable(cmp.Or(name, "-")) {
			all = append(all, strings.TrimSuffix(id+"\t"+name, "\t"))
		}
	}
	slices.Sort(all)
	return all
}

func (s *completionSource) groups() []string { return completedNames(s.estate.Groups) }

func (s *completionSource) accounts() []string { return completedNames(s.estate.Accounts) }

func completedNames(all []completedResource) []string {
	var names []string
	for _, r := range all {
		names = append(names, lastSegment(r.ID))
	}
	return completable(names)
}

func lastSegment(id string) string {
	parsed, err := armid.Parse(id)
	if err != nil {
		return id[strings.LastIndex(id, "/")+1:]
	}
	return parsed.Name()
}

// completable returns the names that may be handed to a shell, sorted, each once.
func completable(names []string) []string {
	names = slices.DeleteFunc(names, func(n string) bool { return !isCompletable(n) })
	slices.Sort(names)
	return slices.Compact(names)
}

// isCompletable reports whether a text has no character that could have a meaning to a shell: the names in a file are
// untrusted.
func isCompletable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./@+, ", r)
	})
}
