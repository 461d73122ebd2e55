// Command control-plane runs a Kubernetes control plane on loopback for tests and the demo: etcd, kube-apiserver and,
// unless told otherwise, kube-controller-manager; with --node also an agent that runs pods as local processes.
//
// It prints one line of JSON when everything is ready and one per signal obeyed, and runs until SIGTERM or SIGINT.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

// The main goroutine stays on the main thread, because the children's lives are tied to the thread that starts them.
func init() { runtime.LockOSThread() }

type options struct {
	dir, bin            string
	node, noControllers bool
	untilStdinCloses    bool
	keep                bool
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "", "folder for kubeconfig, logs and data; made if missing (required)")
	flag.StringVar(&o.bin, "bin", "", "folder of the binaries (default: that of this one)")
	flag.BoolVar(&o.node, "node", false, "also run a node, so that pods run")
	flag.BoolVar(&o.noControllers, "no-controller-manager", false, "run etcd and kube-apiserver alone")
	flag.BoolVar(&o.untilStdinCloses, "until-stdin-closes", false, "also stop when standard input is closed")
	flag.BoolVar(&o.keep, "keep", false, "keep the logs after a clean stop too")
	flag.Parse()
	if o.dir == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: control-plane --dir DIR [--node] [--no-controller-manager] [--until-stdin-closes] [--keep] [--bin DIR]")
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "control-plane:", err)
		os.Exit(1)
	}
}

// run returns nil after a stop that was asked for.
func run(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	commands := make(chan os.Signal, 8)
	signal.Notify(commands, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	if o.untilStdinCloses {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	if o.bin == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		o.bin = filepath.Dir(self)
	}
	home, err := claim(o.dir)
	if err != nil {
		return err
	}
	p := &plane{ctx: ctx, dir: home.path, bin: o.bin, exits: make(chan *child)}
	err = p.up(!o.noControllers, o.node)
	if err == nil {
		err = p.serve(commands)
	}
	if ctx.Err() != nil {
		err = nil // what failed did so because it was told to stop
	}
	p.down(err != nil)
	if cleaned := home.release(o.keep || err != nil); err == nil {
		err = cleaned
	}
	return err
}

// serve announces the control plane and obeys signals until it is asked to stop or a child dies.
func (p *plane) serve(commands <-chan os.Signal) error {
	say(map[string]any{"kubeconfig": p.kubeconfig(), "server": p.server, "dir": p.dir, "pids": p.pids()})
	for {
		select {
		case <-p.ctx.Done():
			return nil
		case c := <-p.exits:
			if p.owns(c) {
				return c.died()
			}
		case command := <-commands:
			if err := p.obey(command); err != nil {
				return err
			}
		}
	}
}

// obey restarts (SIGHUP), stops (SIGUSR1) or starts (SIGUSR2) the API server; its port and data stay.
func (p *plane) obey(command os.Signal) error {
	if command != syscall.SIGUSR2 {
		p.stop(apiServer, stopGrace)
	}
	if command == syscall.SIGUSR1 {
		say(map[string]any{"stopped": apiServer})
		return nil
	}
	if p.find(apiServer) == nil {
		if err := p.startAPIServer(); err != nil {
			return err
		}
	}
	done := "restarted"
	if command == syscall.SIGUSR2 {
		done = "started"
	}
	say(map[string]any{done: apiServer, "pid": p.find(apiServer).pid()})
	return nil
}

// say prints one line of JSON. If nobody reads it, the launcher has no one to work for and the write ends it (SIGPIPE).
func say(message map[string]any) {
	line, _ := json.Marshal(message) // strings and numbers always encode
	fmt.Printf("%s\n", line)
}
