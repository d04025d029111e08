package telemetry

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
)

// DescribeFailure returns what may be printed of a request that failed and whose URL or headers hold secrets. It holds
// no text of an answer: an answer can repeat the secrets in any spelling. Errors of a connection or a handshake are
// printed as they are, because nothing secret has been sent then.
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
