package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
)

// missing says that an object, or a key of it, that the container needs is not there.
type missing struct{ what, path, resourceVersion string }

func (m *missing) Error() string { return m.what + " not found" }

// command prepares the container's process. While a Secret or ConfigMap is missing the pod stays Pending, and each
// change of that object leads to another attempt.
func (r *runner) command(restarts int) (*exec.Cmd, error) {
	first := r.pod.Spec.Containers[0]
	if len(first.Command) == 0 {
		return nil, fmt.Errorf("container %q has no command: images do not exist here, so set command", first.Name)
	}
	environment, names, err := r.environment()
	for absent := (*missing)(nil); errors.As(err, &absent); environment, names, err = r.environment() {
		r.report("Pending", restarts, object{"waiting": object{"reason": "CreateContainerConfigError", "message": err.Error()}})
		watch := absent.path + "&watch=1&resourceVersion=" + absent.resourceVersion
		broken := r.node.api.watch(r.wanted, watch, func(string, json.RawMessage) bool { return true })
		if broken != nil && !pause(r.wanted, retryDelay) {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	var words []string
	for _, word := range append(first.Command, first.Args...) {
		words = append(words, expand(word, environment))
	}
	if err := os.MkdirAll(r.folder(), 0o700); err != nil {
		return nil, err
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = first.WorkingDir
	if cmd.Dir == "" {
		cmd.Dir = r.folder()
	}
	// Nothing else of the agent's own environment: it may hold credentials.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "HOSTNAME=" + r.pod.Metadata.Name}
	for _, name := range names {
		cmd.Env = append(cmd.Env, name+"="+environment[name])
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	diesWithParent(cmd.SysProcAttr)
	return cmd, nil
}

// environment returns the container's variables and their names in order.
func (r *runner) environment() (map[string]string, []string, error) {
	values, names := map[string]string{}, []string{}
	set := func(name, value string) {
		if _, known := values[name]; !known {
			names = append(names, name)
		}
		values[name] = value
	}
	first := r.pod.Spec.Containers[0]
	for _, from := range first.EnvFrom {
		for kind, ref := range map[string]*reference{"secrets": from.SecretRef, "configmaps": from.ConfigMapRef} {
			data, err := r.data(kind, ref, "")
			if err != nil {
				return nil, nil, err
			}
			for key, value := range data {
				set(from.Prefix+key, value)
			}
		}
	}
	for _, variable := range first.Env {
		value, found, err := r.value(variable, values)
		if err != nil {
			return nil, nil, err
		}
		if found {
			set(variable.Name, value)
		}
	}
	return values, names, nil
}

// value returns what a variable is set to; an optional reference may have none.
func (r *runner) value(v variable, earlier map[string]string) (string, bool, error) {
	from := v.ValueFrom
	switch {
	case from.FieldRef != nil:
		value, err := r.pod.field(from.FieldRef.FieldPath)
		return value, true, err
	case from.SecretKeyRef != nil:
		return r.key("secrets", from.SecretKeyRef)
	case from.ConfigMapKeyRef != nil:
		return r.key("configmaps", from.ConfigMapKeyRef)
	default:
		return expand(v.Value, earlier), true, nil
	}
}

// field is what the downward API offers of a pod, as far as it exists here.
func (p *pod) field(path string) (string, error) {
	if name, key, found := strings.Cut(strings.TrimSuffix(path, "']"), "['"); found {
		switch name {
		case "metadata.labels":
			return p.Metadata.Labels[key], nil
		case "metadata.annotations":
			return p.Metadata.Annotations[key], nil
		}
	}
	switch path {
	case "metadata.name":
		return p.Metadata.Name, nil
	case "metadata.namespace":
		return p.Metadata.Namespace, nil
	case "metadata.uid":
		return p.Metadata.UID, nil
	case "spec.nodeName":
		return p.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return p.Spec.ServiceAccountName, nil
	}
	return "", fmt.Errorf("fieldRef %q does not exist on this node", path)
}

// key returns one key of a Secret or ConfigMap; an optional one may be absent.
func (r *runner) key(kind string, ref *reference) (value string, found bool, err error) {
	data, err := r.data(kind, ref, ref.Key)
	value, found = data[ref.Key]
	return value, found, err
}

// data returns what a Secret or ConfigMap holds: nothing if ref is nil, or optional and absent. The key, if not empty,
// must be there too.
func (r *runner) data(kind string, ref *reference, key string) (map[string]string, error) {
	if ref == nil {
		return nil, nil
	}
	path := "/api/v1/namespaces/" + r.pod.Metadata.Namespace + "/" + kind + "?fieldSelector=" + url.QueryEscape("metadata.name="+ref.Name)
	var list struct {
		Metadata struct{ ResourceVersion string }
		Items    []struct{ Data map[string]string }
	}
	for { // a failed read is not a missing object
		err := r.node.api.call(r.wanted, "GET", path, nil, &list)
		if err == nil {
			break
		}
		if !pause(r.wanted, retryDelay) {
			return nil, err
		}
	}
	data := map[string]string{}
	if len(list.Items) > 0 {
		data = list.Items[0].Data
	}
	if _, found := data[key]; !ref.Optional && (len(list.Items) == 0 || key != "" && !found) {
		return nil, &missing{what: fmt.Sprintf("%s %q, key %q", kind, ref.Name, key), path: path, resourceVersion: list.Metadata.ResourceVersion}
	}
	if kind == "secrets" {
		for name, value := range data {
			plain, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				return nil, fmt.Errorf("secret %q, key %q: %w", ref.Name, name, err)
			}
			data[name] = string(plain)
		}
	}
	return data, nil
}

var variableReference = regexp.MustCompile(`\$\$|\$\([-._a-zA-Z][-._a-zA-Z0-9]*\)`)

// expand replaces $(NAME) by the variable's value; $$ stands for $, and an unknown name stays as it is.
func expand(text string, values map[string]string) string {
	return variableReference.ReplaceAllStringFunc(text, func(match string) string {
		if match == "$$" {
			return "$"
		}
		if value, known := values[match[2:len(match)-1]]; known {
			return value
		}
		return match
	})
}
