#define _POSIX_C_SOURCE 200809L

#include "tests/unit/certs_scratch.h"

#include "certs/gnutls.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const dns_names[] = { "localhost", "sgp-webhook.kube-system.svc", "*.example.com" };
static const char *const ip_addresses[] = { "127.0.0.1", "::1" };
const struct cert_request ordinary = { dns_names, 3, ip_addresses, 2, DAYS };

void remove_tree(const char *path)
{
    char child[512];
    DIR *dir = opendir(path);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        remove_tree(child);
    }
    if (dir)
        (void)closedir(dir);
    (void)remove(path);
}

void scratch_remove(struct scratch *scratch)
{
    remove_tree(scratch->root);
}

void must(struct outcome outcome, const struct err *err)
{
    ck_assert_msg(outcome.ok, "%s", err->msg);
}

struct scratch scratch_new(time_t issued_at)
{
    struct scratch scratch = { .root = "/tmp/test-certs-XXXXXX" };
    char other[80];
    struct err err = { 0 };
    ck_assert_ptr_nonnull(mkdtemp(scratch.root));
    (void)snprintf(scratch.dir, sizeof scratch.dir, "%s/ours", scratch.root);
    (void)snprintf(other, sizeof other, "%s/other", scratch.root);
    must(certs_generate(scratch.dir, &ordinary, issued_at, &err), &err);
    must(certs_generate(other, &ordinary, time(NULL), &err), &err);
    must(cert_paths_in(scratch.dir, &scratch.ours, &err), &err);
    must(cert_paths_in(other, &scratch.other, &err), &err);
    return scratch;
}

size_t file_read(const char *path, char *out, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(out, 1, capacity, file);
    ck_assert_int_eq(fclose(file), 0);
    return size;
}

void file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

void file_copy(const char *from, const char *to)
{
    char bytes[8192];
    file_write(to, bytes, file_read(from, bytes, sizeof bytes));
}

size_t entries_in(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    ck_assert_int_eq(closedir(dir), 0);
    return count - 2; /* . and .. */
}

static void encrypt_key(const char *path)
{
    char bytes[8192];
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem = { (unsigned char *)bytes, (unsigned)file_read(path, bytes, sizeof bytes) };
    ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
    ck_assert_int_eq(gnutls_x509_privkey_import(key, &pem, GNUTLS_X509_FMT_PEM), 0);
    gnutls_datum_t out = { 0 };
    ck_assert_int_eq(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, "secret", 0, &out), 0);
    file_write(path, out.data, out.size);
    gnutls_free(out.data);
    gnutls_x509_privkey_deinit(key);
}

void damage_file(const char *path, const char *foreign, enum damage damage)
{
    static const char garbage[] = "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n";
    if (damage == MISSING || damage == DIRECTORY)
        ck_assert_int_eq(remove(path), 0);
    switch (damage) {
    case NONE:
    case MISSING: break;
    case EMPTY: file_write(path, "", 0); break;
    case GARBAGE: file_write(path, garbage, sizeof garbage - 1); break;
    case HUGE_FILE: ck_assert_int_eq(truncate(path, 1024 * 1024 + 1), 0); break;
    case DIRECTORY: ck_assert_int_eq(mkdir(path, 0700), 0); break;
    case FOREIGN: file_copy(foreign, path); break;
    case ENCRYPTED: encrypt_key(path); break;
    }
}
