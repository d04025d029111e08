package telemetry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
)

func TestNothingThatWasAnsweredIsPrinted(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "%73ecret"`), "it answered what is not understood"},
		{errors.New(`failed to parse Location header "http://%zz/secret"`), "it answered what is not understood"},
		{fmt.Errorf("reading secret: %w", io.ErrUnexpectedEOF), "the connection ended without an answer"},
		{fmt.Errorf("secret: %w", context.DeadlineExceeded), "no answer in time"},
		{&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, "no answer in time"},
		{&url.Error{Op: "Post", URL: "https://hooks.example/secret", Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}}, "dial tcp: refused"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Name: "hooks.example", Err: "no such host"}}, "dial tcp: lookup hooks.example: no such host"},
		{&tls.CertificateVerificationError{Err: errors.New("unknown authority")}, "tls: failed to verify certificate: unknown authority"},
	} {
		if got := DescribeFailure(tt.err); got != tt.want || strings.Contains(got, "secret") {
			t.Errorf("of %v is printed %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestAFailedDeliveryIsToldWithoutWhatWasSentOrAnswered(t *testing.T) {
	answered := errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "secret"`)
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&url.Error{Op: "Post", URL: "https://collector.example/secret", Err: answered}, "it answered what is not understood"},
		{fmt.Errorf("secret: %w", &url.Error{Op: "Post", URL: "https://collector.example/secret", Err: io.EOF}), "the connection ended without an answer"},
		{&settingError{"a variable is not understood"}, "a variable is not understood"},
		{fmt.Errorf("secret: %w", context.DeadlineExceeded), "no answer in time"},
	} {
		if got := describe(tt.err); got != tt.want {
			t.Errorf("of %v is printed %q, want %q", tt.err, got, tt.want)
		}
	}
	for _, err := range []error{errors.New("secret"), &url.Error{Op: "parse", URL: "secret", Err: errors.New("secret")}} {
		if got := describe(err); strings.Contains(got, "secret") {
			t.Errorf("of %v is printed %q", err, got)
		}
	}
}
