package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// marker shows that a folder is a control plane's, and is locked while one runs there.
const marker = ".control-plane"

// folder is the directory of one control plane.
type folder struct {
	path string
	made bool // by us, so that it is ours to remove
	lock *os.File
}

// claim makes the folder if needed, locks it and empties it of what an earlier, killed control plane left.
// It refuses a folder that holds anything else, because names such as "data" are removed from it.
func claim(path string) (*folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(path)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(path, marker)); err != nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty and no control plane made it: name an empty folder with --dir", path)
	}
	lock, err := os.OpenFile(filepath.Join(path, marker), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("a control plane is running in %s: stop it, or name another folder with --dir", path)
	}
	f := &folder{path: path, made: made, lock: lock}
	return f, f.remove("logs")
}

// release removes what the control plane wrote, except the logs if they are to be kept.
func (f *folder) release(keepLogs bool) error {
	defer f.lock.Close()
	if keepLogs {
		return f.remove()
	}
	if err := f.remove("logs", marker); err != nil {
		return err
	}
	if !f.made {
		return nil
	}
	return os.Remove(f.path)
}

func (f *folder) remove(more ...string) error {
	for _, name := range append(more, "data", "pki", "admin.kubeconfig") {
		if err := os.RemoveAll(filepath.Join(f.path, name)); err != nil {
			return err
		}
	}
	return nil
}
