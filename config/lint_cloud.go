package config

import (
	"net"
	"net/url"
	"strings"
)

// checkCloud checks the addresses of a custom cloud: the token goes there.
func (l *linter) checkCloud() {
	cloud := &l.c.Cloud
	for _, field := range []*string{&cloud.Endpoint, &cloud.Audience, &cloud.Authority} {
		if !l.isSetAndValid(field) {
			continue
		}
		n := l.nodeOf(field)
		u, err := url.Parse(*field)
		switch {
		case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
			l.out.fail(n, "cloud", "", "%s is not an address such as https://management.azure.com", quote(*field))
		case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
			l.out.fail(n, "cloud", "plain http is allowed on the loopback address only", "%s must start with https://", quote(*field))
		}
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
