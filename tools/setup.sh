#!/usr/bin/env bash
# Puts in place what tools/demo and tools/test need: system packages and the virtual environment.
#
#   tools/setup.sh         what generating, building and running firmware needs
#   tools/setup.sh flash   that, and what flashes boards and watches them
#   tools/setup.sh test    that, and what training and the tests need
#
# A second run takes no time. Messages go to stderr.
set -euo pipefail

setup_say() { printf 'setup: %s\n' "$*" >&2; }

setup_fail() {
    setup_say "$*"
    exit 2
}

setup_has_pip() { .venv/bin/python -m pip --version >/dev/null 2>&1; }

# Making a venv needs ensurepip, which Debian packages apart from Python.
setup_has_venv() { setup_has_pip || "$1" -c 'import ensurepip, venv' 2>/dev/null; }

setup_has_c_library() { printf '#include <stdio.h>\n' | cc -E - >/dev/null 2>&1; }

setup_has_newlib() { [[ "$(arm-none-eabi-gcc -print-file-name=libc.a 2>/dev/null)" == /* ]]; }

# C++ programs link it; Arduino's builder asks for its small form.
setup_has_newlib_libstdcxx() { [[ "$(arm-none-eabi-g++ -print-file-name=libstdc++_nano.a 2>/dev/null)" == /* ]]; }

setup_has_picolibc() { [[ "$(riscv64-unknown-elf-gcc -print-file-name=picolibc.specs 2>/dev/null)" == /* ]]; }

# Newer releases have the emulator apart from other rare processors'.
setup_riscv_emulator() {
    if apt-cache show qemu-system-riscv >/dev/null 2>&1; then
        echo qemu-system-riscv
    else
        echo qemu-system-misc
    fi
}

# What the tests need besides, to try all cores.
setup_missing_test_packages() {
    command -v c++ >/dev/null || echo g++
    command -v arduino-builder >/dev/null || echo arduino-builder
    command -v arduino-ctags >/dev/null || echo arduino-ctags
    setup_has_newlib_libstdcxx || echo libstdc++-arm-none-eabi-newlib
    command -v riscv64-unknown-elf-gcc >/dev/null || echo gcc-riscv64-unknown-elf
    setup_has_picolibc || echo picolibc-riscv64-unknown-elf
    command -v qemu-system-riscv32 >/dev/null || setup_riscv_emulator
}

# Prints the names of the apt packages that are missing, one per line: PYTHON [test]
setup_missing_packages() {
    setup_has_venv "$1" || echo python3-venv
    command -v cc >/dev/null || echo gcc
    setup_has_c_library || echo libc6-dev
    command -v cmake >/dev/null || echo cmake
    command -v ninja >/dev/null || echo ninja-build
    command -v arm-none-eabi-gcc >/dev/null || echo gcc-arm-none-eabi
    setup_has_newlib || echo libnewlib-arm-none-eabi
    command -v qemu-system-arm >/dev/null || echo qemu-system-arm
    [[ "$2" != test ]] || setup_missing_test_packages
}

setup_packages() {
    local packages as_root=()
    mapfile -t packages < <(setup_missing_packages "$1" "$2")
    ((${#packages[@]})) || return 0
    command -v apt-get >/dev/null ||
        setup_fail "this system has no apt-get; install by hand what Debian calls: ${packages[*]}"
    if ((EUID != 0)); then
        as_root=(sudo)
        # sudo asks for the password on the terminal: without one it must not need any.
        if ! { command -v sudo && { sudo -n true || : </dev/tty; }; } >/dev/null 2>&1; then
            setup_fail "packages are missing and need root; run:" \
                "sudo apt-get update && sudo apt-get install -y ${packages[*]}"
        fi
    fi
    setup_say "installing ${packages[*]}"
    as_root+=(env DEBIAN_FRONTEND=noninteractive)
    if ! "${as_root[@]}" apt-get update -qq >&2 ||
        ! "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2; then
        setup_fail "apt-get failed; run it by hand to see why:" \
            "sudo apt-get update && sudo apt-get install -y ${packages[*]}"
    fi
}

setup_venv() {
    local extras="$2" stamp=.venv/asc-tiny-installed hash
    if ! setup_has_pip; then
        setup_say "creating .venv"
        "$1" -m venv .venv >&2 || setup_fail "cannot create .venv with $1"
    fi
    hash="$(sha256sum <pyproject.toml)"
    # The larger set of packages serves the smaller need too.
    [[ -f "$stamp-$extras" && "$(<"$stamp-$extras")" == "$hash" ]] && return 0
    [[ -f "$stamp-[train,dev,flash]" && "$(<"$stamp-[train,dev,flash]")" == "$hash" ]] && return 0
    setup_say "installing Python packages into .venv (a few minutes the first time)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".$extras" >&2 ||
        setup_fail "pip could not install the packages, see above"
    printf '%s\n' "$hash" >"$stamp-$extras"
}

# Headers of TensorFlow Lite Micro, to compile what is emitted for it: the wheel that has them asks
# for an old NumPy, so it is not installed.
setup_tflm_headers() {
    local wheel="xmos-ai-tools==1.4.2" folder=.venv/tflm-headers download
    [[ -d "$folder" || "$(uname -sm)" != "Linux x86_64" ]] && return 0
    setup_say "taking TensorFlow Lite Micro's headers out of the wheel of $wheel"
    download="$(mktemp -d)"
    if .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
        --dest "$download" "$wheel" >&2; then
        .venv/bin/python - "$download" "$folder" <<'END'
import sys, zipfile
from pathlib import Path

(wheel,) = Path(sys.argv[1]).glob("*.whl")
prefix = "xmos_ai_tools/runtime/include/"
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith(prefix) and name.endswith(".h"):
            target = Path(sys.argv[2] + ".new", name.removeprefix(prefix))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
Path(sys.argv[2] + ".new").rename(sys.argv[2])
END
    else
        setup_say "no headers: tests that compile for TensorFlow Lite Micro are skipped"
    fi
    rm -rf "$download"
}

setup_main() {
    local python="${PYTHON:-python3}"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
        setup_fail "$python is missing or too old, Python 3.10 or newer is needed (or set PYTHON)"
    setup_packages "$python" "${1:-}"
    case "${1:-}" in
    "") setup_venv "$python" "" ;;
    flash) setup_venv "$python" "[flash]" ;;
    test)
        setup_venv "$python" "[train,dev,flash]"
        setup_tflm_headers
        ;;
    *) setup_fail "unknown argument $1, allowed: flash, test" ;;
    esac
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
setup_main "$@"
