package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxLine is the longest line that is kept whole, in bytes; longer ones are stored in parts, as container runtimes do.
const maxLine = 16 << 10

// drainLimit is how long output is still read after a container's processes were killed. Only a process that left
// the container's process group can hold it open for longer.
const drainLimit = time.Second

// logFile holds the output of one run of a container in the CRI format: "TIME STREAM F|P TEXT" per line, where P
// means that the line goes on in the next one.
type logFile struct {
	file    *os.File
	readers []*os.File
	copying sync.WaitGroup

	mutex   sync.Mutex
	changed chan struct{} // closed, and replaced, by every write
	closed  bool
}

// openLog makes the log of the given run and shows it to readers.
func (r *runner) openLog(restarts int) (*logFile, error) {
	m := r.pod.Metadata
	folder := filepath.Join(r.node.logs, strings.Join([]string{m.Namespace, m.Name, m.UID}, "_"), r.pod.Spec.Containers[0].Name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(folder, strconv.Itoa(restarts)+".log"))
	if err != nil {
		return nil, err
	}
	log := &logFile{file: file, changed: make(chan struct{})}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.log = log
	return log, nil
}

// pipe returns a file for a process to write to; what it writes enters the log under the name of the stream.
func (l *logFile) pipe(stream string) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l.readers = append(l.readers, read)
	l.copying.Go(func() {
		defer read.Close()
		lines := bufio.NewReaderSize(read, maxLine)
		for {
			line, err := lines.ReadSlice('\n')
			if len(line) > 0 {
				l.append(stream, line)
			}
			if err != nil && err != bufio.ErrBufferFull {
				return
			}
		}
	})
	return write, nil
}

func (l *logFile) append(stream string, text []byte) {
	tag := "F"
	if !bytes.HasSuffix(text, []byte("\n")) {
		tag, text = "P", append(slices.Clone(text), '\n')
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	fmt.Fprintf(l.file, "%s %s %s %s", time.Now().UTC().Format(time.RFC3339Nano), stream, tag, text)
	close(l.changed)
	l.changed = make(chan struct{})
}

// close returns when all output is in the file, and ends those who follow it.
func (l *logFile) close() {
	for _, reader := range l.readers {
		_ = reader.SetReadDeadline(time.Now().Add(drainLimit)) // fails only if the reader has finished
	}
	l.copying.Wait()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.closed = true
	close(l.changed)
	l.file.Close()
}

// state returns a channel that the next change closes, and whether there will be none.
func (l *logFile) state() (<-chan struct{}, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.changed, l.closed
}

// serveLogs answers the API server on a free port of loopback.
func (n *node) serveLogs(cert, key string) (net.Listener, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("cannot read --tls-cert-file and --tls-private-key-file: %w", err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: n.api.authorities,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.containerLogs)
	go func() { _ = http.Serve(listener, mux) }() // ends with the listener
	return listener, nil
}

// containerLogs writes a container's output: all of it, or what the options of PodLogOptions leave.
func (n *node) containerLogs(w http.ResponseWriter, request *http.Request) {
	// Any user may hold a certificate of this authority; only the API server's own may read every log.
	if !slices.Contains(request.TLS.PeerCertificates[0].Subject.Organization, "system:masters") {
		http.Error(w, "only the API server may read logs here", http.StatusForbidden)
		return
	}
	r := n.find(request.PathValue("namespace"), request.PathValue("pod"))
	if r == nil || r.pod.Spec.Containers[0].Name != request.PathValue("container") {
		http.Error(w, "no such container runs on this node (only the first of a pod does)", http.StatusNotFound)
		return
	}
	if request.URL.Query().Get("previous") == "true" {
		http.Error(w, "the output of earlier runs is only in the agent's folder of logs", http.StatusBadRequest)
		return
	}
	r.mutex.Lock()
	log := r.log
	r.mutex.Unlock()
	if log == nil {
		http.Error(w, "the container is waiting to start", http.StatusBadRequest)
		return
	}
	if err := log.write(w, request); err != nil && request.Context().Err() == nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// write copies the log to w and, if asked, follows it to its end.
func (l *logFile) write(w http.ResponseWriter, request *http.Request) error {
	query := request.URL.Query()
	file, err := os.Open(l.file.Name())
	if err != nil {
		return err
	}
	defer file.Close()
	skip, err := l.skip(query.Get("tailLines"))
	if err != nil {
		return err
	}
	out := &view{out: w, skip: skip, left: math.MaxInt64, timestamps: query.Get("timestamps") == "true", lineStart: true}
	if limit, err := strconv.ParseInt(query.Get("limitBytes"), 10, 64); err == nil {
		out.left = limit
	}
	for lines := bufio.NewReader(file); ; {
		changed, closed := l.state() // before reading, so that no change is missed
		if err := out.drain(lines); err != nil || out.left == 0 || closed || query.Get("follow") != "true" {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-request.Context().Done():
			return nil
		}
	}
}

// view turns lines of the file into what a reader asked for.
type view struct {
	out        io.Writer
	skip       int    // lines still to be left out
	left       int64  // bytes that may still be written
	timestamps bool   // before every line
	lineStart  bool   // what comes next begins a line
	rest       string // of a line of which only a part has been read
}

// drain shows everything that can be read now.
func (v *view) drain(lines *bufio.Reader) error {
	for v.left > 0 {
		line, err := lines.ReadString('\n')
		v.rest += line
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = v.show(v.rest)
		}
		if err != nil {
			return err
		}
		v.rest = ""
	}
	return nil
}

func (v *view) show(line string) error {
	stamp, text, whole := split(line)
	if v.timestamps && v.lineStart {
		text = stamp + " " + text
	}
	v.lineStart = whole
	if v.skip > 0 {
		if whole {
			v.skip--
		}
		return nil
	}
	text = text[:min(int64(len(text)), v.left)]
	v.left -= int64(len(text))
	_, err := io.WriteString(v.out, text)
	return err
}

// split takes a line of the file apart; whole means that it ends a line of the output.
func split(line string) (stamp, text string, whole bool) {
	parts := strings.SplitN(line, " ", 4)
	if len(parts) < 4 { // the disk was full
		return "", line, true
	}
	if parts[2] == "P" {
		return parts[0], strings.TrimSuffix(parts[3], "\n"), false
	}
	return parts[0], parts[3], true
}

// skip returns how many lines come before the last ones that are wanted.
func (l *logFile) skip(tailLines string) (int, error) {
	tail, err := strconv.Atoi(tailLines)
	if err != nil {
		return 0, nil // not asked for
	}
	content, err := os.ReadFile(l.file.Name())
	if err != nil {
		return 0, err
	}
	lines := 0
	for line := range strings.Lines(string(content)) {
		if _, _, whole := split(line); whole {
			lines++
		}
	}
	return max(0, lines-tail), nil
}
