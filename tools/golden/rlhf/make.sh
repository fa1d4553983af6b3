#!/bin/sh
# Regenerates tests/golden/rlhf/*.json. Run from the repository root: sh tools/golden/rlhf/make.sh
# PYTHON names an interpreter that has requirements.txt installed; without it a virtual environment
# is made in .cache/golden. TRL_0_11 names the wheel of trl 0.11.4, the last release with the KL
# controllers; without it the wheel is fetched (it is read, never installed).
set -eu
cache=.cache/golden
here=tools/golden/rlhf
mkdir -p "$cache"
if [ -z "${PYTHON:-}" ]; then
  [ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
  PYTHON="$cache/venv/bin/python"
  # torch alone from the index of CPU builds: PyPI's brings CUDA along on Linux
  "$PYTHON" -m pip install --quiet --retries 1 \
    --extra-index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' "$here/requirements.txt")"
  "$PYTHON" -m pip install --quiet -r "$here/requirements.txt"
fi
if [ -z "${TRL_0_11:-}" ]; then
  TRL_0_11="$cache/trl-0.11.4-py3-none-any.whl"
  [ -f "$TRL_0_11" ] || "$PYTHON" -m pip download --quiet --no-deps --dest "$cache" trl==0.11.4
fi
npx tsx "$here/export-inputs.ts" "$cache/inputs.json"
TRL_EXPERIMENTAL_SILENCE=1 "$PYTHON" "$here/make_fixtures.py" "$cache/inputs.json" "$TRL_0_11"
