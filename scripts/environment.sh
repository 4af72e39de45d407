# Sourced by every script: stands in the repository's root, makes .venv what requirements.lock says, sets $python.
# Needs Python 3.11 or 3.12 and pip; uv is fetched by pip into .cache where it is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv_version=0.13.9
if command -v uv >/dev/null; then
  uv=uv
else
  uv=.cache/uv-$uv_version/bin/uv
  if [ ! -x "$uv" ]; then
    echo "fetching uv $uv_version into .cache" >&2
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
      --target ".cache/uv-$uv_version" "uv==$uv_version"
  fi
fi

python=.venv/bin/python
wanted=$(cat requirements.lock pyproject.toml scripts/environment.sh | sha256sum | cut -d ' ' -f 1)
if [ "$(cat .venv/.boxtune-synced 2>/dev/null)" != "$wanted" ]; then
  [ -x "$python" ] || "$uv" venv --quiet --no-python-downloads --python "${BOXTUNE_PYTHON:->=3.11,<3.13}" .venv
  echo "installing what requirements.lock names into .venv (3 GB; a minute or two the first time)" >&2
  # Compiled now: where Python may not write bytecode (PYTHONDONTWRITEBYTECODE, read-only folders), each start of a
  # trial would compile all of TensorFlow again, for four seconds.
  "$uv" pip sync --quiet --python "$python" --require-hashes --compile-bytecode requirements.lock
  "$uv" pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
  echo "$wanted" > .venv/.boxtune-synced
fi
