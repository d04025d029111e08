package arm

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// Cloud is an Azure cloud: a well-known name, or its own endpoint, audience and authority. The zero Cloud is
// AzurePublic.
type Cloud struct {
	// Name is AzurePublic, AzureUSGovernment, AzureChina, or "" for a custom cloud.
	Name string
	// Endpoint is Azure Resource Manager's base URL.
	Endpoint string
	// Audience is the audience of tokens; "" = the endpoint.
	Audience string
	// Authority is the sign-in authority; "" = that of AzurePublic.
	Authority string
}

// AzurePublic is the name of the default cloud.
const AzurePublic = "AzurePublic"

// isCustom reports whether the cloud is none of Microsoft's own: Microsoft's list of authorities does not have its
// authority.
func (c Cloud) isCustom() bool { return c.Name == "" && c.Endpoint != "" }

// configuration returns the cloud in azcore's terms; endpoint, where not "", replaces the cloud's own.
func (c Cloud) configuration(endpoint string) (cloud.Configuration, error) {
	conf, err := c.wellKnown()
	if err != nil {
		return cloud.Configuration{}, err
	}
	if endpoint != "" {
		arm := conf.Services[cloud.ResourceManager]
		arm.Endpoint = endpoint
		conf.Services = map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: arm}
	}
	return conf, nil
}

func (c Cloud) wellKnown() (cloud.Configuration, error) {
	switch c.Name {
	case AzurePublic:
		return cloud.AzurePublic, nil
	case "AzureUSGovernment":
		return cloud.AzureGovernment, nil
	case "AzureChina":
		return cloud.AzureChina, nil
	case "":
		if !c.isCustom() {
			return cloud.AzurePublic, nil
		}
	default:
		return cloud.Configuration{}, fmt.Errorf("unknown cloud %q", c.Name)
	}
	conf := cloud.Configuration{
		ActiveDirectoryAuthorityHost: c.Authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: c.Endpoint, Audience: strings.TrimRight(c.Audience, "/")},
		},
	}
	if conf.ActiveDirectoryAuthorityHost == "" {
		conf.ActiveDirectoryAuthorityHost = cloud.AzurePublic.ActiveDirectoryAuthorityHost
	}
	if c.Audience == "" {
		conf.Services[cloud.ResourceManager] = cloud.ServiceConfiguration{
			Endpoint: c.Endpoint, Audience: strings.TrimRight(c.Endpoint, "/"),
		}
	}
	return conf, nil
}

// parseEndpoint accepts a bare https URL, or a bare http URL on loopback.
func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("reading endpoint %q: %w", s, err)
	}
	switch {
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, fmt.Errorf("endpoint %q is not of the form https://host[:port]", s)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("endpoint %q is neither https nor http", s)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("endpoint %q: plain http is allowed on loopback only", s)
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// isSameOrigin compares scheme, host and port; a missing port is the scheme's default.
func isSameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && hostPort(a) == hostPort(b)
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
