#include "tests/unit/suites.h"

#include <stdlib.h>

/* Asked by the thread sanitizer. liburcu is not instrumented: what it allocates and locks itself looks unordered. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:liburcu-bp.so\ncalled_from_lib:liburcu-cds.so\n";
}

/* liburcu's worker thread is left behind, and a second's wait for it after every test would add up to minutes. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "atexit_sleep_ms=0";
}

int main(void)
{
    Suite *(*const suites[])(void) = {
        arena_suite,  buf_suite,      json_suite,   utf8_suite,           labels_suite,       selector_suite,
        policy_suite, store_suite,    checks_suite, instance_types_suite, objects_suite,      findings_suite,
        pod_suite,    review_suite,   patch_suite,  mutate_pod_suite,     validate_pod_suite, policy_checks_suite,
        node_suite,   workload_suite, certs_suite,  manifests_suite,      cluster_suite,      config_suite,
    };
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
