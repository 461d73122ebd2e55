//go:build !linux

package main

import "syscall"

const reusePort = syscall.SO_REUSEPORT

// diesWithParent has no counterpart outside Linux: there, a launcher that is killed leaves its children behind.
func diesWithParent(*syscall.SysProcAttr, syscall.Signal) {}
