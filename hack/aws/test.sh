#!/usr/bin/env bash
# Runs the contract tests of the AWS stand-in; arguments go to pytest.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/setup.sh" >&2
export PYTHONPATH=$here PYTHONPYCACHEPREFIX=$here/../../bin/aws/pycache
exec "$here/../../bin/aws/venv/bin/python" -m pytest -q -p no:cacheprovider "$@" "$here/tests"
