package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopGrace is how long a child may take to stop by itself; a kill after that loses nothing that is kept.
const stopGrace = 3 * time.Second

// child is a running process of the control plane. Its output is appended to logs/NAME.log.
type child struct {
	name   string
	log    string
	cmd    *exec.Cmd
	exited chan struct{} // closed once the process is gone
}

// start runs the command with dir/data as its working folder. It must be called on the main thread: the kernel kills
// the child when the thread that started it ends (see diesWithParent), and the main thread ends with the launcher.
func start(dir, name, binary string, deathSignal syscall.Signal, args ...string) (*child, error) {
	c := &child{name: name, log: filepath.Join(dir, "logs", name+".log"), exited: make(chan struct{})}
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c.cmd = exec.Command(binary, args...)
	c.cmd.Dir, c.cmd.Stdout, c.cmd.Stderr = filepath.Join(dir, "data"), log, log
	// A process group of its own: Ctrl-C in a terminal must reach the launcher alone, which stops the others in order.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	diesWithParent(c.cmd.SysProcAttr, deathSignal)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w; run `make control-plane` first", name, err)
	}
	go func() {
		_ = c.cmd.Wait() // how it ended is read from cmd.ProcessState
		close(c.exited)
	}()
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends the process, by force when the grace is over, and returns when it is gone.
func (c *child) stop(grace time.Duration) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails only if it is gone already
	select {
	case <-c.exited:
	case <-time.After(grace):
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
}

// died describes an exit that nobody asked for, with the last lines of the log.
func (c *child) died() error {
	<-c.exited
	return fmt.Errorf("%s ended unexpectedly (%s); the end of %s:\n%s", c.name, c.cmd.ProcessState, c.log, tail(c.log, 20))
}

// tail returns the last lines of a file, reading at most 64 KiB of it.
func tail(path string, lines int) []byte {
	file, err := os.Open(path)
	if err != nil {
		return []byte(err.Error())
	}
	defer file.Close()
	const most = 64 << 10
	if info, err := file.Stat(); err == nil && info.Size() > most {
		_, _ = file.Seek(-most, 2)
	}
	content := make([]byte, most)
	n, _ := file.Read(content)
	all := bytes.SplitAfter(bytes.TrimSpace(content[:n]), []byte("\n"))
	return bytes.Join(all[max(0, len(all)-lines):], nil)
}
