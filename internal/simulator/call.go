package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// requestContext is one request during its handling. The server's lock is held.
type requestContext struct {
	s  *Server
	st *state
	r  *http.Request
	// now is the simulated time of the request.
	now    time.Time
	params map[string]string
	// path is the request's path with "%3B" and the like decoded, in the client's spelling.
	path    string
	body    []byte
	version string
	// base is the scheme and host the client called, for the URLs in replies.
	base  string
	kind  string
	fault *Fault
	// isInstant makes operations end at once, for another client's request.
	isInstant bool
	cause     Cause
}

// stamp writes a time as the service does: UTC, seven digits, no trailing zeros.
func stamp(t time.Time) string {
	return t.UTC().Truncate(100 * time.Nanosecond).Format(time.RFC3339Nano)
}

// noTime is the end time of a job or operation that has not ended: the year 1 and no zone (docs/azure.md §4, §33.8).
const noTime = "0001-01-01T00:00:00"

// isoDuration writes a duration as jobs do: PT41M16.2122671S.
func isoDuration(d time.Duration) string {
	d = max(d, 0).Truncate(100 * time.Nanosecond)
	out := "PT"
	if h := d / time.Hour; h > 0 {
		out += fmt.Sprintf("%dH", h)
		d -= h * time.Hour
	}
	if m := d / time.Minute; m > 0 {
		out += fmt.Sprintf("%dM", m)
		d -= m * time.Minute
	}
	if d > 0 || out == "PT" {
		out += strconv.FormatFloat(math.Round(d.Seconds()*1e7)/1e7, 'f', -1, 64) + "S"
	}
	return out
}

// timeSpan writes a duration as .NET does: 13.23:59:42.8656002 (docs/azure.md §3).
func timeSpan(d time.Duration) string {
	d = max(d, 0)
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	out := ""
	if days > 0 {
		out = fmt.Sprintf("%d.", days)
	}
	out += fmt.Sprintf("%02d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
	if ticks := d % time.Second / 100; ticks > 0 {
		out += fmt.Sprintf(".%07d", ticks)
	}
	return out
}

// digest returns 32 bytes derived from the seed and the purpose in parts.
func (s *Server) digest(parts ...any) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d %q", s.set.Seed, parts))
}

// uniform returns a number uniform in [0, 1). It depends on the seed and its purpose, not on the order of requests, so
// that a run with parallel clients repeats.
func (s *Server) uniform(parts ...any) float64 {
	d := s.digest(parts...)
	return float64(binary.BigEndian.Uint64(d[:])>>11) / (1 << 53)
}

// guid returns a new, unique id: it also depends on time and serial number.
func (rc *requestContext) guid(what string) string { return rc.s.guid(rc.now, what) }

func (s *Server) guid(now time.Time, what string) string {
	s.st.service.Serial++
	return guidOf(s.digest("guid", what, now.UnixNano(), s.st.service.Serial))
}

// guidOf writes the head of a digest as a random GUID.
func guidOf(d [32]byte) string {
	d[6], d[8] = d[6]&0x0f|0x40, d[8]&0x3f|0x80
	h := hex.EncodeToString(d[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// digits returns a decimal number of n digits, for protectedItemDataId and the names of recovery points.
func (s *Server) digits(now time.Time, what string, n int) string {
	s.st.service.Serial++
	d := s.digest(what, now.UnixNano(), s.st.service.Serial)
	out := []byte{'1' + d[0]%9}
	for i := 1; i < n; i++ {
		out = append(out, '0'+d[i]%10)
	}
	return string(out)
}

// sampleDuration samples the duration of an operation on target.
func (s *Server) sampleDuration(kind, target string) time.Duration {
	u := s.uniform("duration", kind, target)
	if m := s.set.Distributions[kind]; len(m) > 0 {
		return s.capDuration(kind, m.sample(u))
	}
	return s.capDuration(kind, s.set.Durations[kind].sample(u))
}

// capDuration limits d to Options.Longest; a backup's job is limited with all its phases.
func (s *Server) capDuration(kind string, d time.Duration) time.Duration {
	longest := s.opt.Longest
	switch {
	case longest == 0:
		return d
	case kind == "snapshot" || kind == "transfer":
		longest /= 2
	case kind == "handover" || kind == "restoreFinish":
		longest /= 4
	}
	return min(d, longest)
}
