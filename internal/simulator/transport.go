package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"syscall"
)

// Transport returns a RoundTripper that calls the handler without a network. Whatever host a request names is this
// server. It works inside a testing/synctest bubble, where sockets do not.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	w := &responseRecorder{header: http.Header{}, status: http.StatusOK}
	aborted := w.serve(t.s, in)
	if r.Body != nil {
		_ = r.Body.Close() // the contract of RoundTripper; its content was read
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if aborted && !w.isHeaderWritten {
		return nil, fmt.Errorf("reading the answer to %s %s: %w", r.Method, r.URL.Path, syscall.ECONNRESET)
	}
	return w.response(r, aborted), nil
}

// responseRecorder is an http.ResponseWriter in memory.
type responseRecorder struct {
	header          http.Header
	status          int
	body            bytes.Buffer
	isHeaderWritten bool
}

// Header implements http.ResponseWriter.
func (w *responseRecorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *responseRecorder) WriteHeader(status int) {
	if !w.isHeaderWritten {
		w.status, w.isHeaderWritten = status, true
	}
}

// Write implements http.ResponseWriter.
func (w *responseRecorder) Write(b []byte) (int, error) {
	w.isHeaderWritten = true
	return w.body.Write(b)
}

// serve runs the handler; true when it closed the connection.
func (w *responseRecorder) serve(h http.Handler, r *http.Request) (aborted bool) {
	defer func() {
		if p := recover(); p != nil {
			err, isError := p.(error)
			if !isError || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			aborted = true
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

func (w *responseRecorder) response(r *http.Request, cut bool) *http.Response {
	length := int64(w.body.Len())
	if n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	var body io.Reader = &w.body
	if cut {
		body = io.MultiReader(body, truncatedBody{})
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}
}

// truncatedBody is the end of a body that was cut off.
type truncatedBody struct{}

// Read implements io.Reader.
func (truncatedBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
