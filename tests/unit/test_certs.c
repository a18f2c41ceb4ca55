#define _POSIX_C_SOURCE 200809L

#include "certs/generate.h"

#include "certs/gnutls.h"
#include "certs/keypair.h"
#include "tests/unit/certs_scratch.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *certs_suite(void);
TCase *keypair_cases(void); /* test_keypair.c */

static gnutls_x509_crt_t certificate_of(const char *path)
{
    char bytes[8192];
    gnutls_x509_crt_t certificate;
    gnutls_datum_t pem = { (unsigned char *)bytes, (unsigned)file_read(path, bytes, sizeof bytes) };
    ck_assert_int_eq(gnutls_x509_crt_init(&certificate), 0);
    ck_assert_int_eq(gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM), 0);
    return certificate;
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_mode & 0777;
}

START_TEST(generate_writes)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    ck_assert_uint_eq(mode_of(scratch.dir), 0700);
    ck_assert_uint_eq(mode_of(scratch.ours.key), 0600);
    ck_assert_uint_eq(mode_of(scratch.ours.cert), 0644);
    ck_assert_uint_eq(mode_of(scratch.ours.ca), 0644);
    ck_assert_uint_eq(entries_in(scratch.dir), 3);
}
END_TEST

START_TEST(generate_makes_a_server_certificate)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    gnutls_x509_crt_t ca = certificate_of(scratch.ours.ca), leaf = certificate_of(scratch.ours.cert);
    gnutls_x509_crt_t other_ca = certificate_of(scratch.other.ca);
    unsigned status = 0, critical = 0;
    ck_assert_int_eq(gnutls_x509_crt_verify(leaf, &ca, 1, 0, &status), 0);
    ck_assert_uint_eq(status, 0);
    ck_assert(gnutls_x509_crt_verify(leaf, &other_ca, 1, 0, &status) < 0 || status != 0);
    ck_assert_int_ne(gnutls_x509_crt_get_ca_status(ca, &critical), 0);
    ck_assert_int_eq(gnutls_x509_crt_get_ca_status(leaf, &critical), 0);
    ck_assert(gnutls_x509_crt_check_key_purpose(leaf, GNUTLS_KP_TLS_WWW_SERVER, 0));
    ck_assert(!gnutls_x509_crt_check_key_purpose(leaf, GNUTLS_KP_TLS_WWW_CLIENT, 0));
    ck_assert(gnutls_x509_crt_check_hostname(leaf, "sgp-webhook.kube-system.svc"));
    ck_assert(gnutls_x509_crt_check_hostname(leaf, "any.example.com"));
    ck_assert(gnutls_x509_crt_check_hostname(leaf, "127.0.0.1"));
    ck_assert(gnutls_x509_crt_check_hostname(leaf, "::1"));
    ck_assert(!gnutls_x509_crt_check_hostname(leaf, "127.0.0.2"));
    gnutls_x509_crt_deinit(ca);
    gnutls_x509_crt_deinit(other_ca);
    gnutls_x509_crt_deinit(leaf);
}
END_TEST

#define LABEL_63 "a123456789012345678901234567890123456789012345678901234567890bc"

static const struct {
    const char *dns; /* NULL: none */
    const char *ip;  /* NULL: none */
    unsigned days;
    const char *message;
} refused_requests[] = {
    { NULL, NULL, DAYS, "at least one DNS name or IP address" },
    { "", NULL, DAYS, "DNS name ''" },
    { ".", NULL, DAYS, "DNS name '.'" },
    { "-a", NULL, DAYS, "DNS name '-a'" },
    { "a-", NULL, DAYS, "DNS name 'a-'" },
    { "a..b", NULL, DAYS, "DNS name 'a..b'" },
    { "a.b.", NULL, DAYS, "DNS name 'a.b.'" },
    { "*", NULL, DAYS, "DNS name '*'" },
    { "*.", NULL, DAYS, "DNS name '*.'" },
    { "*.*.a", NULL, DAYS, "DNS name '*.*.a'" },
    { "a.*.b", NULL, DAYS, "DNS name 'a.*.b'" },
    { "under_score", NULL, DAYS, "DNS name 'under_score'" },
    { "b\xc3\xbc"
      "cher",
      NULL, DAYS, "DNS name 'b" },
    { "https://a", NULL, DAYS, "DNS name 'https://a'" },
    { LABEL_63 "x", NULL, DAYS, "DNS name 'a1234" },
    { LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, NULL, DAYS, "DNS name 'a1234" },
    { "10.0.0.1", NULL, DAYS, "DNS name '10.0.0.1': is an IP address" },
    { "::1", NULL, DAYS, "DNS name '::1': is an IP address" },
    { NULL, "", DAYS, "IP address ''" },
    { NULL, "localhost", DAYS, "IP address 'localhost'" },
    { NULL, "10.0.0.256", DAYS, "IP address '10.0.0.256'" },
    { NULL, "10.0.0.0/8", DAYS, "IP address '10.0.0.0/8'" },
    { NULL, "fe80::1%eth0", DAYS, "IP address 'fe80::1%eth0'" },
    { "localhost", NULL, 0, "days: 0" },
    { "localhost", NULL, CERT_MAX_DAYS + 1, "days: 3651" },
};

START_TEST(generate_refuses)
{
    char dir[] = "/tmp/test-certs-refused-XXXXXX";
    struct err err = { 0 };
    struct cert_request request = { &refused_requests[_i].dns, refused_requests[_i].dns != NULL,
                                    &refused_requests[_i].ip, refused_requests[_i].ip != NULL,
                                    refused_requests[_i].days };
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert(!certs_generate(dir, &request, time(NULL), &err).ok);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_msg(strstr(err.msg, refused_requests[_i].message) != NULL, "%s", err.msg);
    ck_assert_uint_eq(entries_in(dir), 0);
    ck_assert(!certs_ensure(dir, &request, &err).ok);
    ck_assert_msg(strstr(err.msg, refused_requests[_i].message) != NULL, "%s", err.msg);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(generate_accepts_the_longest_label)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    static const char *const names[] = { LABEL_63 ".UPPER.0" };
    struct cert_request request = { names, 1, NULL, 0, CERT_MAX_DAYS };
    struct err err = { 0 };
    must(certs_generate(scratch.dir, &request, time(NULL), &err), &err);
    ck_assert_uint_eq(entries_in(scratch.dir), 3);
}
END_TEST

static const struct {
    const char *below; /* the scratch directory */
    const char *message;
} refused_places[] = {
    { "/no/such", "parent directory does not exist" },
    { "/ours/tls.key", "cannot be written" },
    { "/ours/tls.key/below", "cannot be created" },
};

START_TEST(generate_refuses_a_place)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    char dir[256];
    struct err err = { 0 };
    (void)snprintf(dir, sizeof dir, "%s%s", scratch.root, refused_places[_i].below);
    ck_assert(!certs_generate(dir, &ordinary, time(NULL), &err).ok);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_msg(strstr(err.msg, refused_places[_i].message) != NULL, "%s", err.msg);
    ck_assert_msg(strstr(err.msg, dir) != NULL, "%s", err.msg);
}
END_TEST

START_TEST(generate_leaves_no_draft_behind)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    struct err err = { 0 };
    damage_file(scratch.ours.key, NULL, DIRECTORY); /* cannot be replaced by a file */
    ck_assert(!certs_generate(scratch.dir, &ordinary, time(NULL), &err).ok);
    ck_assert_msg(strstr(err.msg, "tls.key: cannot be replaced") != NULL, "%s", err.msg);
    ck_assert_uint_eq(entries_in(scratch.dir), 3);
}
END_TEST

START_TEST(paths_refuse_what_is_too_long)
{
    char dir[CERT_PATH_BYTES];
    struct cert_paths paths;
    struct err err = { 0 };
    memset(dir, 'a', sizeof dir - 1);
    dir[sizeof dir - 1] = '\0';
    ck_assert(!cert_paths_in(dir, &paths, &err).ok);
    ck_assert_ptr_nonnull(strstr(err.msg, "aaa"));
}
END_TEST

static const struct {
    const char *what;
    int age_days;
    enum damage ca, cert, key;
    bool replaced;
} ensured[] = {
    { "new", 0, NONE, NONE, NONE, false },
    { "short of two thirds", DAYS * 2 / 3 - 1, NONE, NONE, NONE, false },
    { "at two thirds", DAYS * 2 / 3, NONE, NONE, NONE, true },
    { "expired", DAYS + 1, NONE, NONE, NONE, true },
    { "no ca.crt", 0, MISSING, NONE, NONE, true },
    { "no tls.crt", 0, NONE, MISSING, NONE, true },
    { "no tls.key", 0, NONE, NONE, MISSING, true },
    { "garbage in ca.crt", 0, GARBAGE, NONE, NONE, true },
    { "garbage in tls.crt", 0, NONE, GARBAGE, NONE, true },
    { "garbage in tls.key", 0, NONE, NONE, GARBAGE, true },
    { "ca.crt of another pair", 0, FOREIGN, NONE, NONE, true },
    { "tls.crt of another pair", 0, NONE, FOREIGN, NONE, true },
    { "tls.key of another pair", 0, NONE, NONE, FOREIGN, true },
    { "pair of another CA", 0, NONE, FOREIGN, FOREIGN, true },
};

/* Replaced files have another private key, and work. */
START_TEST(ensure_replaces_what_cannot_serve)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL) - (time_t)ensured[_i].age_days * DAY_S);
    CLEANUP(keypair_freep) struct keypair *pair = NULL;
    struct err err = { 0 };
    char before[8192], after[8192];
    damage_file(scratch.ours.ca, scratch.other.ca, ensured[_i].ca);
    damage_file(scratch.ours.cert, scratch.other.cert, ensured[_i].cert);
    damage_file(scratch.ours.key, scratch.other.key, ensured[_i].key);
    size_t size = ensured[_i].key == MISSING ? 0 : file_read(scratch.ours.key, before, sizeof before);
    must(certs_ensure(scratch.dir, &ordinary, &err), &err);
    bool same = file_read(scratch.ours.key, after, sizeof after) == size && memcmp(before, after, size) == 0;
    ck_assert_msg(same != ensured[_i].replaced, "%s", ensured[_i].what);
    must(keypair_load(scratch.ours.cert, scratch.ours.key, scratch.ours.ca, &pair, &err), &err);
    ck_assert_int_eq(entries_in(scratch.dir), 3);
}
END_TEST

static const struct {
    const char *dns;
    const char *ip;
    bool replaced;
} ensured_names[] = {
    { "localhost", "::1", false },
    { "*.example.com", "127.0.0.1", false },
    { "local", "127.0.0.1", true },
    { "localhost", "127.0.0.2", true },
};

START_TEST(ensure_replaces_what_lacks_a_name)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    struct cert_request request = { &ensured_names[_i].dns, 1, &ensured_names[_i].ip, 1, DAYS };
    struct err err = { 0 };
    char before[8192], after[8192];
    size_t size = file_read(scratch.ours.cert, before, sizeof before);
    must(certs_ensure(scratch.dir, &request, &err), &err);
    bool same = file_read(scratch.ours.cert, after, sizeof after) == size && memcmp(before, after, size) == 0;
    ck_assert(same != ensured_names[_i].replaced);
}
END_TEST

START_TEST(ensure_makes_the_directory)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    struct err err = { 0 };
    remove_tree(scratch.dir);
    must(certs_ensure(scratch.dir, &ordinary, &err), &err);
    ck_assert_uint_eq(entries_in(scratch.dir), 3);
}
END_TEST

START_TEST(ca_bundle_is_ca_crt)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str bundle = { 0 };
    struct err err = { 0 };
    char ca[8192];
    must(certs_ca_bundle(scratch.dir, &arena, &bundle, &err), &err);
    ck_assert(!str_contains(bundle, STR("\n")));
    gnutls_datum_t text = { (unsigned char *)(uintptr_t)bundle.ptr, (unsigned)bundle.len }, decoded = { 0 };
    ck_assert_int_eq(gnutls_base64_decode2(&text, &decoded), 0);
    ck_assert_uint_eq(decoded.size, file_read(scratch.ours.ca, ca, sizeof ca));
    ck_assert_mem_eq(decoded.data, ca, decoded.size);
    gnutls_free(decoded.data);
}
END_TEST

static const struct {
    enum damage damage;
    const char *message;
} refused_bundles[] = {
    { MISSING, "ca.crt: cannot be opened: No such file" },
    { EMPTY, "ca.crt: is empty" },
    { GARBAGE, "ca.crt: is not a certificate in PEM form" },
};

START_TEST(ca_bundle_refuses)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str bundle = { 0 };
    struct err err = { 0 };
    damage_file(scratch.ours.ca, NULL, refused_bundles[_i].damage);
    ck_assert(!certs_ca_bundle(scratch.dir, &arena, &bundle, &err).ok);
    ck_assert_ptr_null(bundle.ptr);
    ck_assert_msg(strstr(err.msg, refused_bundles[_i].message) != NULL, "%s", err.msg);
}
END_TEST

static TCase *generate_cases(void)
{
    TCase *cases = tcase_create("generate");
    tcase_add_test(cases, generate_writes);
    tcase_add_test(cases, generate_makes_a_server_certificate);
    tcase_add_loop_test(cases, generate_refuses, 0, ROWS(refused_requests));
    tcase_add_test(cases, generate_accepts_the_longest_label);
    tcase_add_loop_test(cases, generate_refuses_a_place, 0, ROWS(refused_places));
    tcase_add_test(cases, generate_leaves_no_draft_behind);
    tcase_add_test(cases, paths_refuse_what_is_too_long);
    tcase_add_loop_test(cases, ensure_replaces_what_cannot_serve, 0, ROWS(ensured));
    tcase_add_loop_test(cases, ensure_replaces_what_lacks_a_name, 0, ROWS(ensured_names));
    tcase_add_test(cases, ensure_makes_the_directory);
    tcase_add_test(cases, ca_bundle_is_ca_crt);
    tcase_add_loop_test(cases, ca_bundle_refuses, 0, ROWS(refused_bundles));
    return cases;
}

Suite *certs_suite(void)
{
    Suite *suite = suite_create("certs");
    suite_add_tcase(suite, generate_cases());
    suite_add_tcase(suite, keypair_cases());
    return suite;
}
