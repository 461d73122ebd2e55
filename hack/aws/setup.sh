#!/usr/bin/env bash
# Makes the virtual environment of the AWS stand-in in bin/aws/venv. Safe to repeat: the stamp is the
# hash of requirements.txt, so nothing happens while that file is unchanged. PYTHON names another interpreter.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(cd "$here/../.." && pwd)/bin/aws
venv=$out/venv
stamp=$venv/.requirements.sha256

wanted=$(sha256sum <"$here/requirements.txt" | cut -d' ' -f1)
if [[ -f $stamp && $(<"$stamp") == "$wanted" && -x $venv/bin/python ]]; then
  exit 0
fi

mkdir -p "$out"
exec 9>"$out/.setup.lock"
flock 9
if [[ -f $stamp && $(<"$stamp") == "$wanted" && -x $venv/bin/python ]]; then
  exit 0
fi

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "hack/aws/setup.sh needs Python 3.11 or newer; set PYTHON to one" >&2
  exit 1
fi
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$here/requirements.txt"
echo "$wanted" >"$stamp"
