package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// client asks the API server what the launcher must know before it says "ready".
type client struct {
	server string
	http   *http.Client
}

// newClient authenticates with dir/NAME.crt.
func newClient(dir, name, server string) (*client, error) {
	authorities := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, err
	}
	authorities.AppendCertsFromPEM(ca)
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities, Certificates: []tls.Certificate{cert}}}
	return &client{server: server, http: &http.Client{Transport: transport}}, nil
}

func (c *client) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		response.Body.Close()
		return nil, fmt.Errorf("GET %s: %s: %s", path, response.Status, body)
	}
	return response, nil
}

// ready waits until /readyz says ok. The API server sends no event for this, so it is asked every 50 ms.
func (c *client) ready(ctx context.Context) error {
	for {
		response, err := c.get(ctx, "/readyz")
		if err == nil {
			return response.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server is not ready: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// exists waits until the collection at path holds an object of that name.
func (c *client) exists(ctx context.Context, path, name string) error {
	response, err := c.get(ctx, path+"?watch=1&fieldSelector="+url.QueryEscape("metadata.name="+name))
	if err != nil {
		return fmt.Errorf("cannot wait for %s %q: %w", path, name, err)
	}
	defer response.Body.Close()
	var event struct{ Type string }
	for decoder := json.NewDecoder(response.Body); event.Type != "ADDED"; {
		if err := decoder.Decode(&event); err != nil {
			return fmt.Errorf("waited for %s %q: %w", path, name, err)
		}
	}
	return nil
}
