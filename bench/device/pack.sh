#!/usr/bin/env bash
# Packs into .device/ what a Linux machine (x86-64) with a GPU and its driver, but without Node, Vulkan loader and network, lacks for
# bench/device/run.sh: Node, Dawn (the npm package webgpu), their C++ library, and Debian's loader packages. The program is bundled before
# (bench/src/device/bundle.ts). `npm run bench:device` does both.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=.device
most_mib=64
fail() {
  echo "pack.sh: $1" >&2
  exit 1
}

[ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || fail "needs Linux on x86-64, got $(uname -s) on $(uname -m). Pack on such a machine."
node=$(node -p process.execPath)
webgpu=bench/node_modules/webgpu
dawn=$webgpu/dist/linux-x64/dawn.node
[ -f "$dawn" ] || fail "needs $dawn, got nothing there. Install the workspace: npm run setup."
[ -f "$out/program/program.mjs" ] || fail "needs $out/program, got nothing there. Run it as npm run bench:device."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out/loaders" "$work/bin" "$work/lib" "$work/node_modules/webgpu/dist/linux-x64"

# symbols for debuggers are a third of Node
without_symbols() { strip "$1" 2>/dev/null || echo "pack.sh: strip (binutils) is not there or failed, so $(basename "$1") stays larger"; }

cp "$node" "$work/bin/node"
cp "$webgpu/index.js" "$webgpu/package.json" "$work/node_modules/webgpu/"
cp "$dawn" "$work/node_modules/webgpu/dist/linux-x64/"
without_symbols "$work/bin/node"
without_symbols "$work/node_modules/webgpu/dist/linux-x64/dawn.node"
"$work/bin/node" --version >/dev/null || fail 'needs a Node that runs without its symbols, got one that does not. Use one of nodejs.org or Debian.'

# used there only where the machine's own is older than the version that Dawn asks for
known=$(ldconfig -p || /sbin/ldconfig -p)
for library in libstdc++.so.6 libgcc_s.so.1; do
  path=$(awk -v name="$library" '$1 == name && /x86-64/ {print $NF; exit}' <<<"$known")
  [ -n "$path" ] || fail "needs $library, got none. Install libstdc++6."
  cp -L "$path" "$work/lib/$library"
done
# the newest version of the library's symbols that one of the two asks for
grep -ohaE 'GLIBCXX_[0-9.]+' "$work/bin/node" "$dawn" | sort -Vu | tail -1 >"$work/lib/needs"

# compressing takes a minute: not again for the same files
contents=$(cd "$work" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [ "$contents" != "$(cat "$out/contents" 2>/dev/null)" ] || [ ! -f "$out/runtime.tar.xz" ]; then
  tar -C "$work" -cf - bin lib node_modules | xz "${XZ_LEVEL:--6}" -T0 -c >"$out/runtime.tar.xz"
  echo "$contents" >"$out/contents"
fi

# through package lists of our own, so that the machine's stay as they are
if ! ls "$out"/loaders/libvulkan1_*.deb >/dev/null 2>&1; then
  mkdir -p "$work/lists/partial"
  options="-qq -oDir::State::Lists=$work/lists -oAPT::Sandbox::User=root"
  packages='libvulkan1 libegl1 libglvnd0 libopengl0 libgl1 libglx0 libgles2'
  # shellcheck disable=SC2086 # lists of words
  (cd "$out/loaders" && apt-get $options update && apt-get $options download $packages) ||
    fail "needs the packages $packages, got an error of apt-get. Put libvulkan1_*_amd64.deb into $out/loaders."
fi

mib=$(($(du -sb "$out" | cut -f1) / 1048576 + 1))
[ "$mib" -le "$most_mib" ] || fail "needs $out to hold at most $most_mib MiB, got $mib. Look into $out/program for what is large."
echo "$out: $mib MiB. On the machine, in a copy of this working tree with $out: bash bench/device/run.sh"
