// Package policies holds policies to start from, one file each, and gives them to `azbackup init --policy`.
package policies

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names returns the names of the policies, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the files are in the program
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Text returns the file of a policy.
func Text(name string) (string, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return "", fmt.Errorf("%q is not one of %s", name, strings.Join(Names(), ", "))
	}
	return string(text), nil
}

// Entry returns the policy of a file as it stands in a list of `policies`, indented by two spaces, with the comments
// before it.
func Entry(name string) (string, error) {
	text, err := Text(name)
	if err != nil {
		return "", err
	}
	why, entry, _ := strings.Cut(text, "version: 1\npolicies:\n")
	var b strings.Builder
	for line := range strings.Lines(why) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# yaml-language-server") {
			b.WriteString("  " + line)
		}
	}
	return b.String() + entry, nil
}
