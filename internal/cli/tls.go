package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLifetime is the validity of the throw-away certificates.
const certificateLifetime = 30 * 24 * time.Hour

// withTLS adds TLS to a listener, with a certificate of an authority that it creates for this run alone. It writes the
// authority's certificate to dir/ca.pem (for SSL_CERT_FILE and the like), and its key nowhere. On an error it closes l.
func withTLS(l net.Listener, dir string, now time.Time) (net.Listener, error) {
	ca, cert, err := newThrowawayCertificate(l.Addr(), now)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making a certificate: %w", err), l.Close())
	}
	err = os.MkdirAll(dir, 0o755)
	if err == nil {
		err = writeFile(filepath.Join(dir, "ca.pem"), func(w io.Writer) error {
			return pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: ca})
		})
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}), nil
}

// newThrowawayCertificate creates an authority and a certificate for loopback and the listener's address.
func newThrowawayCertificate(addr net.Addr, now time.Time) (ca []byte, cert tls.Certificate, err error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, cert, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, cert, err
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "azbackup simulate: throw-away CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: "azbackup simulate"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if tcp, ok := addr.(*net.TCPAddr); ok {
		leaf.IPAddresses = append(leaf.IPAddresses, tcp.IP)
	}
	if ca, err = x509.CreateCertificate(rand.Reader, authority, authority, &caKey.PublicKey, caKey); err != nil {
		return nil, cert, err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, &key.PublicKey, caKey)
	return ca, tls.Certificate{Certificate: [][]byte{der, ca}, PrivateKey: key}, err
}
