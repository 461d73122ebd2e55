#!/usr/bin/env bash
# Fills bin/k8s/ with a Kubernetes control plane and its tools: each binary is copied from $KUBEBUILDER_ASSETS where
# that holds the pinned minor version, else built from the pinned Go module beside this file.
# A second run finds every stamp in place and does nothing; it then does not even need Go.
#
# Usage: hack/control-plane/build.sh [OUTPUT FOLDER]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/../../bin/k8s}
mkdir -p "$out/.stamps"
out=$(cd "$out" && pwd)

# pin MODULE PATH: the version that hack/control-plane/MODULE/go.mod requires of PATH.
pin() { awk -v path="$2" '$1 == "require" { $1 = ""; $0 = $0 } $1 == path && $2 ~ /^v/ { print $2; exit }' "$here/$1/go.mod"; }

kubernetes=$(pin kubernetes k8s.io/kubernetes)
etcd=$(pin kubernetes go.etcd.io/etcd/server/v3)
helm=$(pin helm helm.sh/helm/v4)
minor=${kubernetes%.*}

strip="-s -w"
# Without its version, `kubectl version` fails and charts see no .Capabilities.KubeVersion.
kube_flags=$strip
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  kube_flags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=${minor#v1.}"
done
helm_flags="$strip -X helm.sh/helm/v4/internal/version.version=$helm"

# name | module folder | package | linker flags | what the version of a ready-made one must match (empty: always build)
binaries="
etcd|kubernetes|go.etcd.io/etcd/server/v3|$strip|etcd Version: ${etcd:1}
kube-apiserver|kubernetes|k8s.io/kubernetes/cmd/kube-apiserver|$kube_flags|Kubernetes $minor.
kube-controller-manager|kubernetes|k8s.io/kubernetes/cmd/kube-controller-manager|$kube_flags|Kubernetes $minor.
kubectl|kubernetes|k8s.io/kubernetes/cmd/kubectl|$kube_flags|Client Version: $minor.
helm|helm|helm.sh/helm/v4/cmd/helm|$helm_flags|
control-plane|launcher|.|$strip|
node|../node|.|$strip|
"

# stamp MODULE TEXT: changes whenever the module's pins or sources, or TEXT, change.
stamp() { (cd "$here/$1" && { printf '%s\n' "$2"; find . -type f \( -name 'go.*' -o -name '*.go' \) ! -name '*_test.go' -print0 | sort -z | xargs -0 cat; } | { sha256sum 2>/dev/null || shasum -a 256; }); }

# copy NAME WANTED: takes NAME from $KUBEBUILDER_ASSETS if it says WANTED about its version.
copy() {
  local source=${KUBEBUILDER_ASSETS:-}/$1 said
  [[ -n $2 && -n ${KUBEBUILDER_ASSETS:-} && -x $source ]] || return 1
  if [[ $1 == kubectl ]]; then said=$("$source" version --client 2>&1) || return 1; else said=$("$source" --version 2>&1) || return 1; fi
  [[ $said == *"$2"* ]] || return 1
  cp "$source" "$out/.$1.$$"
}

# build NAME MODULE PACKAGE FLAGS: compiles without cgo, so that no C compiler is needed. The compiler's own garbage
# collection costs a fifth of the time on packages of this size; a larger heap (bounded) saves that.
build() {
  (cd "$here/$2" && env CGO_ENABLED=0 GOWORK=off GOGC=400 GOMEMLIMIT=2GiB \
    go build -trimpath -buildvcs=false -ldflags "$4" -o "$out/.$1.$$" "$3")
}

# stale: prints the lines of the table whose binary is missing or whose stamp has changed.
stale() {
  while IFS='|' read -r name module package flags wanted; do
    [[ -n $name ]] || continue
    [[ -x $out/$name && -f $out/.stamps/$name && $(<"$out/.stamps/$name") == "$(stamp "$module" "$package $flags")" ]] ||
      printf '%s|%s|%s|%s|%s\n' "$name" "$module" "$package" "$flags" "$wanted"
  done <<<"$binaries"
}

[[ -n $(stale) ]] || exit 0

# Two runs at once: the second waits, then finds the work done. Where flock is missing they repeat each other's work, safely.
exec 9>"$out/.lock"
if command -v flock >/dev/null; then flock 9; fi
trap 'rm -f "$out"/.*.$$' EXIT

stale | while IFS='|' read -r name module package flags wanted; do
  new=$(stamp "$module" "$package $flags")
  SECONDS=0
  if copy "$name" "$wanted"; then
    how="copied from KUBEBUILDER_ASSETS"
  else
    command -v go >/dev/null || { echo "$name: cannot build it without Go; install Go (version in $module/go.mod or newer) or set KUBEBUILDER_ASSETS" >&2; exit 1; }
    build "$name" "$module" "$package" "$flags"
    how="built in $SECONDS s"
  fi
  mv -f "$out/.$name.$$" "$out/$name"
  printf '%s\n' "$new" >"$out/.stamps/$name"
  echo "$name: $how"
done
