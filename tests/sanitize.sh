#!/bin/bash
# The unit and process tests under AddressSanitizer and UndefinedBehaviorSanitizer, the threaded ones under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
cmake --preset asan >/dev/null
cmake --build build/asan
(cd build/asan && CK_VERBOSITY=normal ctest --output-on-failure)
SGP_WEBHOOK=$PWD/build/asan/sgp-webhook ${PYTEST:-pytest-3} -q -p no:cacheprovider tests/integration
cmake --preset tsan >/dev/null
cmake --build build/tsan
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan-suppressions.txt halt_on_error=1"
(cd build/tsan && CK_VERBOSITY=normal ctest --output-on-failure -R unit)
SGP_WEBHOOK=$PWD/build/tsan/sgp-webhook ${PYTEST:-pytest-3} -q -p no:cacheprovider tests/integration -m threads
