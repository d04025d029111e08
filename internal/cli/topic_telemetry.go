package cli

import (
	"strings"

	"github.com/azbackup/azbackup/internal/telemetry"
)

// telemetryTopic explains what is sent to an OpenTelemetry collector.
func telemetryTopic() string {
	return strings.TrimSpace(`
Where the environment names an OpenTelemetry collector, each run sends it spans and metrics over OTLP. Without one of these
variables nothing is sent:

  ` + strings.Join(telemetry.Variables(), "\n  ") + `

The other variables of the specification hold, too: OTEL_EXPORTER_OTLP_PROTOCOL (http/protobuf, http/json or grpc), …_HEADERS,
…_CERTIFICATE, …_TIMEOUT, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_EXPORTER=none, OTEL_METRICS_EXPORTER=none,
OTEL_SDK_DISABLED=true.

spans
  the run (azbackup apply)  its correlation id, which Azure's logs have too, and its exit code
  a change (protect, …)     target, vault, subscription, outcome, Azure's code and request id
  a request (GET policies)  each attempt: path, status, request id, subscription, vault; below the change that it is for

metrics
  azbackup.changes          by action and outcome
  azbackup.requests         by kind, method and status
  azbackup.throttles        times that a quota held requests back, by quota and reason; azbackup.throttled.time in seconds
  azbackup.runs             by command and exit code

No token, no body and no query of a URL is sent; names of machines, vaults and groups are. Requests for signing in have no
span. A collector that is down changes no exit code, and delays the end by five seconds at most: what could not be delivered
is one warning.`)
}
