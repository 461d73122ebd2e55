#!/usr/bin/env bash
# Writes the CRDs that GROUNDCREW prints to crds/<plural>.yaml, and the same to the chart.
#
# Usage: hack/crds.sh GROUNDCREW
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
printed=$("$1" crds)
chart=$root/charts/groundcrew/files/crds
rm -f "$root"/crds/*.yaml "$chart"/*.yaml
awk -v dir="$root/crds" '
  function flush() { if (name != "") printf "%s", text > (dir "/" name ".yaml"); text = name = "" }
  $0 == "---" { flush(); next }
  { text = text $0 "\n" }
  /^    plural: / { name = $2 }
  END { flush() }
' <<<"$printed"
cp "$root"/crds/*.yaml "$chart"
