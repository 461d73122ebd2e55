package main

import "syscall"

// diesWithParent makes the kernel kill the container's first process when the agent ends, however it ends.
func diesWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
