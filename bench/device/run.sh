#!/usr/bin/env bash
# Runs on the machine with the GPU, in a copy of the working tree that has the folder .device which pack.sh made:
#   bash bench/device/run.sh [conformance | bench] [options]
# Without a part both run: first every primitive of the backend webgpu against the reference, then the suite `device`, whose results go
# into bench/results. Options are those of bench/src/device/program.ts: --out <folder>, --only <regular expression>, --peers, --no-large,
# --torch cpu, --rounds, --time, --seed. PyTorch is that of python3, or of the Python that AUTOASSIGN_TORCH names.
#   DEVICE_FOLDER   where to unpack (/tmp/device)
#   DEVICE_LOADERS  private: the Vulkan loader below that folder; system: into /; none: the machine's own
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
packed=.device
folder=${DEVICE_FOLDER:-/tmp/device}
export AUTOASSIGN_TORCH=${AUTOASSIGN_TORCH:-python3}
[ -f "$packed/runtime.tar.xz" ] || { echo "run.sh: needs $packed, got nothing there. Make it with npm run bench:device." >&2; exit 2; }

parts='conformance bench'
case ${1:-} in conformance | bench) parts=$1 && shift ;; esac

unpacked() { # of an xz file, to stdout; a bare machine may have no xz
  if command -v xz >/dev/null; then xz -dc "$1"
  else python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' "$1"; fi
}
# kept as text: a reader that stops early would end a pipe with an error
libraries=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null || true)
library_path=
search() { library_path=${library_path:+$library_path:}$1; }

mkdir -p "$folder"
if ! cmp -s "$packed/contents" "$folder/contents"; then
  unpacked "$packed/runtime.tar.xz" | tar -C "$folder" -xf -
  cp "$packed/contents" "$folder/contents"
fi
rm -rf "$folder/program"
cp -r "$packed/program" "$folder/program"

# the C++ library: ours only where the machine's own is too old
own=$(awk '$1 == "libstdc++.so.6" && /x86-64/ {print $NF; exit}' <<<"$libraries")
if [ -z "$own" ] || ! grep -qaF "$(cat "$folder/lib/needs")" "$own"; then search "$folder/lib"; fi

# the Vulkan loader, and NVIDIA's driver, which is not always where the loader looks
nvidia=$(for place in /usr/local /usr/share /etc /usr /opt; do
  find "$place" -maxdepth 8 -name 'nvidia_icd*.json' -print -quit 2>/dev/null || true
done | sed -n 1p)
loaders=${DEVICE_LOADERS:-}
if [ -z "$loaders" ]; then
  if grep -q 'libvulkan\.so\.1' <<<"$libraries"; then loaders=none
  elif [ -n "$nvidia" ] && [ "$(id -u)" = 0 ]; then loaders=system # NVIDIA's libraries ask for the other loaders by name
  else loaders=private; fi
fi
case $loaders in
  system)
    for package in "$packed"/loaders/*.deb; do dpkg -x "$package" /; done
    ldconfig 2>/dev/null || /sbin/ldconfig
    ;;
  private)
    for package in "$packed"/loaders/*.deb; do dpkg -x "$package" "$folder/loaders"; done
    search "$folder/loaders/usr/lib/x86_64-linux-gnu"
    ;;
esac
if [ -n "$nvidia" ] && [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]; then
  export VK_DRIVER_FILES=$nvidia VK_ICD_FILENAMES=$nvidia
  prefix=$(cd "$(dirname "$nvidia")/../../.." && pwd)
  for place in "$prefix/lib64" "$prefix/lib" "$prefix/lib/x86_64-linux-gnu"; do
    if ls "$place"/lib*_nvidia.so.* >/dev/null 2>&1; then search "$place"; fi
  done
fi
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$folder}
echo "run.sh: loaders $loaders, driver ${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-its own}}, libraries ${library_path:-its own}"

status=0
for part in $parts; do
  LD_LIBRARY_PATH=$library_path${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
    "$folder/bin/node" "$folder/program/program.mjs" "$part" "$@" || status=1
done
exit $status
