#!/usr/bin/env bash
# Puts in place what tools/demo and tools/test need: system packages and the virtual environment.
#
#   tools/setup.sh         what generating, building, running and verifying firmware needs
#   tools/setup.sh flash   that, and what flashes boards and watches them
#   tools/setup.sh test    that, and what training and the tests need
#   tools/setup.sh list    prints the names of all apt packages that these want, installs nothing
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

# Whether a compiler has a library, which Debian packages apart from it: COMPILER FILE
setup_has_library() { [[ "$("$1" -print-file-name="$2" 2>/dev/null)" == /* ]]; }

# Newer releases have the emulator apart from other rare processors'.
setup_riscv_emulator() {
    if apt-cache show qemu-system-riscv >/dev/null 2>&1; then
        echo qemu-system-riscv
    else
        echo qemu-system-misc
    fi
}

# Prints each apt package and the command that succeeds if what it brings is there: PYTHON [test]
# The packages are all that may be used besides Debian's required ones: tools/minimal_root.
setup_table() {
    cat <<END
python3-venv                    setup_has_venv $1
gcc                             command -v cc
libc6-dev                       setup_has_c_library
cmake                           command -v cmake
ninja-build                     command -v ninja
binutils-arm-none-eabi          command -v arm-none-eabi-objdump
gcc-arm-none-eabi               command -v arm-none-eabi-gcc
libnewlib-arm-none-eabi         setup_has_library arm-none-eabi-gcc libc.a
qemu-system-arm                 command -v qemu-system-arm
END
    [[ "$2" != test ]] || cat <<END
g++                             command -v c++
clang                           command -v clang
lld                             command -v ld.lld
make                            command -v make
arduino-builder                 command -v arduino-builder
arduino-ctags                   command -v arduino-ctags
libstdc++-arm-none-eabi-newlib  setup_has_library arm-none-eabi-g++ libstdc++_nano.a
picolibc-arm-none-eabi          setup_has_library arm-none-eabi-gcc picolibc.specs
gcc-riscv64-unknown-elf         command -v riscv64-unknown-elf-gcc
picolibc-riscv64-unknown-elf    setup_has_library riscv64-unknown-elf-gcc picolibc.specs
$(setup_riscv_emulator)  command -v qemu-system-riscv32
chromium                        command -v chromium
END
}

# Prints the names of the apt packages that are missing, one per line: PYTHON [test]
setup_missing_packages() {
    local package probe
    setup_table "$@" | while read -r package probe; do
        $probe >/dev/null </dev/null || echo "$package"
    done
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
        # What packages there are is known only now.
        ! mapfile -t packages < <(setup_missing_packages "$1" "$2") ||
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
    # Python compiles the modules that are imported, a quarter of all, when they are.
    .venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check \
        -e ".$extras" >&2 ||
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

# apt and pip unpack side by side, each on a core of its own: PYTHON EXTRAS [test]
setup_both() {
    local apt failed=0
    if ! setup_has_venv "$1"; then
        setup_packages "$1" "${3:-}"
        setup_venv "$1" "$2"
        return
    fi
    setup_packages "$1" "${3:-}" &
    apt=$!
    (setup_venv "$1" "$2") || failed=1
    wait "$apt" || failed=1
    ((!failed)) || exit 2
}

setup_main() {
    local python="${PYTHON:-python3}"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
        setup_fail "$python is missing or too old, Python 3.10 or newer is needed (or set PYTHON)"
    if [[ "${1:-}" == list ]]; then
        setup_table "$python" test | cut -d ' ' -f 1
        return
    fi
    case "${1:-}" in
    "") setup_both "$python" "[verify]" ;;
    flash) setup_both "$python" "[verify,flash]" ;;
    test)
        setup_both "$python" "[train,dev,flash]" test
        setup_tflm_headers
        ;;
    *) setup_fail "unknown argument $1, allowed: flash, test, list" ;;
    esac
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
setup_main "$@"
