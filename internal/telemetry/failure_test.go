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
