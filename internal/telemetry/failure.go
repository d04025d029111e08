package telemetry

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
)

// DescribeFailure returns what may be printed of a request that failed, where the URL or the headers hold secrets. What was
// answered is never a part of it: an answer can repeat them in any spelling. Nothing secret has been sent to where a
// connection or a handshake fails, so that these errors are printed as they are.
func DescribeFailure(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended without an answer"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[tls.AlertError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return e.Error()
	}
	return "it answered what is not understood"
}
