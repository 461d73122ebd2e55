package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// restartDelay is how much longer each restart of a container waits than the one before; the first is immediate.
const (
	restartDelay    = 10 * time.Second
	maxRestartDelay = 5 * time.Minute
)

// runner carries one pod from its start to its removal.
type runner struct {
	node *node
	pod  *pod

	exists context.Context // ends when the pod is gone from the API, or the agent stops: then nothing is reported
	forget context.CancelFunc
	wanted context.Context // ends when the pod is to be deleted
	unwant context.CancelFunc
	grace  atomic.Int64 // seconds between SIGTERM and SIGKILL; set before wanted ends

	last object // how the run before this one ended; nil during the first

	mutex sync.Mutex
	log   *logFile // of the container's latest run; nil before the first
}

// ended says how a run of the container ended, in the words of ContainerStateTerminated.
type ended struct {
	ExitCode   int    `json:"exitCode"`
	Reason     string `json:"reason"`
	Message    string `json:"message,omitempty"`
	StartedAt  string `json:"startedAt"`
	FinishedAt string `json:"finishedAt"`
}

// end asks for the pod's removal.
func (r *runner) end(grace int64) {
	r.grace.CompareAndSwap(0, grace)
	r.unwant()
}

// run returns when the pod has been removed, or no longer exists.
func (r *runner) run() {
	// The kernel kills the container when the thread that started it ends. This thread is the runner's alone.
	runtime.LockOSThread()
	defer r.forget()
	if r.wanted.Err() == nil {
		r.execute()
		<-r.wanted.Done()
	}
	_ = os.RemoveAll(r.folder())
	err := r.node.api.insist(r.exists, "DELETE", r.pod.path(), object{
		"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0,
		"preconditions": object{"uid": r.pod.Metadata.UID},
	})
	r.complain("cannot remove the pod", err)
}

// execute runs the container as often as the restart policy says, and reports each change.
func (r *runner) execute() {
	for restarts := 0; ; restarts++ {
		end := r.once(restarts)
		policy := r.pod.Spec.RestartPolicy
		again := policy == "Always" || policy == "OnFailure" && end.ExitCode != 0
		if again && r.wanted.Err() == nil {
			delay := min(time.Duration(restarts)*restartDelay, maxRestartDelay)
			r.last = object{"terminated": end}
			r.report("Running", restarts, object{"waiting": object{
				"reason": "CrashLoopBackOff", "message": fmt.Sprintf("restarts in %s", delay),
			}})
			if pause(r.wanted, delay) && r.wanted.Err() == nil {
				continue
			}
		}
		phase := "Succeeded"
		if end.ExitCode != 0 {
			phase = "Failed"
		}
		r.report(phase, restarts, object{"terminated": end})
		return
	}
}

// once runs the container one time.
func (r *runner) once(restarts int) ended {
	end := ended{ExitCode: 128, Reason: "StartError", StartedAt: now(), FinishedAt: now()}
	cmd, err := r.command(restarts)
	if err == nil {
		var log *logFile
		if log, err = r.openLog(restarts); err == nil {
			defer log.close()
			end.StartedAt = now()
			err = r.process(cmd, log, func() {
				r.report("Running", restarts, object{"running": object{"startedAt": end.StartedAt}})
			})
		}
	}
	end.FinishedAt = now()
	if cmd == nil || cmd.ProcessState == nil {
		end.Message = err.Error()
		return end
	}
	end.ExitCode, end.Reason = cmd.ProcessState.ExitCode(), "Completed"
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		end.ExitCode = 128 + int(status.Signal())
	}
	if end.ExitCode != 0 {
		end.Reason = "Error"
	}
	return end
}

// process starts cmd, calls started, and returns when every process of its group has been ended.
func (r *runner) process(cmd *exec.Cmd, log *logFile, started func()) error {
	stdout, err := log.pipe("stdout")
	if err != nil {
		return err
	}
	defer stdout.Close()
	stderr, err := log.pipe("stderr")
	if err != nil {
		return err
	}
	defer stderr.Close()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is read from cmd.ProcessState
		close(exited)
	}()
	started()
	group := -cmd.Process.Pid
	select {
	case <-exited:
	case <-r.wanted.Done():
		_ = syscall.Kill(group, syscall.SIGTERM)
		select {
		case <-exited:
		case <-r.exists.Done():
		case <-time.After(time.Duration(r.grace.Load()) * time.Second):
		}
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // also what the first process leaves behind, as in a container
	<-exited
	return nil
}

// report writes the pod's phase and the state of its container.
func (r *runner) report(phase string, restarts int, state object) {
	_, running := state["running"]
	ready, reason := "False", "ContainersNotReady"
	if running {
		ready, reason = "True", ""
	} else if phase == "Succeeded" {
		reason = "PodCompleted"
	}
	condition := func(kind, status, reason string) object {
		return object{"type": kind, "status": status, "reason": reason, "lastTransitionTime": now()}
	}
	first := r.pod.Spec.Containers[0]
	if r.pod.Status.StartTime == "" {
		r.pod.Status.StartTime = now()
	}
	err := r.node.api.insist(r.exists, "PATCH", r.pod.path()+"/status", object{
		"metadata": object{"uid": r.pod.Metadata.UID},
		"status": object{
			"phase": phase, "startTime": r.pod.Status.StartTime,
			"conditions": []object{condition("Initialized", "True", ""), condition("ContainersReady", ready, reason), condition("Ready", ready, reason)},
			"containerStatuses": []object{{
				"name": first.Name, "image": first.Image, "imageID": "", "restartCount": restarts,
				"ready": running, "started": running, "state": state, "lastState": r.last,
			}},
		},
	})
	r.complain("cannot report the status", err)
}

// folder is the container's working folder, unless it names one itself.
func (r *runner) folder() string { return filepath.Join(r.node.work, r.pod.Metadata.UID) }

func (r *runner) complain(what string, err error) {
	if err != nil && r.exists.Err() == nil && !isStatus(err, 404) && !isStatus(err, 409) {
		fmt.Fprintf(os.Stderr, "%s: %s: %v\n", r.pod.path(), what, err)
	}
}
