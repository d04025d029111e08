package cli

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// certificate is the script command `certificate FILE SETTINGS`: it creates a key and a certificate, writes both to
// FILE, and replaces CERTIFICATE in SETTINGS by the certificate.
func certificate(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: certificate FILE SETTINGS")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "an application"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), public...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), both, 0o600))
	quoted, err := json.Marshal(string(public))
	ts.Check(err)
	settings := strings.ReplaceAll(ts.ReadFile(args[1]), `"CERTIFICATE"`, string(quoted))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(settings), 0o600))
}

// assertion is the script command `assertion FILE SUBJECT AGE`: a token made by another issuer for SUBJECT, AGE ago,
// valid for five minutes.
func assertion(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: assertion FILE SUBJECT AGE")
	}
	age, err := time.ParseDuration(args[2])
	ts.Check(err)
	made := time.Now().Add(-age)
	claims, err := json.Marshal(map[string]any{
		"iss": "https://ci.example", "sub": args[1], "aud": "api://AzureADTokenExchange", "nbf": made.Unix(), "exp": made.Add(5 * time.Minute).Unix(),
	})
	ts.Check(err)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	signing := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signing))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(signing+"."+base64.RawURLEncoding.EncodeToString(signature)), 0o600))
}
