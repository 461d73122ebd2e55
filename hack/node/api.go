package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// retryDelay separates attempts while the API server cannot be reached; nothing announces its return.
const retryDelay = 200 * time.Millisecond

// object is a JSON object.
type object = map[string]any

// api is the Kubernetes API as seen through one kubeconfig.
type api struct {
	server, token string
	authorities   *x509.CertPool
	http          *http.Client
}

// statusError is an answer other than success.
type statusError struct {
	code             int
	method, path, is string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s %s: HTTP status %d: %s", e.method, e.path, e.code, e.is)
}

func isStatus(err error, code int) bool {
	var status *statusError
	return errors.As(err, &status) && status.code == code
}

// newAPI reads a kubeconfig: its first cluster and its first user.
func newAPI(kubeconfig string) (*api, error) {
	content, err := os.ReadFile(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("cannot read the kubeconfig: %w", err)
	}
	var config struct {
		Clusters []struct {
			Cluster struct {
				Server string
				CA     []byte `json:"certificate-authority-data"`
			}
		}
		Users []struct {
			User struct {
				Token string
				Cert  []byte `json:"client-certificate-data"`
				Key   []byte `json:"client-key-data"`
			}
		}
	}
	if err := json.Unmarshal(content, &config); err != nil {
		return nil, fmt.Errorf("%s is not in JSON (%w): convert it with `kubectl config view --raw --flatten -o json`", kubeconfig, err)
	}
	if len(config.Clusters) == 0 || len(config.Users) == 0 {
		return nil, fmt.Errorf("%s names no cluster or no user", kubeconfig)
	}
	cluster, user := config.Clusters[0].Cluster, config.Users[0].User
	a := &api{server: cluster.Server, token: user.Token, authorities: x509.NewCertPool()}
	a.authorities.AppendCertsFromPEM(cluster.CA)
	settings := &tls.Config{RootCAs: a.authorities}
	if len(user.Cert) > 0 {
		cert, err := tls.X509KeyPair(user.Cert, user.Key)
		if err != nil {
			return nil, fmt.Errorf("the client certificate in %s: %w", kubeconfig, err)
		}
		settings.Certificates = []tls.Certificate{cert}
	}
	a.http = &http.Client{Transport: &http.Transport{TLSClientConfig: settings}}
	return a, nil
}

// do sends a request; the caller closes the body of the answer.
func (a *api) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, a.server+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/strategic-merge-patch+json")
	}
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := a.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		answer, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		return nil, &statusError{code: response.StatusCode, method: method, path: path, is: string(answer)}
	}
	return response, nil
}

// call sends a request and decodes the answer into result, unless that is nil.
func (a *api) call(ctx context.Context, method, path string, body, result any) error {
	response, err := a.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if result == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(result)
}

// insist is call, repeated until the API server has answered; a refusal (4xx, but for 429) is an answer.
func (a *api) insist(ctx context.Context, method, path string, body any) error {
	for {
		err := a.call(ctx, method, path, body, nil)
		var status *statusError
		if err == nil || errors.As(err, &status) && status.code < 500 && status.code != http.StatusTooManyRequests {
			return err
		}
		if !pause(ctx, retryDelay) {
			return err
		}
	}
}

// watch decodes the events of a watch until the stream ends (nil) or handle says stop.
func (a *api) watch(ctx context.Context, path string, handle func(kind string, object json.RawMessage) (stop bool)) error {
	response, err := a.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	for decoder := json.NewDecoder(response.Body); ; {
		var event struct {
			Type   string
			Object json.RawMessage
		}
		if err := decoder.Decode(&event); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if event.Type == "ERROR" {
			return fmt.Errorf("watch %s: %s", path, event.Object)
		}
		if handle(event.Type, event.Object) {
			return nil
		}
	}
}

// pause waits; false means that ctx ended first.
func pause(ctx context.Context, delay time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(delay):
		return true
	}
}

// now is the current time as the API writes it.
func now() string { return time.Now().UTC().Format(time.RFC3339) }
