// Command estategen writes a big estate file to standard output, and on request a config that fits it: a fleet over
// several subscriptions and regions, with every state a protected item can be in. The same options give the same
// bytes. Its bodies follow docs/azure.md alone, like the simulator that reads them, and it shares no code with it.
//
// # Reading order
//
//	the command, and the layout  main.go, fleet.go, organisation.go
//	the resources                machine.go, machine_body.go, item.go, vault_body.go
//	the two files                config.go, write.go
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("estategen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	vms := flags.Int("vms", 1000, "how many virtual machines")
	vaults := flags.Int("vaults", 0, "how many vaults; 0 = one for each 800 machines")
	subscriptions := flags.Int("subscriptions", 0, "how many subscriptions; 0 = one for each dozen vaults, from 2 to 10")
	crowded := flags.Bool("crowded", false, "let a vault hold more machines than Azure allows, to compare few vaults with many")
	organisation := flags.Bool("organisation", false, "put the subscriptions below three management groups: one is disabled, two are unreadable")
	seed := flags.Uint64("seed", 1, "the estate's seed")
	share := flags.Float64("protected-share", 0.9, "the share of the machines that are in a vault")
	taken := flags.String("taken", "2026-11-20T06:00:00Z", "when the estate was taken; all dates go back from there")
	config := flags.String("config", "", "write the config that fits the estate to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, *taken)
	if err != nil {
		return fmt.Errorf("reading -taken: %w", err)
	}
	f, err := newFleet(layout{vms: *vms, vaults: *vaults, subscriptions: *subscriptions, crowded: *crowded, organisation: *organisation}, *seed, *share, at)
	if err != nil {
		return err
	}
	if *config != "" {
		if err := os.WriteFile(*config, f.config(), 0o600); err != nil {
			return fmt.Errorf("writing the config: %w", err)
		}
	}
	out := bufio.NewWriterSize(stdout, 1<<20)
	if err := f.write(out); err != nil {
		return fmt.Errorf("writing the estate: %w", err)
	}
	return out.Flush()
}
