package planetest

import (
	"os"
	"syscall"
	"testing"
)

// AdoptOrphans makes the test program the parent of processes whose own parent dies, so that AwaitDeath can wait for them.
func AdoptOrphans() error {
	const setChildSubreaper = 36
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		return os.NewSyscallError("prctl", errno)
	}
	return nil
}

// AwaitDeath returns when a process is gone whose own parent is gone already. That parent may, while it was dying, still
// have collected it; then there is nothing to wait for.
func AwaitDeath(t testing.TB, name string, pid int) {
	t.Helper()
	for {
		_, err := syscall.Wait4(pid, nil, 0, nil)
		if err == nil || err == syscall.ECHILD && syscall.Kill(pid, 0) == syscall.ESRCH {
			return
		}
		if err != syscall.EINTR {
			t.Fatalf("cannot wait for %s (%d): %v", name, pid, err)
		}
	}
}
