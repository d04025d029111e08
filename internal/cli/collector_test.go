package cli

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
)

// collector is a process that takes what an OpenTelemetry collector takes, and writes a line per span and per point of a
// metric into a file. Its arguments are the file, the file for its URL, and how it answers: http, grpc, hang, redirect
// or refuse.
type collector struct {
	collectortrace.UnimplementedTraceServiceServer
	collectormetrics.UnimplementedMetricsServiceServer
	mu  sync.Mutex
	out io.Writer
}

func collectorMain() {
	out, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	c := &collector{out: out}
	if err := os.WriteFile(os.Args[2], []byte("http://"+l.Addr().String()+"\n"), 0o600); err != nil {
		panic(err)
	}
	if os.Args[3] == "grpc" {
		s := grpc.NewServer()
		collectortrace.RegisterTraceServiceServer(s, c)
		collectormetrics.RegisterMetricsServiceServer(s, metricsService{c: c})
		panic(s.Serve(l))
	}
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, os.Args[3]) })))
}

func (c *collector) serve(w http.ResponseWriter, r *http.Request, how string) {
	switch how {
	case "hang":
		c.write("called")
		<-r.Context().Done()
		return
	case "refuse":
		http.Error(w, "the answer of the collector", http.StatusUnauthorized)
		return
	case "redirect":
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusFound)
		return
	}
	c.write("header " + r.Header.Get("api-key"))
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			panic(err)
		}
		body = unzipped
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		panic(err)
	}
	switch r.URL.Path {
	case "/v1/traces":
		var m collectortrace.ExportTraceServiceRequest
		if err := proto.Unmarshal(raw, &m); err != nil {
			panic(err)
		}
		c.spans(&m)
	case "/v1/metrics":
		var m collectormetrics.ExportMetricsServiceRequest
		if err := proto.Unmarshal(raw, &m); err != nil {
			panic(err)
		}
		c.metrics(&m)
	default:
		http.NotFound(w, r)
	}
}

// Export implements the trace service of OTLP over gRPC.
func (c *collector) Export(_ context.Context, m *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	c.spans(m)
	return &collectortrace.ExportTraceServiceResponse{}, nil
}

type metricsService struct {
	collectormetrics.UnimplementedMetricsServiceServer
	c *collector
}

// Export implements the metrics service of OTLP over gRPC.
func (s metricsService) Export(_ context.Context, m *collectormetrics.ExportMetricsServiceRequest) (*collectormetrics.ExportMetricsServiceResponse, error) {
	s.c.metrics(m)
	return &collectormetrics.ExportMetricsServiceResponse{}, nil
}

func (c *collector) spans(m *collectortrace.ExportTraceServiceRequest) {
	for _, resource := range m.ResourceSpans {
		c.write("resource" + attributes(resource.Resource.GetAttributes()))
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.write(fmt.Sprintf("span %q id=%s parent=%s status=%s%s", s.Name, hex.EncodeToString(s.SpanId), hex.EncodeToString(s.ParentSpanId),
					s.GetStatus().GetCode(), attributes(s.Attributes)))
			}
		}
	}
}

func (c *collector) metrics(m *collectormetrics.ExportMetricsServiceRequest) {
	for _, resource := range m.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			for _, one := range scope.Metrics {
				for _, p := range one.GetSum().GetDataPoints() {
					c.write(fmt.Sprintf("metric %s%s: %v", one.Name, attributes(p.Attributes), p.GetAsInt()))
				}
			}
		}
	}
}

func attributes(all []*common.KeyValue) string {
	var words []string
	for _, a := range all {
		value := a.Value.GetStringValue()
		if value == "" {
			value = fmt.Sprint(a.Value.GetIntValue())
		}
		words = append(words, " "+a.Key+"="+value)
	}
	slices.Sort(words)
	return strings.Join(words, "")
}

func (c *collector) write(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(c.out, line)
}

// spans checks that the spans in a collector's file have one root, below which all others are.
func spans(ts *testscript.TestScript, _ bool, args []string) {
	line := regexp.MustCompile(`(?m)^span "[^"]*" id=(\w+) parent=(\w*) `)
	parents := map[string]string{}
	for _, m := range line.FindAllStringSubmatch(ts.ReadFile(args[0]), -1) {
		parents[m[1]] = m[2]
	}
	roots, deep := 0, 0
	for id, parent := range parents {
		_, known := parents[parent]
		switch {
		case parent == "":
			roots++
		case !known:
			ts.Fatalf("span %s has the parent %s, which is no span", id, parent)
		case parents[parent] != "":
			deep++
		}
	}
	if roots != 1 || deep == 0 {
		ts.Fatalf("of %d spans %d are roots, and %d are below a change", len(parents), roots, deep)
	}
}
