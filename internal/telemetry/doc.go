// Package telemetry sends what a run does to an OpenTelemetry collector: a span per request to Azure and per change, and
// counts of their outcomes. It is off unless the environment names a collector, by the variables of the OpenTelemetry
// specification; off, a run pays a nil check per request.
//
// Decisions:
//
//   - The SDK of OpenTelemetry and its OTLP exporters are used as they are. Their HTTP exporter links gRPC anyway, so both
//     protocols are supported.
//   - Spans are made from what the client of Azure and the engine report, not by instrumentation inside them: no header is
//     added to a request, and neither of them knows this package. azcore's own tracing names a span by its URL, query
//     included.
//   - A run waits for a collector only at its end, for [flushTimeout] at most. What the collector says of a delivery
//     that failed is not repeated: it may quote the URL and what was sent.
//   - No token, no body, no query of a URL is in a span: signed links have their secret in the query.
//
// To read it: start.go (the environment, the exporters), run.go (spans), counters.go (metrics),
// failure.go (what is said of a delivery that failed).
package telemetry
