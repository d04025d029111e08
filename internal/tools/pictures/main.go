// Pictures makes the pictures of the README from what the program writes: a terminal with a plan, and the page of an audit,
// each in a light and a dark form. A picture that is still that of today's program is left as it is.
//
//	go generate ./internal/tools/pictures
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run .

func main() {
	err := os.Chdir("../../..") // the top of the repository, from where go generate starts it
	if err == nil {
		err = run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// folder is where the pictures are, from the top of the repository.
const folder = "docs/pictures"

// run brings the pictures of the repository, in whose top folder it runs, up to date. Only a page that changed needs a browser.
func run(ctx context.Context) error {
	terminals, err := terminals(ctx)
	if err != nil {
		return err
	}
	for name, svg := range terminals {
		if err := os.WriteFile(filepath.Join(folder, name), svg, 0o644); err != nil { //nolint:gosec // for everybody
			return err
		}
	}
	page, err := auditPage(ctx)
	if err != nil {
		return err
	}
	for _, scheme := range schemes() {
		name := filepath.Join(folder, auditPicture(scheme))
		old, err := os.ReadFile(name)
		if err == nil && bytes.Equal(digestIn(old), digest(page)) {
			continue
		}
		shot, err := photograph(ctx, page, scheme)
		if err != nil {
			return err
		}
		if shot, err = withDigest(shot, digest(page)); err != nil {
			return err
		}
		if err := os.WriteFile(name, shot, 0o644); err != nil { //nolint:gosec // for everybody
			return err
		}
	}
	return nil
}

// schemes returns the two looks of a page that browsers know.
func schemes() []string { return []string{"light", "dark"} }

func auditPicture(scheme string) string { return "audit-" + scheme + ".png" }

// terminals returns the pictures of terminals by their name.
func terminals(ctx context.Context) (map[string][]byte, error) {
	text, err := recordPlan(ctx)
	if err != nil {
		return nil, err
	}
	pictures := map[string][]byte{}
	for _, t := range themes() {
		svg, err := draw("What azbackup plan prints for the file above", text, t)
		if err != nil {
			return nil, err
		}
		pictures["plan-"+t.name+".svg"] = svg
	}
	return pictures, nil
}
