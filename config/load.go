package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultFile is read when no file is named.
const DefaultFile = "azbackup.yaml"

// maxSize bounds one file, in bytes: a file of a million VMs by id has about 200 MB. It keeps a wrong file (a backup, a
// log) from being read for minutes.
const maxSize = 256 << 20

// Load reads the files and directories (a directory stands for its *.yaml, sorted), joins them in order, and
// checks everything that can be checked without Azure. env looks up ${NAME}, like [os.LookupEnv].
//
// It returns warnings, and a *[LoadError] with every problem found; then the Config is nil.
func Load(paths []string, env func(string) (string, bool)) (*Config, []Problem, error) {
	if len(paths) == 0 {
		paths = []string{DefaultFile}
	}
	out := &diagnostics{}
	files := findFiles(paths, out)
	var sources []*source
	for _, name := range files {
		if src := readFile(name, out); src != nil {
			sources = append(sources, src)
		}
	}
	c := read(sources, len(out.failures) == 0, newVariables(env, out), out)
	warnings, err := out.sortedResult(files)
	if err != nil {
		return nil, warnings, err
	}
	c.Files = files
	return c, warnings, nil
}

// read makes a config of the texts of its files. Where one of them is missing, or is no YAML, what refers to
// other places is not checked.
func read(sources []*source, complete bool, vars *variables, out *diagnostics) *Config {
	var roots []*node
	for _, src := range sources {
		if root := parse(src, out); root != nil {
			root.dropExtensions()
			vars.expand(root)
			roots = append(roots, root)
		}
	}
	if len(roots) == 0 {
		return nil
	}
	c := &Config{}
	w := newDecoder(out)
	w.decode(join(roots, out), addressable(c), fieldLimits{}, nil)
	c.SubscriptionQuery = w.subscriptionQuery
	c.applyDefaults(func(field any) bool { return w.positions[field] != nil })
	for i := range c.Policies {
		if zone := &c.Policies[i].TimeZone; *zone != "" {
			*zone = w.zones.windows[*zone]
		}
	}
	c.Compile()
	if complete && len(roots) == len(sources) {
		newLinter(c, w).run()
	}
	c.splitVaults()
	return c
}

// dropExtensions leaves out the keys of the file that start with x-: they are a place for anchored values.
func (n *node) dropExtensions() {
	n.pairs = slices.DeleteFunc(n.pairs, func(p pair) bool { return strings.HasPrefix(p.key.text, "x-") })
}

// findFiles lists the files that the paths stand for.
func findFiles(paths []string, out *diagnostics) []string {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			out.failFile(p, err, "", "the file cannot be read: %s", systemReason(err))
		case info.IsDir():
			files = append(files, filesIn(p, out)...)
		default:
			files = append(files, p)
		}
	}
	var unique []string
	for _, f := range files {
		if slices.ContainsFunc(unique, func(u string) bool { return filepath.Clean(u) == filepath.Clean(f) }) {
			out.failFile(f, nil, "", "the file is named twice")
			continue
		}
		unique = append(unique, f)
	}
	return unique
}

func filesIn(dir string, out *diagnostics) []string {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		out.failFile(dir, err, "", "the directory cannot be read: %s", systemReason(err))
		return nil
	}
	var files []string
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".yaml":
			if !e.IsDir() {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		case ".yml":
			out.failFile(filepath.Join(dir, e.Name()), nil, "rename it", "of a directory only *.yaml is read, and this is .yml")
		}
	}
	if len(files) == 0 {
		out.failFile(dir, nil, "", "the directory holds no *.yaml file")
	}
	return files
}

func readFile(name string, out *diagnostics) *source {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxSize {
		out.failFile(name, nil, "split it: a directory of *.yaml files is read as one config",
			"the file is too large: %d bytes, at most %d", info.Size(), maxSize)
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		out.failFile(name, err, "", "the file cannot be read: %s", systemReason(err))
		return nil
	}
	return &source{name: name, text: string(text)}
}

// systemReason is the system's own words, without the path that stands in front already.
func systemReason(err error) string {
	if pathErr, ok := err.(*fs.PathError); ok { //nolint:errorlint // only the outermost names the path again
		err = pathErr.Err
	}
	return strings.ToLower(clip(err.Error()))
}
