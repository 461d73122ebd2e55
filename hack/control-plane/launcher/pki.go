package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity bounds how long one control plane can run; nothing rotates its certificates.
const validity = 365 * 24 * time.Hour

// authority is the certificate authority of one control plane. It issues every certificate, for servers and clients.
type authority struct {
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// newAuthority makes an authority and writes its certificate to dir/ca.crt.
func newAuthority(dir string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificate("groundcrew control plane", nil)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{dir: dir, key: key, cert: cert}, writePEM(filepath.Join(dir, "ca.crt"), "CERTIFICATE", der)
}

// server issues dir/NAME.crt and dir/NAME.key for a server that is reached by the given addresses and names.
func (a *authority) server(name string, addresses []net.IP, names ...string) error {
	template := certificate(name, nil)
	template.IPAddresses, template.DNSNames = addresses, names
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return a.issue(name, template)
}

// client issues dir/NAME.crt and dir/NAME.key for a user of the API in the given groups.
func (a *authority) client(name, user string, groups ...string) error {
	template := certificate(user, groups)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(name, template)
}

func (a *authority) issue(name string, template *x509.Certificate) error {
	key, err := newKey(filepath.Join(a.dir, name+".key"))
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	return writePEM(filepath.Join(a.dir, name+".crt"), "CERTIFICATE", der)
}

// kubeconfig writes path for the user whose certificate is dir/NAME.crt, with everything embedded. It is JSON, which
// every reader of kubeconfigs takes, so that the node agent needs no YAML parser.
func (a *authority) kubeconfig(path, name, server string) error {
	var contents [3][]byte
	for i, file := range []string{"ca.crt", name + ".crt", name + ".key"} {
		content, err := os.ReadFile(filepath.Join(a.dir, file))
		if err != nil {
			return err
		}
		contents[i] = content
	}
	type object map[string]any
	config := object{
		"apiVersion": "v1", "kind": "Config", "current-context": "groundcrew",
		"clusters": []object{{"name": "groundcrew", "cluster": object{"server": server, "certificate-authority-data": contents[0]}}},
		"users":    []object{{"name": name, "user": object{"client-certificate-data": contents[1], "client-key-data": contents[2]}}},
		"contexts": []object{{"name": "groundcrew", "context": object{"cluster": "groundcrew", "user": name}}},
	}
	content, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o600)
}

func certificate(name string, groups []string) *x509.Certificate {
	now := time.Now()
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // rand.Reader never fails
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		NotBefore:    now.Add(-time.Hour), // clocks of containers that share DIR may differ
		NotAfter:     now.Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// newKey makes a P-256 key and writes it to path.
func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
