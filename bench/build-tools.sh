# Sourced by the scripts of this folder.  Builds the benchmark's programs and sets `tools` to their folder.
# Needs `root`, the top of the source tree.
tools=$root/build/bench-tools
if [[ ! -f $tools/build.ninja ]]; then
  cmake -S "$root/bench/tools" -B "$tools" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER="${CXX:-clang++-16}" >/dev/null
fi
cmake --build "$tools" >/dev/null
