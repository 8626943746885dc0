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
  say "Installing $(grep -c '^[a-z].*==' "$lock") Python packages from $lock ..."
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
  local site
  [ -x "$VENV/bin/grapevine" ] && [ "$(cat "$VENV/.installed/house" 2>/dev/null)" = "$ROOT" ] && return
  site=$("$PY" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  printf '%s\n' "$ROOT" >"$site/grapevine.pth"
  printf '#!%s\nimport sys\n\nfrom app.cli import main\n\nsys.exit(main())\n' "$PY" >"$VENV/bin/grapevine"
  chmod +x "$VENV/bin/grapevine"
  printf '%s\n' "$ROOT" >"$VENV/.installed/house"
}
