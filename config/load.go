package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultFile is read when no file is named.
const DefaultFile = "azbackup.yaml"

// Stdin is the path that stands for standard input; stdinName is how messages and reports name it.
const (
	Stdin     = "-"
	stdinName = "stdin"
)

// maxSize bounds one file, in bytes: a file of a million VMs by id has about 200 MB. It keeps a wrong file (a backup, a
// log) from being read for minutes.
const maxSize = 256 << 20

// Load reads the files and directories (a directory stands for its *.yaml, sorted), joins them in order, and
// checks everything that can be checked without Azure. env looks up ${NAME}, like [os.LookupEnv].
//
// Without paths it reads [DefaultFile]; it does not read [Stdin], see [LoadWithStdin]. It returns warnings, and a
// *[LoadError] with every problem found; then the Config is nil.
func Load(paths []string, env func(string) (string, bool)) (*Config, []Problem, error) {
	return LoadWithStdin(paths, nil, env)
}

// LoadWithStdin is [Load], and reads the path [Stdin] from stdin up to its end.
func LoadWithStdin(paths []string, stdin io.Reader, env func(string) (string, bool)) (*Config, []Problem, error) {
	if len(paths) == 0 {
		paths = []string{DefaultFile}
	}
	out := &diagnostics{}
	files := findFiles(paths, out)
	var sources []*source
	for i, name := range files {
		var src *source
		if files[i] = displayName(name); name == Stdin {
			src = readStdin(stdin, out)
		} else {
			src = readFile(name, out)
		}
		if src != nil {
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
		if p == Stdin {
			files = append(files, p)
			continue
		}
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
			out.failFile(displayName(f), nil, "", "the file is named twice")
			continue
		}
		unique = append(unique, f)
	}
	return unique
}

// displayName returns how messages name a path.
func displayName(path string) string {
	if path == Stdin {
		return stdinName
	}
	return path
}

func filesIn(dir string, out *diagnostics) []string {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		out.failFile(dir, err, "", "the directory cannot be read: %s", systemReason(err))
		return nil
	}
	var files []string
	for _, e := range entries {
		switch ext := filepath.Ext(e.Name()); {
		case ext == ".yaml":
			if !e.IsDir() {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		case strings.EqualFold(ext, ".yml"), strings.EqualFold(ext, ".yaml"):
			out.failFile(filepath.Join(dir, e.Name()), nil, "rename it", "of a directory only *.yaml is read, and this is %s", ext)
		}
	}
	if len(files) == 0 {
		out.failFile(dir, nil, "", "the directory holds no *.yaml file")
	}
	return files
}

// readStdin reads a config from a stream that cannot be measured before.
func readStdin(stdin io.Reader, out *diagnostics) *source {
	if stdin == nil {
		out.failFile(stdinName, nil, "name a file", "standard input cannot be read here")
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxSize+1))
	switch {
	case err != nil:
		out.failFile(stdinName, err, "", "standard input cannot be read: %s", systemReason(err))
		return nil
	case len(text) > maxSize:
		failSize(stdinName, "more bytes", out)
		return nil
	}
	return &source{name: stdinName, text: string(text)}
}

func failSize(name, size string, out *diagnostics) {
	out.failFile(name, nil, "split it: a directory of *.yaml files is read as one config", "the file is too large: %s, at most %d", size, maxSize)
}

func readFile(name string, out *diagnostics) *source {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxSize {
		failSize(name, fmt.Sprintf("%d bytes", info.Size()), out)
		return nil
	}
	var text strings.Builder // the file is in memory once
	if err == nil {
		text.Grow(int(info.Size()))
		err = readInto(&text, name)
	}
	if err != nil {
		out.failFile(name, err, "", "the file cannot be read: %s", systemReason(err))
		return nil
	}
	if text.Len() > maxSize { // a pipe tells no size
		failSize(name, "more bytes", out)
		return nil
	}
	return &source{name: name, text: text.String()}
}

// readInto appends a file, or as much of it as shows that it is too large.
func readInto(text *strings.Builder, name string) error {
	f, err := os.Open(name) //nolint:gosec // the caller names the file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	_, err = io.Copy(text, io.LimitReader(f, maxSize+1))
	return err
}

// systemReason returns the system's message without the path, which the problem names already.
func systemReason(err error) string {
	if pathErr, ok := err.(*fs.PathError); ok { //nolint:errorlint // only the outermost names the path again
		err = pathErr.Err
	}
	return strings.ToLower(clip(err.Error()))
}

// Reread returns c as [Load] would read it back, were it the only file and written by [Config.Encode]. What Load would
// refuse is a *[LoadError] whose problems stand in the text that was written.
func (c *Config) Reread() (*Config, error) {
	text, err := c.Encode(nil)
	if err != nil {
		return nil, err
	}
	out := &diagnostics{}
	nothing := func(string) (string, bool) { return "", false }
	again := read([]*source{{text: string(text)}}, true, newVariables(nothing, out), out)
	if _, err := out.sortedResult(nil); err != nil {
		return nil, err
	}
	return again, nil
}
