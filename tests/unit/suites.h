/* tests/unit/suites.h - all suites of the unit tests; main.c runs them. */
#ifndef SGP_TESTS_UNIT_SUITES_H
#define SGP_TESTS_UNIT_SUITES_H

#include <check.h>

Suite *arena_suite(void);
Suite *buf_suite(void);
Suite *json_suite(void);
Suite *utf8_suite(void);

Suite *labels_suite(void);
Suite *selector_suite(void);
Suite *policy_suite(void);
Suite *store_suite(void);
Suite *instance_types_suite(void);
Suite *objects_suite(void);

Suite *checks_suite(void);
Suite *findings_suite(void);
Suite *pod_suite(void);
Suite *review_suite(void);
Suite *patch_suite(void);
Suite *mutate_pod_suite(void);
Suite *validate_pod_suite(void);
Suite *policy_checks_suite(void);
Suite *node_suite(void);
Suite *workload_suite(void);

Suite *certs_suite(void);
Suite *manifests_suite(void);
Suite *cluster_suite(void);
Suite *config_suite(void);

#endif
