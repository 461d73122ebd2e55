// Package planetest runs control planes for tests.
package planetest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Plane is a control plane that runs until the test ends.
type Plane struct {
	Kubeconfig, Server, Dir string
	PIDs                    map[string]int

	t      testing.TB
	bin    string
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *bufio.Scanner
	stderr bytes.Buffer
}

// Binaries returns a folder with everything of folder (bin/k8s), in which the binary of that name is the running test
// program itself: its TestMain must call main when it is started under that name.
func Binaries(t testing.TB, folder, name string) string {
	t.Helper()
	folder, err := filepath.Abs(folder)
	check(t, err)
	self, err := os.Executable()
	check(t, err)
	bin := t.TempDir()
	for _, binary := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "control-plane", "node"} {
		target := filepath.Join(folder, binary)
		if binary == name {
			target = self
		}
		if _, err := os.Stat(target); err != nil {
			t.Fatalf("bin/k8s/%s is missing: run `make control-plane` first", binary)
		}
		check(t, os.Symlink(target, filepath.Join(bin, binary)))
	}
	return bin
}

// Start runs bin/control-plane with the arguments in a folder of its own, and returns when it is ready. It also ends
// when the test program dies, because that closes its standard input.
func Start(t testing.TB, bin string, args ...string) *Plane {
	t.Helper()
	p := &Plane{t: t, bin: bin}
	args = append([]string{"--dir", filepath.Join(t.TempDir(), "plane"), "--bin", bin, "--until-stdin-closes"}, args...)
	p.cmd = exec.Command(filepath.Join(bin, "control-plane"), args...)
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	check(t, err)
	p.stdout = bufio.NewScanner(stdout)
	p.stdin, err = p.cmd.StdinPipe()
	check(t, err)
	check(t, p.cmd.Start())
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.Signal(syscall.SIGTERM)
			_, _ = p.Wait()
		}
	})
	p.Read(p)
	return p
}

// Read decodes the launcher's next line of output.
func (p *Plane) Read(result any) {
	p.t.Helper()
	if !p.stdout.Scan() {
		_, stderr := p.Wait()
		p.t.Fatalf("the control plane ended: %s", stderr)
	}
	check(p.t, json.Unmarshal(p.stdout.Bytes(), result))
}

// Signal sends a signal to the launcher.
func (p *Plane) Signal(signal os.Signal) {
	p.t.Helper()
	check(p.t, p.cmd.Process.Signal(signal))
}

// CloseStdin closes the launcher's standard input.
func (p *Plane) CloseStdin() { p.stdin.Close() }

// Wait returns the launcher's exit code (-1 after a signal) and what it wrote to standard error, once it has ended.
func (p *Plane) Wait() (code int, stderr string) {
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode(), p.stderr.String()
}

// Command prepares a kubectl command as the cluster's admin.
func (p *Plane) Command(args ...string) *exec.Cmd {
	return exec.CommandContext(p.t.Context(), filepath.Join(p.bin, "kubectl"), append([]string{"--kubeconfig", p.Kubeconfig}, args...)...)
}

// Kubectl runs kubectl and returns its output; a failure ends the test.
func (p *Plane) Kubectl(args ...string) string {
	p.t.Helper()
	return p.pipe("", args...)
}

// Apply creates the objects of a manifest.
func (p *Plane) Apply(manifest string) {
	p.t.Helper()
	p.pipe(manifest, "create", "-f", "-")
}

func (p *Plane) pipe(stdin string, args ...string) string {
	p.t.Helper()
	cmd := p.Command(args...)
	cmd.Stdin = strings.NewReader(stdin)
	output, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return strings.TrimSpace(string(output))
}

// Fails runs kubectl, which must fail, and returns what it wrote.
func (p *Plane) Fails(args ...string) string {
	p.t.Helper()
	output, err := p.Command(args...).CombinedOutput()
	if err == nil {
		p.t.Fatalf("kubectl %s worked and should not have:\n%s", strings.Join(args, " "), output)
	}
	return string(output)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
