// Command node is the smallest node that lets Jobs and `kubectl logs` work where there is no kubelet: it registers one
// node, binds every pending pod to it, runs the pod's first container as a local process and reports how it went.
//
// It is for development and tests. Images, volumes, probes, init containers, resource limits and networking do not
// exist here: a container is its command, its arguments and its environment. Pods run with the rights of the agent.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// node runs the pods that the API server assigns to it.
type node struct {
	name       string
	api        *api
	logs, work string // folders for containers' output and for their working folders
	running    sync.WaitGroup

	mutex sync.Mutex
	pods  map[string]*runner // by UID
}

func main() {
	name := flag.String("name", "local", "name of the node")
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig in JSON, with embedded certificates or a token")
	cert := flag.String("tls-cert-file", "", "certificate for 127.0.0.1 that the API server accepts (required)")
	key := flag.String("tls-private-key-file", "", "its key (required)")
	logs := flag.String("logs", "pods", "folder for the output of containers; kept")
	work := flag.String("work", os.TempDir(), "folder for the working folders of containers; each goes with its pod")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *name, *kubeconfig, *cert, *key, *logs, *work); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, kubeconfig, cert, key, logs, work string) error {
	api, err := newAPI(kubeconfig)
	if err != nil {
		return err
	}
	n := &node{name: name, api: api, pods: map[string]*runner{}}
	if n.logs, err = filepath.Abs(logs); err != nil {
		return err
	}
	if n.work, err = filepath.Abs(work); err != nil {
		return err
	}
	listener, err := n.serveLogs(cert, key)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := n.register(ctx, listener.Addr().(*net.TCPAddr).Port); err != nil {
		return err
	}
	err = n.followPods(ctx)
	n.killAll()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// register makes the Node object, or takes over the one that an earlier agent of this name left.
func (n *node) register(ctx context.Context, port int) error {
	// Nothing schedules by these figures; the API only wants some.
	capacity := object{"cpu": strconv.Itoa(runtime.NumCPU()), "memory": "8Gi", "pods": "110"}
	body := object{
		"apiVersion": "v1", "kind": "Node",
		"metadata": object{"name": n.name, "labels": object{
			"kubernetes.io/hostname": n.name, "kubernetes.io/os": runtime.GOOS, "kubernetes.io/arch": runtime.GOARCH}},
		"status": object{
			"addresses":       []object{{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": n.name}},
			"daemonEndpoints": object{"kubeletEndpoint": object{"Port": port}},
			"capacity":        capacity, "allocatable": capacity,
			"conditions": []object{{"type": "Ready", "status": "True", "reason": "AgentReady",
				"message": "runs containers as processes", "lastTransitionTime": now(), "lastHeartbeatTime": now()}},
		},
	}
	err := n.api.call(ctx, "POST", "/api/v1/nodes", body, nil)
	if isStatus(err, 409) {
		patch := object{"status": body["status"]}
		err = n.api.call(ctx, "PATCH", "/api/v1/nodes/"+n.name+"/status", patch, nil)
	}
	return err
}
