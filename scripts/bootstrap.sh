#!/usr/bin/env bash
# Installs what building and testing needs, and nothing when all of it is there.
#
#   scripts/bootstrap.sh          compilers, LLVM/MLIR 22, test tools, ptxas
#   scripts/bootstrap.sh --tidy   clang-tidy too
#
# FA3_NO_INSTALL=1 only reports what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  ca-certificates ccache clang-22 clang-format-22 cmake g++ libgmock-dev
  libgtest-dev libmlir-22-dev libzstd-dev lld-22 llvm-22-dev llvm-22-tools
  mlir-22-tools ninja-build nlohmann-json3-dev python3 python3-psutil
  python3-venv zlib1g-dev
)
for option in "$@"; do
  case $option in
    --tidy) packages+=(clang-tidy-22) ;;
    *) echo "usage: $0 [--tidy]" >&2; exit 2 ;;
  esac
done

say() { echo "bootstrap: $*" >&2; }

# The packages of the list that are not installed.
missing() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${packages[@]}" 2>/dev/null |
              sed -n 's/^ii  *//p' || true)
  printf '%s\n' "${packages[@]}" | grep -vxF -f <(printf '%s\n' "$installed" 'no package') || true
}

install_packages() {
  local wanted=("$@") root=()
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      say "missing packages: ${wanted[*]}"
      say "installing them needs root or sudo"
      exit 1
    fi
    root=(sudo)
  fi
  say "installing ${wanted[*]}"
  "${root[@]}" apt-get update -q >&2
  if ! apt-cache show libmlir-22-dev >/dev/null 2>&1; then
    . /etc/os-release
    say "this machine's apt sources have no LLVM/MLIR 22 (package libmlir-22-dev)."
    say "Debian 12 has it in bookworm-security. Elsewhere add LLVM's own repository:"
    say "  wget -O /etc/apt/trusted.gpg.d/llvm.asc https://apt.llvm.org/llvm-snapshot.gpg.key"
    say "  echo 'deb https://apt.llvm.org/${VERSION_CODENAME:-bookworm}/ llvm-toolchain-${VERSION_CODENAME:-bookworm}-22 main' > /etc/apt/sources.list.d/llvm.list"
    exit 1
  fi
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${wanted[@]}" >&2
}

if command -v dpkg-query >/dev/null; then
  mapfile -t wanted < <(missing)
  if [ "${#wanted[@]}" != 0 ]; then
    if [ "${FA3_NO_INSTALL:-}" = 1 ]; then
      say "missing packages: ${wanted[*]}"
    else
      install_packages "${wanted[@]}"
    fi
  fi
elif ! command -v clang++-22 >/dev/null; then
  say "no dpkg here: install the counterparts of these Debian packages by hand:"
  say "  ${packages[*]}"
fi

# ptxas turns PTX into machine code. Debian's own CUDA is too old for sm_90a, so
# a machine without a CUDA toolkit gets it from PyPI. It is optional.
recently_failed() { [ -n "$(find .venv/no-ptxas -mmin -60 2>/dev/null)" ]; }
if [ -z "$(scripts/find_ptxas.sh)" ] && [ "${FA3_NO_INSTALL:-}" != 1 ] && ! recently_failed; then
  say "installing ptxas from PyPI into .venv"
  if ! { python3 -m venv .venv &&
         .venv/bin/pip install -q --no-deps nvidia-cuda-nvcc==13.0.88; } >&2; then
    say "could not install ptxas (no network?)"
    mkdir -p .venv && touch .venv/no-ptxas # not again for an hour
  fi
fi
if [ -z "$(scripts/find_ptxas.sh)" ]; then
  say "no ptxas: packages will carry PTX only (the driver or the emulator takes it)"
fi
