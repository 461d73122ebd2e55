//go:build !linux

package main

import "syscall"

// diesWithParent has no counterpart outside Linux: there, an agent that is killed leaves containers behind.
func diesWithParent(*syscall.SysProcAttr) {}
