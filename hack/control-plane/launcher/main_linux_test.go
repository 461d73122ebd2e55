package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"groundcrew.dev/hack/control-plane/launcher/planetest"
)

// TestMain lets the tests run this very code as the launcher.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "control-plane" {
		main()
		return
	}
	if err := planetest.AdoptOrphans(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func launch(t *testing.T, args ...string) *planetest.Plane {
	t.Helper()
	return planetest.Start(t, planetest.Binaries(t, "../../../bin/k8s", "control-plane"), args...)
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("%q is not in:\n%s", part, text)
	}
}

// gone fails if a process or the folder of a stopped control plane is still there.
func gone(t *testing.T, p *planetest.Plane) {
	t.Helper()
	for name, pid := range p.PIDs {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("%s (%d) is still running", name, pid)
		}
	}
	if _, err := os.Stat(p.Dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", p.Dir, err)
	}
}

func TestControllersTokensAndRBACWork(t *testing.T) {
	t.Parallel()
	p := launch(t)
	contains(t, p.Kubectl("version"), "Server Version: v1.36.")

	p.Kubectl("create", "serviceaccount", "limited")
	p.Kubectl("create", "role", "reader", "--verb=get", "--resource=configmaps")
	p.Kubectl("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:limited")
	p.Kubectl("create", "configmap", "kept", "--from-literal=key=value")
	token := p.Kubectl("create", "token", "limited")
	empty := filepath.Join(t.TempDir(), "empty") // else the admin's certificate would speak for us
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	as := []string{"--kubeconfig", empty, "--server", p.Server, "--insecure-skip-tls-verify", "--token", token}
	p.Kubectl(append(as, "get", "configmap", "kept")...)
	contains(t, p.Fails(append(as, "get", "secrets")...), `User "system:serviceaccount:default:limited" cannot list resource "secrets"`)

	p.Kubectl("create", "namespace", "doomed")
	p.Kubectl("create", "configmap", "inside", "--namespace=doomed")
	p.Kubectl("delete", "namespace", "doomed", "--timeout=30s")
	contains(t, p.Fails("get", "namespace", "doomed"), "NotFound")

	p.Signal(syscall.SIGTERM)
	if code, stderr := p.Wait(); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	gone(t, p)
}

func TestAPIServerKeepsPortAndDataOverRestarts(t *testing.T) {
	t.Parallel()
	p := launch(t, "--no-controller-manager")
	other := launch(t, "--no-controller-manager", "--keep")
	if p.Server == other.Server {
		t.Fatalf("both listen on %s", p.Server)
	}
	p.Kubectl("create", "namespace", "kept")
	contains(t, other.Fails("get", "namespace", "kept"), "NotFound")

	var said struct {
		Restarted, Stopped, Started string
		PID                         int
	}
	p.Signal(syscall.SIGHUP)
	p.Read(&said)
	if said.Restarted != apiServer || said.PID == p.PIDs[apiServer] {
		t.Fatalf("after SIGHUP: %+v, was %d", said, p.PIDs[apiServer])
	}
	p.Kubectl("get", "namespace", "kept")

	p.Signal(syscall.SIGUSR1)
	p.Read(&said)
	if said.Stopped != apiServer {
		t.Fatalf("after SIGUSR1: %+v", said)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(p.Server, "https://")); err == nil {
		t.Fatal("the port of the stopped API server takes connections")
	}
	p.Signal(syscall.SIGUSR2)
	p.Read(&said)
	if said.Started != apiServer {
		t.Fatalf("after SIGUSR2: %+v", said)
	}
	p.Kubectl("get", "namespace", "kept")

	p.PIDs["restarted "+apiServer] = said.PID
	p.CloseStdin()
	if code, stderr := p.Wait(); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	gone(t, p)

	other.Signal(os.Interrupt)
	if code, stderr := other.Wait(); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	left, err := os.ReadDir(other.Dir)
	if err != nil || len(left) != 2 || left[0].Name() != marker || left[1].Name() != "logs" {
		t.Fatalf("with --keep the logs and the marker should stay, not %v (%v)", left, err)
	}
}

func TestChildrenDieWithAKilledLauncher(t *testing.T) {
	t.Parallel()
	p := launch(t, "--node")
	p.Signal(syscall.SIGKILL)
	_, _ = p.Wait()
	if len(p.PIDs) != 4 {
		t.Fatalf("expected four processes, not %v", p.PIDs)
	}
	for name, pid := range p.PIDs {
		planetest.AwaitDeath(t, name, pid)
	}
}

func TestLauncherEndsWithADeadChild(t *testing.T) {
	t.Parallel()
	p := launch(t, "--no-controller-manager")
	if err := syscall.Kill(p.PIDs[etcd], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	code, stderr := p.Wait()
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	contains(t, stderr, "etcd ended unexpectedly (signal: killed)")
	contains(t, stderr, "simple token is not cryptographically signed") // what etcd logs at its start
	if _, err := os.Stat(filepath.Join(p.Dir, "logs", "etcd.log")); err != nil {
		t.Errorf("the logs were not kept: %v", err)
	}
	if _, err := os.Stat(filepath.Join(p.Dir, "data")); !os.IsNotExist(err) {
		t.Errorf("the data was kept (%v)", err)
	}
}

func TestFolderIsOursAlone(t *testing.T) {
	dir := t.TempDir()
	first, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claim(dir); err == nil || !strings.Contains(err.Error(), "is running in") {
		t.Errorf("a second claim should be refused, not %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "admin.kubeconfig"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := first.release(false); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := claim(dir); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a folder with a stranger's file should be refused, not %v", err)
	}
}
