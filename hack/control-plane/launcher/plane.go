package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// startLimit is how long one process may take to become ready; about ten times what a busy machine needs.
const startLimit = 60 * time.Second

// nodeName is the name of the one node that --node registers.
const nodeName = "local"

const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	nodeAgent         = "node"
)

// unneededAdmission are default plugins for storage, certificates and scheduling, none of which exist here.
var unneededAdmission = []string{
	"CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction", "ClusterTrustBundleAttest",
	"DefaultIngressClass", "DefaultStorageClass", "DefaultTolerationSeconds", "PersistentVolumeClaimResize",
	"RuntimeClass", "StorageObjectInUseProtection", "TaintNodesByCondition",
}

// controllers are those that tests and the demo rely on. There is no node lifecycle: the node never goes away.
var controllers = []string{
	"clusterrole-aggregation-controller", "cronjob-controller", "garbage-collector-controller", "job-controller",
	"namespace-controller", "root-ca-certificate-publisher-controller", "serviceaccount-controller",
	"serviceaccount-token-controller", "ttl-after-finished-controller",
}

// plane is one control plane. Only the main thread starts and stops its processes.
type plane struct {
	ctx      context.Context // cancelled when the launcher is asked to stop
	dir, bin string
	server   string
	port     int
	client   *client
	children []*child    // in the order of their start
	exits    chan *child // every child that ended, asked or not
}

// up starts everything and returns when it can be used.
func (p *plane) up(withControllerManager, withNode bool) error {
	if err := p.prepare(); err != nil {
		return err
	}
	if err := p.startEtcd(); err != nil {
		return err
	}
	if err := p.startAPIServer(); err != nil {
		return err
	}
	if withControllerManager {
		if err := p.startControllerManager(); err != nil {
			return err
		}
	}
	if withNode {
		return p.startNode()
	}
	return nil
}

// prepare reserves the port and writes certificates and kubeconfigs.
func (p *plane) prepare() error {
	for _, folder := range []string{"data", "logs", "pki"} {
		if err := os.MkdirAll(filepath.Join(p.dir, folder), 0o700); err != nil {
			return err
		}
	}
	var err error
	if p.port, err = reservePort(); err != nil {
		return fmt.Errorf("cannot reserve a port on 127.0.0.1: %w", err)
	}
	p.server = fmt.Sprintf("https://127.0.0.1:%d", p.port)
	ca, err := newAuthority(p.pki(""))
	if err != nil {
		return err
	}
	if _, err := newKey(p.pki("service-accounts.key")); err != nil {
		return err
	}
	loopback := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)} // the second is the Service "kubernetes"
	const everything = "system:masters"
	for _, issue := range []error{
		ca.server(apiServer, loopback, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"),
		ca.server("node-server", loopback[:1], "localhost"),
		ca.client("admin", "kubernetes-admin", everything),
		ca.client(controllerManager, "system:"+controllerManager, everything),
		ca.client("kubelet-client", "kube-apiserver-kubelet-client", everything),
		ca.client(nodeAgent, "system:node:"+nodeName, everything),
		ca.kubeconfig(p.kubeconfig(), "admin", p.server),
		ca.kubeconfig(p.pki(controllerManager+".kubeconfig"), controllerManager, p.server),
		ca.kubeconfig(p.pki(nodeAgent+".kubeconfig"), nodeAgent, p.server),
	} {
		if issue != nil {
			return issue
		}
	}
	p.client, err = newClient(p.pki(""), "admin", p.server)
	return err
}

func (p *plane) pki(file string) string { return filepath.Join(p.dir, "pki", file) }
func (p *plane) kubeconfig() string     { return filepath.Join(p.dir, "admin.kubeconfig") }

// startEtcd listens on Unix sockets in dir/data alone: no port to collide on, and no other user of the machine can
// reach the data, which etcd guards with no credentials. etcd wants host:port even here, so ":0" is part of the names.
func (p *plane) startEtcd() error {
	return p.start(etcd, syscall.SIGKILL,
		"--name=local", "--data-dir=etcd", "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls=unix://etcd:0", "--advertise-client-urls=unix://etcd:0",
		"--listen-peer-urls=unix://peer:0", "--initial-advertise-peer-urls=unix://peer:0",
		"--initial-cluster=local=unix://peer:0")
}

// startAPIServer returns when the API server is ready.
func (p *plane) startAPIServer() error {
	err := p.start(apiServer, syscall.SIGKILL,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", p.port), "--permit-port-sharing",
		"--endpoint-reconciler-type=none", // it refuses loopback addresses, and nothing here routes Services
		"--etcd-servers=unix://etcd:0", "--service-cluster-ip-range=10.0.0.0/24",
		"--authorization-mode=RBAC", "--client-ca-file="+p.pki("ca.crt"),
		"--tls-cert-file="+p.pki("kube-apiserver.crt"), "--tls-private-key-file="+p.pki("kube-apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+p.pki("service-accounts.key"), "--service-account-signing-key-file="+p.pki("service-accounts.key"),
		"--kubelet-certificate-authority="+p.pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate="+p.pki("kubelet-client.crt"), "--kubelet-client-key="+p.pki("kubelet-client.key"),
		"--disable-admission-plugins="+strings.Join(unneededAdmission, ","), "--profiling=false",
		"--shutdown-watch-termination-grace-period=2s", // else open watches hold up its end
	)
	if err != nil {
		return err
	}
	return p.await(p.client.ready)
}

// startControllerManager returns when the namespace "default" has its ServiceAccount, so that pods can be created.
func (p *plane) startControllerManager() error {
	err := p.start(controllerManager, syscall.SIGKILL,
		"--kubeconfig="+p.pki("kube-controller-manager.kubeconfig"), "--controllers="+strings.Join(controllers, ","),
		"--leader-elect=false", "--secure-port=0", "--profiling=false", "--kube-api-qps=200", "--kube-api-burst=400",
		"--root-ca-file="+p.pki("ca.crt"), "--service-account-private-key-file="+p.pki("service-accounts.key"))
	if err != nil {
		return err
	}
	return p.await(func(ctx context.Context) error {
		return p.client.exists(ctx, "/api/v1/namespaces/default/serviceaccounts", "default")
	})
}

// startNode returns when the node is registered. The agent gets SIGTERM, not SIGKILL, if the launcher is killed:
// it must end the process groups of its pods.
func (p *plane) startNode() error {
	err := p.start(nodeAgent, syscall.SIGTERM, "--name="+nodeName, "--kubeconfig="+p.pki("node.kubeconfig"),
		"--tls-cert-file="+p.pki("node-server.crt"), "--tls-private-key-file="+p.pki("node-server.key"),
		"--logs="+filepath.Join(p.dir, "logs", "pods"), "--work="+filepath.Join(p.dir, "data", "pods"))
	if err != nil {
		return err
	}
	return p.await(func(ctx context.Context) error { return p.client.exists(ctx, "/api/v1/nodes", nodeName) })
}

func (p *plane) start(name string, deathSignal syscall.Signal, args ...string) error {
	c, err := start(p.dir, name, filepath.Join(p.bin, name), deathSignal, args...)
	if err != nil {
		return err
	}
	p.children = append(p.children, c)
	go func() {
		<-c.exited
		p.exits <- c
	}()
	return nil
}

// await runs what, and gives up when a child dies, when startLimit has passed, or when the launcher is asked to stop.
func (p *plane) await(what func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(p.ctx, startLimit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- what(ctx) }()
	for {
		select {
		case err := <-done:
			return err
		case c := <-p.exits:
			if p.owns(c) {
				return c.died()
			}
		}
	}
}

// owns reports whether the child should be running.
func (p *plane) owns(c *child) bool { return slices.Contains(p.children, c) }

// find returns the running child of that name, or nil.
func (p *plane) find(name string) *child {
	for _, c := range p.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// stop ends the named child, if it runs, within the grace.
func (p *plane) stop(name string, grace time.Duration) {
	if c := p.find(name); c != nil {
		p.children = slices.DeleteFunc(p.children, func(other *child) bool { return other == c })
		c.stop(grace)
	}
}

// down stops everything, last started first. After a failure there is little grace: an API server that lost its etcd
// would use up all of it.
func (p *plane) down(failed bool) {
	grace := stopGrace
	if failed {
		grace = time.Second
	}
	for _, name := range []string{nodeAgent, controllerManager, apiServer, etcd} {
		p.stop(name, grace)
	}
}

// pids returns the process id of every running child, by name.
func (p *plane) pids() map[string]int {
	pids := map[string]int{}
	for _, c := range p.children {
		pids[c.name] = c.pid()
	}
	return pids
}
