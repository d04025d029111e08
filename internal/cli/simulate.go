package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/internal/simulator"
)

type simulateFlags struct {
	listen   string
	anywhere bool
	estate   string
	tls      string
	urlFile  string
	settings string
	faults   string
	quota    string
	clock    string
	speed    float64
	opTime   time.Duration
	latency  time.Duration
	retry    int
	retrySet bool // --retry-after was given
	seed     uint64
	quiet    bool
	stats    string
}

func (a *app) simulateCommand() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve a simulated Azure on loopback",
		Long: "Serves the estate in FILE (as azbackup snapshot writes it) as Azure Resource Manager, Recovery Services and a sign-in\n" +
			"would: for azbackup --endpoint URL, and for any other client. What clients change is kept in FILE. The URL is printed\n" +
			"on stdout, a line per request on stderr. Ctrl-C ends it.",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.stats != "" {
				return a.printSimulatorStats(cmd.Context(), f.stats)
			}
			f.retrySet = cmd.Flags().Changed("retry-after")
			return a.simulate(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:0", "`HOST:PORT` to listen on; port 0 takes a free one")
	flags.BoolVar(&f.anywhere, "listen-anywhere", false, "allow --listen to name an address that other machines reach")
	flags.StringVar(&f.estate, "estate", "", "the estate `FILE`")
	flags.StringVar(&f.tls, "tls", "", "serve https with a throw-away certificate authority, written to `DIR`/ca.pem")
	flags.StringVar(&f.urlFile, "url-file", "", "write the URL to `FILE` once requests are taken")
	flags.StringVar(&f.settings, "settings", "", "JSON `FILE` with the simulator's settings")
	flags.StringVar(&f.faults, "faults", "", "JSON `FILE` with a list of faults to inject")
	flags.StringVar(&f.quota, "quota", "", "enforce the quotas of `PROFILE`: "+strings.Join(simulator.Quotas(), ", "))
	addClockFlag(cmd, &f.clock)
	flags.Float64Var(&f.speed, "speed", 1, "how much faster than the clock simulated time runs")
	flags.DurationVar(&f.opTime, "operation-time", 0, "how long every operation takes (default: as recorded from Azure)")
	flags.DurationVar(&f.latency, "latency", 0, "added to every request")
	flags.IntVar(&f.retry, "retry-after", 0, "`SECONDS` of the Retry-After header; -1: no header (default 60, as Azure, or --operation-time)")
	flags.Uint64Var(&f.seed, "seed", 0, "makes durations and seeded faults repeat")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no request log")
	flags.StringVar(&f.stats, "stats", "", "print what the simulator at `URL` was asked for, and end")
	return cmd
}

func (a *app) simulate(ctx context.Context, f simulateFlags) (err error) {
	if f.estate == "" {
		return withHint(errors.New("--estate names no file"), "azbackup snapshot writes one from what exists")
	}
	if err := f.checkListenAddress(); err != nil {
		return err
	}
	options, err := f.simulatorOptions()
	if err != nil {
		return err
	}
	if !f.quiet {
		options.Log = a.logRequest
	}
	sim, err := simulator.Open(f.estate, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sim.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	url := "http://" + listener.Addr().String()
	if f.tls != "" {
		listener, err = withTLS(listener, f.tls, a.Now())
		if err != nil {
			return err
		}
		url = "https://" + listener.Addr().String()
	}
	fmt.Fprintln(a.Out, url)
	if f.urlFile != "" {
		if err := writeFile(f.urlFile, func(w io.Writer) error { _, err := fmt.Fprintln(w, url); return err }); err != nil {
			return err
		}
	}
	return serve(ctx, listener, sim)
}

// serve answers requests until ctx ends; then it returns nil, after requests in progress had a second to end.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: exitsOnPanic{h}, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() {
		defer crash.ExitOnPanic()
		failed <- server.Serve(l)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		return server.Close()
	}
	return nil
}

// exitsOnPanic is a handler whose panics end the process: net/http would recover and go on.
type exitsOnPanic struct{ http.Handler }

// ServeHTTP implements [http.Handler].
func (h exitsOnPanic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler: // how a handler breaks a connection
			panic(p)
		default:
			crash.Exit(p)
		}
	}()
	h.Handler.ServeHTTP(w, r)
}

// checkListenAddress returns an error where other machines could reach the address, unless --listen-anywhere is given: a
// simulated Azure checks no rights.
func (f *simulateFlags) checkListenAddress() error {
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return usageError("--listen: %w", err)
	}
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && ip.IsLoopback() || f.anywhere {
		return nil
	}
	return withHint(fmt.Errorf("--listen %q can be reached from other machines, and the simulator lets everybody in", f.listen),
		"--listen-anywhere allows it")
}

// simulatorOptions returns the simulator's options, from its settings file and the flags; flags win.
func (f *simulateFlags) simulatorOptions() (simulator.Options, error) {
	wall, err := isWallClock(f.clock)
	o := simulator.Options{Speed: f.speed, WallClock: wall}
	if err != nil {
		return o, err
	}
	if err := readJSON(f.settings, &o.Settings); err != nil {
		return o, fmt.Errorf("reading the settings: %w", err)
	}
	var faults []simulator.Fault
	if err := readJSON(f.faults, &faults); err != nil {
		return o, fmt.Errorf("reading the faults: %w", err)
	}
	o.Settings.Faults = append(o.Settings.Faults, faults...)
	if f.quota != "" {
		o.Settings.Quota = f.quota
	}
	if f.opTime > 0 {
		o.Settings.Durations = map[string]simulator.Range{"": simulator.Fixed(f.opTime)}
		// A Retry-After of 60 s for an operation of 2 s would only cost time.
		o.Settings.RetryAfter = new(min(60, max(1, int(f.opTime.Seconds()))))
	}
	if f.latency > 0 {
		o.Settings.Latency = simulator.Fixed(f.latency)
	}
	if f.retrySet {
		o.Settings.RetryAfter = &f.retry
	}
	if f.seed != 0 {
		o.Settings.Seed = f.seed
	}
	return o, nil
}

// readJSON decodes a JSON file strictly; path "" leaves v unchanged.
func readJSON(path string, v any) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	return nil
}

func (a *app) logRequest(e simulator.Entry) {
	text := fmt.Sprintf("%s %3d %-6s %s %s %s", e.Time.Format("15:04:05.000"), e.Status, e.Method, e.Path, e.Code, e.Fault)
	text = report.Line(strings.TrimRight(text, " "))
	a.log.Info(text, "method", e.Method, "path", e.Path, "status", e.Status, "kind", e.Kind, "code", e.Code, "fault", e.Fault,
		"seconds", e.Took.Seconds(), "client_request_id", e.ClientID, "bytes", e.Bytes)
}
