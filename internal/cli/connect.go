package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/internal/simulator"
)

// accessToken is the variable that holds a bearer token for --endpoint.
const accessToken = "AZBACKUP_ACCESS_TOKEN"

// auxiliaryToken is the variable that holds a token for resource guards of other tenants, for --endpoint as well.
const auxiliaryToken = "AZBACKUP_AUXILIARY_TOKEN"

// azureFlags select the Azure that a command connects to.
type azureFlags struct {
	simulate, endpoint string
	clock              string
	isRealTime         bool
}

func (f *azureFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.simulate, "simulate", "", "talk to a simulated Azure whose state is `FILE` (an estate written by snapshot)")
	addClockFlag(cmd, &f.clock)
	cmd.Flags().BoolVar(&f.isRealTime, "real-time", false, "with --simulate: let operations take as long as Azure's, not a second at most")
	cmd.Flags().StringVar(&f.endpoint, "endpoint", "",
		"talk to another Azure Resource Manager `URL`; the token is taken from "+accessToken+" where that is set")
}

// The values of --clock: when a simulated Azure's clock starts.
const (
	clockEstate = "estate"
	clockWall   = "wall"
)

func addClockFlag(cmd *cobra.Command, clock *string) {
	cmd.Flags().StringVar(clock, "clock", clockEstate,
		"`TIME` at which a simulated Azure starts: estate (when the estate was taken, or where its clock stopped) or wall (now)")
}

// isWallClock parses --clock.
func isWallClock(clock string) (bool, error) {
	if clock != clockEstate && clock != clockWall {
		return false, usageError("--clock %q is not %s or %s", clock, clockEstate, clockWall)
	}
	return clock == clockWall, nil
}

// maxRehearsalTime is the longest duration of an operation with --simulate, unless --real-time is given.
const maxRehearsalTime = time.Second

// simulatorOptions returns the options of the simulated Azure that the flags request.
func (f *azureFlags) simulatorOptions() (o simulator.Options, err error) {
	if !f.isRealTime {
		o.Longest = maxRehearsalTime
	}
	o.WallClock, err = isWallClock(f.clock)
	return o, err
}

// session is a connection to one Azure.
type session struct {
	*azure.Client
	waits          *waits
	simulated      *simulator.Server
	isSkewReported bool // the warning about the machine's clock was printed
}

// connect signs in, prints the identity to stderr, and refuses another tenant than that of the config. auxiliary are the
// tenants of resource guards in other tenants. The caller closes the session.
func (a *app) connect(
	ctx context.Context, command azure.Command, f azureFlags, cloud config.Cloud, tenant string, auxiliary ...string,
) (*session, error) {
	if f.simulate != "" && f.endpoint != "" {
		return nil, usageError("--simulate and --endpoint exclude each other")
	}
	if f.simulate == "" && (f.isRealTime || f.clock != clockEstate) {
		return nil, usageError("--clock and --real-time go with --simulate")
	}
	simulation, err := f.simulatorOptions()
	if err != nil {
		return nil, err
	}
	s := &session{waits: newWaits(a, command)}
	options := arm.Options{
		Cloud:  arm.Cloud{Name: cloud.Name, Endpoint: cloud.Endpoint, Audience: cloud.Audience, Authority: cloud.Authority},
		Tenant: tenant, AuxiliaryTenants: auxiliary, Endpoint: f.endpoint, Version: a.Version, Now: a.Now,
		OnThrottle: func(t arm.Throttle) {
			a.telemetry.Throttle(t)
			s.waits.observe(t)
		},
		OnExchange: a.onExchange,
	}
	if f.simulate != "" {
		server, err := simulator.Open(f.simulate, simulation)
		if err != nil {
			return nil, fmt.Errorf("simulating %q: %w", f.simulate, err)
		}
		s.simulated = server
		options.Endpoint, options.AccessToken, options.Transport = "https://simulator.invalid", "simulated", server.Transport()
		options.AuxiliaryToken = "simulated"
	} else if f.endpoint != "" {
		options.AccessToken, _ = a.Env(accessToken)
		options.AuxiliaryToken, _ = a.Env(auxiliaryToken)
	}
	if s.Client, err = azure.New(command, options); err != nil {
		return nil, errors.Join(err, s.close())
	}
	a.beginRecords(ctx, command, s.CorrelationID())
	s.waits.watch(s.Client)
	if err := a.reportIdentity(ctx, s, f, tenant); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// reportIdentity prints the identity, and checks the tenant.
func (a *app) reportIdentity(ctx context.Context, s *session, f azureFlags, tenant string) error {
	if s.simulated != nil {
		words := "simulated Azure in " + report.Line(f.simulate) + ": times are the estate's"
		if !f.isRealTime {
			words += ", and no operation takes over a second"
		}
		a.log.Info(words, "simulate", f.simulate)
		return nil
	}
	who, err := s.WhoAmI(ctx)
	if err != nil {
		return err
	}
	words := []string{"cloud " + who.Cloud}
	if f.endpoint != "" {
		words = append(words, "at "+who.Endpoint)
	}
	words = append(words, "tenant "+orUnknown(who.Tenant), "principal "+orUnknown(who.Name), who.Kind)
	a.log.Info(oneLine(strings.Join(words, ", ")),
		"cloud", who.Cloud, "endpoint", who.Endpoint, "tenant", who.Tenant, "principal", who.Name, "object_id", who.ObjectID,
		"credential", who.Kind)
	if tenant != "" && !strings.EqualFold(tenant, who.Tenant) {
		return withCode(exitDenied, fmt.Errorf("signed in to tenant %q, but the config says %q", orUnknown(who.Tenant), tenant),
			"az login --tenant "+tenant)
	}
	return nil
}

func orUnknown(s string) string { return cmp.Or(s, "unknown") }

// close ends the reports of waits, and writes the simulated Azure's state to its file.
func (s *session) close() error {
	s.waits.end()
	if s.simulated == nil {
		return nil
	}
	return s.simulated.Close()
}
