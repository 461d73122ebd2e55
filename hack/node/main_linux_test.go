package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"groundcrew.dev/hack/control-plane/launcher/planetest"
)

// TestMain lets the tests run this very code as the node agent.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "node" {
		main()
		return
	}
	if err := planetest.AdoptOrphans(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// manifest returns a Pod, or a Job of one, whose container runs the shell script.
// In it "$$" stands for "$", as in every command of a container.
func manifest(kind, name, script string, container object) string {
	merged := object{"name": "main", "image": "none", "command": []string{"sh", "-c", script}}
	policy := "Never"
	for key, value := range container {
		if key == "restartPolicy" {
			policy = value.(string)
			continue
		}
		merged[key] = value
	}
	spec := object{"restartPolicy": policy, "containers": []object{merged}, "terminationGracePeriodSeconds": 20}
	version := "v1"
	if kind == "Job" {
		version, spec = "batch/v1", object{"backoffLimit": 0, "template": object{"spec": spec}}
	}
	content, err := json.Marshal(object{"apiVersion": version, "kind": kind, "metadata": object{"name": name}, "spec": spec})
	if err != nil {
		panic(err)
	}
	return string(content)
}

func equal(t *testing.T, what, is, want string) {
	t.Helper()
	if is != want {
		t.Errorf("%s is %q, not %q", what, is, want)
	}
}

// follow starts `kubectl logs --follow` of a running pod and returns a function for its next line, "" at its end.
func follow(t *testing.T, p *planetest.Plane, pod string) func() string {
	t.Helper()
	p.Kubectl("wait", "--for=condition=Ready", "pod/"+pod, "--timeout=20s")
	cmd := p.Command("logs", "--follow", pod)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails only if it has ended
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	return func() string {
		lines.Scan()
		return lines.Text()
	}
}

func TestNode(t *testing.T) {
	t.Setenv("GROUNDCREW_CREDENTIAL", "must not leak")
	p := planetest.Start(t, planetest.Binaries(t, "../../bin/k8s", "node"), "--node")

	t.Run("pods", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *planetest.Plane){
			"job": jobCompletes, "failing job": jobFails, "missing Secret": waitsForSecret, "restart": restarts,
			"deletion": endsGracefully, "background": killsLeftovers, "no command": refusesWithoutCommand,
			"access": logsNeedACertificate, "options": logOptions,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, p)
			})
		}
	})
	t.Run("API server restart", func(t *testing.T) { survivesRestart(t, p) })
	t.Run("killed launcher", func(t *testing.T) { diesWithLauncher(t, p) }) // last: nothing runs afterwards
}

func jobCompletes(t *testing.T, p *planetest.Plane) {
	p.Kubectl("create", "secret", "generic", "login", "--from-literal=user=ann", "--from-literal=password=xyzzy")
	p.Apply(manifest("Job", "good", `echo "$NAMESPACE $USER $PASSWORD $GREETING $0 ${GROUNDCREW_CREDENTIAL-clean}"`, object{
		"args":    []string{"$(USER)$$(USER)$(NOBODY)"},
		"envFrom": []object{{"secretRef": object{"name": "absent", "optional": true}}},
		"env": []object{
			{"name": "NAMESPACE", "valueFrom": object{"fieldRef": object{"fieldPath": "metadata.namespace"}}},
			{"name": "USER", "valueFrom": object{"secretKeyRef": object{"name": "login", "key": "user"}}},
			{"name": "PASSWORD", "valueFrom": object{"secretKeyRef": object{"name": "login", "key": "password"}}},
			{"name": "GREETING", "value": "hello-$(USER)"},
		},
	}))
	p.Kubectl("wait", "--for=condition=Complete", "job/good", "--timeout=20s")
	equal(t, "log", p.Kubectl("logs", "job/good"), "default ann xyzzy hello-ann ann$(USER)$(NOBODY) clean")
	equal(t, "phase", p.Kubectl("get", "pods", "-l", "job-name=good", "-o", "jsonpath={.items[*].status.phase}"), "Succeeded")
}

func jobFails(t *testing.T, p *planetest.Plane) {
	p.Apply(manifest("Job", "bad", "echo oops >&2; exit 3", nil))
	p.Kubectl("wait", "--for=condition=Failed", "job/bad", "--timeout=20s")
	equal(t, "log", p.Kubectl("logs", "job/bad"), "oops")
	const path = "{.items[*].status.phase} {.items[*].status.containerStatuses[0].state.terminated.exitCode}"
	equal(t, "pod", p.Kubectl("get", "pods", "-l", "job-name=bad", "-o", "jsonpath="+path), "Failed 3")
}

func waitsForSecret(t *testing.T, p *planetest.Plane) {
	p.Apply(manifest("Pod", "patient", "echo $PREFIX_word", object{
		"envFrom": []object{{"prefix": "PREFIX_", "secretRef": object{"name": "late"}}},
	}))
	p.Kubectl("wait", "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CreateContainerConfigError", "pod/patient", "--timeout=20s")
	p.Kubectl("create", "secret", "generic", "late", "--from-literal=word=here")
	p.Kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/patient", "--timeout=20s")
	equal(t, "log", p.Kubectl("logs", "patient"), "here")
}

func restarts(t *testing.T, p *planetest.Plane) {
	p.Apply(manifest("Pod", "stubborn", "[ -e tried ] && echo again && exit 0; touch tried; exit 1", object{"restartPolicy": "OnFailure"}))
	p.Kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/stubborn", "--timeout=20s")
	const path = "{.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.exitCode}"
	equal(t, "restarts and the exit code before", p.Kubectl("get", "pod", "stubborn", "-o", "jsonpath="+path), "1 1")
	equal(t, "log", p.Kubectl("logs", "stubborn"), "again")

	p.Apply(manifest("Pod", "hopeless", "exit 1", object{"restartPolicy": "Always"}))
	p.Kubectl("wait", "--for=jsonpath={.status.containerStatuses[0].state.waiting.message}=restarts in 10s", "pod/hopeless", "--timeout=20s")
	p.Kubectl("delete", "pod", "hopeless", "--timeout=5s") // the wait for the next run is cut short
}

func endsGracefully(t *testing.T, p *planetest.Plane) {
	p.Apply(manifest("Pod", "polite", `trap 'echo bye; exit 0' TERM; echo "in $PWD"; sleep 1000 & wait`, nil))
	next := follow(t, p, "polite")
	folder := strings.TrimPrefix(next(), "in ")
	p.Kubectl("delete", "pod", "polite", "--timeout=20s")
	equal(t, "last words", next(), "bye")
	equal(t, "after them", next(), "")
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the working folder %q is still there (%v)", folder, err)
	}
}

func killsLeftovers(t *testing.T, p *planetest.Plane) {
	p.Apply(manifest("Pod", "messy", "sleep 1000 & echo $!", nil))
	p.Kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/messy", "--timeout=20s")
	pid, err := strconv.Atoi(p.Kubectl("logs", "messy"))
	if err != nil {
		t.Fatal(err)
	}
	planetest.AwaitDeath(t, "the process in the background", pid)
}

func refusesWithoutCommand(t *testing.T, p *planetest.Plane) {
	p.Apply(manifest("Pod", "bare", "", object{"command": nil}))
	p.Kubectl("wait", "--for=jsonpath={.status.phase}=Failed", "pod/bare", "--timeout=20s")
	equal(t, "message", p.Kubectl("get", "pod", "bare", "-o", "jsonpath={.status.containerStatuses[0].state.terminated.message}"),
		`container "main" has no command: images do not exist here, so set command`)
}

func logsNeedACertificate(t *testing.T, p *planetest.Plane) {
	port := p.Kubectl("get", "node", "local", "-o", "jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}")
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := stranger.Get("https://127.0.0.1:" + port + "/containerLogs/default/any/main")
	if err == nil {
		response.Body.Close()
		t.Fatalf("a stranger was answered: %s", response.Status)
	}
	if !strings.Contains(err.Error(), "certificate required") {
		t.Fatal(err)
	}
}

func logOptions(t *testing.T, p *planetest.Plane) {
	long := strings.Repeat("x", maxLine+5)
	p.Apply(manifest("Pod", "wordy", fmt.Sprintf("echo one; printf '%%s\\n' %s; echo three", long), nil))
	p.Kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/wordy", "--timeout=20s")
	equal(t, "log", p.Kubectl("logs", "wordy"), "one\n"+long+"\nthree")
	equal(t, "tail", p.Kubectl("logs", "wordy", "--tail=2"), long+"\nthree")
	equal(t, "limited", p.Kubectl("logs", "wordy", "--limit-bytes=6"), "one\nxx")
	for line := range strings.Lines(p.Kubectl("logs", "wordy", "--timestamps")) {
		if stamp, _, found := strings.Cut(line, " "); !found || !strings.HasSuffix(stamp, "Z") {
			t.Errorf("no time stands before %q", line)
		}
	}
}

func survivesRestart(t *testing.T, p *planetest.Plane) {
	p.Apply(manifest("Pod", "through", "trap 'echo done; exit 0' USR1; echo $$$$; while :; do sleep 1000 & wait; done", nil))
	pid, err := strconv.Atoi(follow(t, p, "through")())
	if err != nil {
		t.Fatal(err)
	}
	p.Signal(syscall.SIGUSR1)
	var said struct{ PID int }
	p.Read(&said)
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil { // it ends while there is nobody to report to
		t.Fatal(err)
	}
	p.Signal(syscall.SIGUSR2)
	p.Read(&said)
	p.PIDs["kube-apiserver"] = said.PID
	p.Kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/through", "--timeout=20s")
	p.Apply(manifest("Pod", "after", "true", nil))
	p.Kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/after", "--timeout=20s")
}

func diesWithLauncher(t *testing.T, p *planetest.Plane) {
	p.Apply(manifest("Pod", "endless", "sleep 1000 & echo $! $$$$; wait", nil))
	first, second, _ := strings.Cut(follow(t, p, "endless")(), " ")
	p.Signal(syscall.SIGKILL)
	_, _ = p.Wait()
	for name, pid := range p.PIDs {
		planetest.AwaitDeath(t, name, pid)
	}
	for _, text := range []string{first, second} {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		planetest.AwaitDeath(t, "a process of the pod", pid)
	}
}
