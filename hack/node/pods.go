package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
)

// pod is the part of a Pod that the agent reads.
type pod struct {
	Metadata struct {
		Name, Namespace, UID       string
		DeletionTimestamp          string
		DeletionGracePeriodSeconds int64
		Labels, Annotations        map[string]string
	}
	Spec struct {
		NodeName, SchedulerName, RestartPolicy, ServiceAccountName string
		SchedulingGates                                            []json.RawMessage
		Containers                                                 []container
	}
	Status struct{ Phase, StartTime string }
}

type container struct {
	Name, Image, WorkingDir string
	Command, Args           []string
	Env                     []variable
	EnvFrom                 []struct {
		Prefix       string
		SecretRef    *reference
		ConfigMapRef *reference
	}
}

type variable struct {
	Name, Value string
	ValueFrom   struct {
		FieldRef        *struct{ FieldPath string }
		SecretKeyRef    *reference
		ConfigMapKeyRef *reference
	}
}

// reference names a Secret or ConfigMap, and one key of it except in envFrom.
type reference struct {
	Name, Key string
	Optional  bool
}

func (p *pod) path() string {
	return "/api/v1/namespaces/" + p.Metadata.Namespace + "/pods/" + p.Metadata.Name
}

func (p *pod) finished() bool { return p.Status.Phase == "Succeeded" || p.Status.Phase == "Failed" }

// followPods acts on every pod, now and as it changes, until ctx ends. Each stream starts with the pods there are, so
// pods that were removed while the API server was away are those that it does not name again.
func (n *node) followPods(ctx context.Context) error {
	path := "/api/v1/pods?" + url.Values{
		"watch": {"1"}, "allowWatchBookmarks": {"1"}, "sendInitialEvents": {"1"}, "resourceVersionMatch": {"NotOlderThan"},
	}.Encode()
	for complaint := ""; ; {
		named := map[string]bool{}
		err := n.api.watch(ctx, path, func(kind string, content json.RawMessage) bool {
			var p pod
			if err := json.Unmarshal(content, &p); err != nil {
				fmt.Fprintln(os.Stderr, "cannot read a pod:", err)
				return false
			}
			switch {
			case kind == "BOOKMARK":
				if p.Metadata.Annotations["k8s.io/initial-events-end"] == "true" {
					n.forgetAllBut(named)
				}
				return false
			case kind == "DELETED":
				n.forget(p.Metadata.UID)
			default:
				named[p.Metadata.UID] = true
				n.see(ctx, &p)
			}
			return false
		})
		if err != nil && ctx.Err() == nil && err.Error() != complaint {
			complaint = err.Error() // once is enough while the API server is away
			fmt.Fprintln(os.Stderr, "the watch of pods broke off, trying again:", err)
		}
		if !pause(ctx, retryDelay) {
			return ctx.Err()
		}
	}
}

// see does what the pod's present state asks for: bind it, start it, or end it.
func (n *node) see(ctx context.Context, p *pod) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	known := n.pods[p.Metadata.UID]
	switch {
	case p.Spec.NodeName == "" && len(p.Spec.SchedulingGates) == 0 && p.Spec.SchedulerName == "default-scheduler":
		go n.bind(ctx, p)
	case p.Spec.NodeName != n.name:
	case p.Metadata.DeletionTimestamp != "":
		if known == nil {
			known = n.adopt(p)
			defer n.running.Go(known.run) // it is told to end before it begins, so it only removes the pod
		}
		known.end(p.Metadata.DeletionGracePeriodSeconds)
	case known == nil && !p.finished():
		n.running.Go(n.adopt(p).run)
	}
}

// bind assigns the pod to this node. A conflict means that it is bound or gone already.
func (n *node) bind(ctx context.Context, p *pod) {
	err := n.api.insist(ctx, "POST", p.path()+"/binding", object{
		"apiVersion": "v1", "kind": "Binding",
		"metadata": object{"name": p.Metadata.Name, "uid": p.Metadata.UID},
		"target":   object{"apiVersion": "v1", "kind": "Node", "name": n.name},
	})
	if err != nil && ctx.Err() == nil && !isStatus(err, 409) && !isStatus(err, 404) {
		fmt.Fprintln(os.Stderr, "cannot bind a pod:", err)
	}
}

// adopt makes a runner for the pod. The caller holds the lock, and starts it.
func (n *node) adopt(p *pod) *runner {
	r := &runner{node: n, pod: p}
	r.exists, r.forget = context.WithCancel(context.Background())
	r.wanted, r.unwant = context.WithCancel(r.exists)
	n.pods[p.Metadata.UID] = r
	return r
}

// forget kills what is left of a pod that no longer exists.
func (n *node) forget(uid string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if r := n.pods[uid]; r != nil {
		r.forget()
		delete(n.pods, uid)
	}
}

func (n *node) forgetAllBut(named map[string]bool) {
	n.mutex.Lock()
	var gone []string
	for uid := range n.pods {
		if !named[uid] {
			gone = append(gone, uid)
		}
	}
	n.mutex.Unlock()
	for _, uid := range gone {
		n.forget(uid)
	}
}

// killAll ends every process at once and returns when none is left.
func (n *node) killAll() {
	n.forgetAllBut(nil)
	n.running.Wait()
}

// find returns the runner of a pod by its name, or nil.
func (n *node) find(namespace, name string) *runner {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for _, r := range n.pods {
		if r.pod.Metadata.Namespace == namespace && r.pod.Metadata.Name == name {
			return r
		}
	}
	return nil
}
