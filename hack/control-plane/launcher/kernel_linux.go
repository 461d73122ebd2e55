package main

import "syscall"

// reusePort is SO_REUSEPORT, which package syscall lacks on some architectures.
const reusePort = 0xf

// diesWithParent makes the kernel send signal to the child when the launcher ends, however it ends.
func diesWithParent(attributes *syscall.SysProcAttr, signal syscall.Signal) {
	attributes.Pdeathsig = signal
}
