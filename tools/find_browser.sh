#!/usr/bin/env bash
# Prints the path of a Chromium that can run stories and journeys; installs Debian's where it may.
set -euo pipefail

found() {
  local name path
  for name in "${CHROMIUM_PATH:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$name" ] || continue
    path=$(command -v "$name" 2>/dev/null) || continue
    printf '%s\n' "$path"
    return 0
  done
  return 1
}

if [ -n "${CHROMIUM_PATH:-}" ] && ! command -v "$CHROMIUM_PATH" >/dev/null 2>&1; then
  echo "CHROMIUM_PATH is $CHROMIUM_PATH, which cannot be run. Next: point it at a Chromium or Chrome, or unset it." >&2
  exit 1
fi
found && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "No Chromium found: installing Debian's." >&2
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >&2 || true
  found && exit 0
fi

echo "No Chromium found. Next: install Chromium or Chrome (Debian: apt-get install chromium), or set CHROMIUM_PATH to its path." >&2
exit 1
