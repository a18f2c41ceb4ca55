
#include "certs/generate.h"

#include "certs/gnutls.h"
#include "certs/keypair.h"
#include "certs/names.h"
#include "certs/pem_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    DAY_S = 24 * 60 * 60,
    CLOCK_SKEW_S = 5 * 60, /* how far an API server's clock may be behind ours */
    SERIAL_BYTES = 16,     /* RFC 5280 allows 20; 126 random bits never repeat */
    KEY_ID_BYTES = 20,
};

/* A certificate and its private key. Starts as { 0 }. */
struct identity {
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
};

static void identity_free(struct identity *identity)
{
    if (identity->certificate)
        gnutls_x509_crt_deinit(identity->certificate);
    if (identity->key)
        gnutls_x509_privkey_deinit(identity->key);
}

static void certificate_free(gnutls_x509_crt_t *certificate)
{
    if (*certificate)
        gnutls_x509_crt_deinit(*certificate);
}

static result path_in(const char *dir, const char *name, char out[CERT_PATH_BYTES], struct err *err)
{
    int len = snprintf(out, CERT_PATH_BYTES, "%s/%s", dir, name);
    ENSURE(len >= 0 && len < CERT_PATH_BYTES, err, ERR_INPUT, "%s: the path is too long", dir);
    return DONE;
}

result cert_paths_in(const char *dir, struct cert_paths *out, struct err *err)
{
    GUARD(path_in(dir, "ca.crt", out->ca, err));
    GUARD(path_in(dir, "tls.crt", out->cert, err));
    return path_in(dir, "tls.key", out->key, err);
}

static result key_make(gnutls_x509_privkey_t *key, struct err *err)
{
    unsigned curve_bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    GUARD(gnutls_result(gnutls_x509_privkey_init(key), "private key", err));
    return gnutls_result(gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA, curve_bits, 0), "private key", err);
}

static result set_serial(gnutls_x509_crt_t certificate, struct err *err)
{
    unsigned char serial[SERIAL_BYTES];
    GUARD(gnutls_result(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial), "serial number", err));
    serial[0] = (serial[0] & 0x3f) | 0x40; /* positive, and of full length */
    return gnutls_result(gnutls_x509_crt_set_serial(certificate, serial, sizeof serial), "serial number", err);
}

static result set_lifetime(gnutls_x509_crt_t certificate, time_t issued_at, unsigned days, struct err *err)
{
    time_t until = issued_at + (time_t)days * DAY_S;
    GUARD(gnutls_result(gnutls_x509_crt_set_activation_time(certificate, issued_at - CLOCK_SKEW_S), "lifetime", err));
    return gnutls_result(gnutls_x509_crt_set_expiration_time(certificate, until), "lifetime", err);
}

static result key_id(gnutls_x509_crt_t certificate, unsigned char id[KEY_ID_BYTES], size_t *size, struct err *err)
{
    *size = KEY_ID_BYTES;
    return gnutls_result(gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA1, id, size), "key id", err);
}

/* What both certificates have: key, version, serial, subject, lifetime, subject key id. */
static result identity_begin(struct identity *identity, const char *subject, time_t issued_at, unsigned days,
                             struct err *err)
{
    unsigned char id[KEY_ID_BYTES];
    size_t id_size;
    GUARD(key_make(&identity->key, err));
    GUARD(gnutls_result(gnutls_x509_crt_init(&identity->certificate), "certificate", err));
    gnutls_x509_crt_t certificate = identity->certificate;
    GUARD(gnutls_result(gnutls_x509_crt_set_version(certificate, 3), "version", err));
    GUARD(set_serial(certificate, err));
    GUARD(gnutls_result(gnutls_x509_crt_set_dn(certificate, subject, NULL), "subject", err));
    GUARD(set_lifetime(certificate, issued_at, days, err));
    GUARD(gnutls_result(gnutls_x509_crt_set_key(certificate, identity->key), "public key", err));
    GUARD(key_id(certificate, id, &id_size, err));
    return gnutls_result(gnutls_x509_crt_set_subject_key_id(certificate, id, id_size), "subject key id", err);
}

static result sign(gnutls_x509_crt_t certificate, const struct identity *issuer, struct err *err)
{
    int code = gnutls_x509_crt_sign2(certificate, issuer->certificate, issuer->key, GNUTLS_DIG_SHA256, 0);
    return gnutls_result(code, "signing", err);
}

static result authority_make(struct identity *ca, time_t issued_at, unsigned days, struct err *err)
{
    GUARD(identity_begin(ca, "CN=sgp-webhook local CA", issued_at, days, err));
    GUARD(gnutls_result(gnutls_x509_crt_set_basic_constraints(ca->certificate, 1, 0), "basic constraints", err));
    GUARD(gnutls_result(gnutls_x509_crt_set_key_usage(ca->certificate, GNUTLS_KEY_KEY_CERT_SIGN), "key usage", err));
    return sign(ca->certificate, ca, err);
}

/* Strict verifiers (Python from 3.13, OpenSSL on demand) want the issuer's key id. */
static result set_issuer_key_id(gnutls_x509_crt_t certificate, const struct identity *ca, struct err *err)
{
    unsigned char id[KEY_ID_BYTES];
    size_t id_size;
    GUARD(key_id(ca->certificate, id, &id_size, err));
    return gnutls_result(gnutls_x509_crt_set_authority_key_id(certificate, id, id_size), "authority key id", err);
}

static result serving_make(struct identity *leaf, const struct identity *ca, const struct cert_request *request,
                           time_t issued_at, struct err *err)
{
    GUARD(identity_begin(leaf, "CN=sgp-webhook", issued_at, request->days, err));
    gnutls_x509_crt_t certificate = leaf->certificate;
    GUARD(gnutls_result(gnutls_x509_crt_set_basic_constraints(certificate, 0, -1), "basic constraints", err));
    GUARD(gnutls_result(gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE), "key usage", err));
    GUARD(gnutls_result(gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0), "purpose", err));
    GUARD(cert_names_add(request, certificate, err));
    GUARD(set_issuer_key_id(certificate, ca, err));
    return sign(certificate, ca, err);
}

static result directory_make(const char *dir, struct err *err)
{
    if (mkdir(dir, S_IRWXU) == 0 || errno == EEXIST)
        return DONE;
    ENSURE(errno != ENOENT, err, ERR_INPUT, "%s: cannot be created, its parent directory does not exist", dir);
    return err_set(err, ERR_INPUT, "%s: cannot be created: %s", dir, strerror(errno));
}

static result draft_certificate(struct pem_draft *draft, const char *path, gnutls_x509_crt_t certificate,
                                struct err *err)
{
    CLEANUP(pem_free) gnutls_datum_t pem = { 0 };
    GUARD(gnutls_result(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), "certificate as PEM", err));
    return pem_draft_write(draft, path, &pem, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH, err);
}

static result draft_key(struct pem_draft *draft, const char *path, gnutls_x509_privkey_t key, struct err *err)
{
    CLEANUP(pem_free) gnutls_datum_t pem = { 0 };
    int code = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
    GUARD(gnutls_result(code, "private key as PEM", err));
    return pem_draft_write(draft, path, &pem, S_IRUSR | S_IWUSR, err);
}

static result write_files(const char *dir, const struct identity *ca, const struct identity *leaf, struct err *err)
{
    struct cert_paths paths;
    CLEANUP(pem_draft_discard) struct pem_draft ca_file = { 0 };
    CLEANUP(pem_draft_discard) struct pem_draft cert_file = { 0 };
    CLEANUP(pem_draft_discard) struct pem_draft key_file = { 0 };
    GUARD(cert_paths_in(dir, &paths, err));
    GUARD(directory_make(dir, err));
    GUARD(draft_certificate(&ca_file, paths.ca, ca->certificate, err));
    GUARD(draft_certificate(&cert_file, paths.cert, leaf->certificate, err));
    GUARD(draft_key(&key_file, paths.key, leaf->key, err));
    GUARD(pem_draft_publish(&key_file, err));
    GUARD(pem_draft_publish(&cert_file, err));
    return pem_draft_publish(&ca_file, err);
}

static result check_request(const struct cert_request *request, struct err *err)
{
    ENSURE(request->days >= 1 && request->days <= CERT_MAX_DAYS, err, ERR_INPUT, "days: %u is not between 1 and %d",
           request->days, (int)CERT_MAX_DAYS);
    return cert_names_check(request, err);
}

result certs_generate(const char *dir, const struct cert_request *request, time_t issued_at, struct err *err)
{
    CLEANUP(identity_free) struct identity ca = { 0 };
    CLEANUP(identity_free) struct identity leaf = { 0 };
    GUARD(check_request(request, err));
    GUARD(authority_make(&ca, issued_at, request->days, err));
    GUARD(serving_make(&leaf, &ca, request, issued_at, err));
    return write_files(dir, &ca, &leaf, err);
}

static result certificate_read(const char *path, gnutls_x509_crt_t *out, struct err *err)
{
    CLEANUP(pem_free) gnutls_datum_t pem = { 0 };
    CLEANUP(certificate_free) gnutls_x509_crt_t certificate = NULL;
    GUARD(pem_read(path, &pem, err));
    GUARD(gnutls_result(gnutls_x509_crt_init(&certificate), "certificate", err));
    int code = gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM);
    ENSURE(code >= 0, err, ERR_INPUT, "%s: is not a certificate in PEM form: %s", path, gnutls_strerror(code));
    *out = MOVE(certificate);
    return DONE;
}

static bool is_fresh(gnutls_x509_crt_t certificate, time_t now)
{
    time_t from = gnutls_x509_crt_get_activation_time(certificate);
    time_t until = gnutls_x509_crt_get_expiration_time(certificate);
    return now < from + (until - from) / 3 * 2;
}

static bool is_signed_by(gnutls_x509_crt_t certificate, gnutls_x509_crt_t ca)
{
    unsigned status = 0;
    return gnutls_x509_crt_verify(certificate, &ca, 1, 0, &status) >= 0 && status == 0;
}

/* `*good`: the files can go on serving the request. Fails when they cannot be read as what they should be. */
static result inspect(const char *dir, const struct cert_request *request, bool *good, struct err *err)
{
    struct cert_paths paths;
    CLEANUP(keypair_freep) struct keypair *keypair = NULL;
    CLEANUP(certificate_free) gnutls_x509_crt_t ca = NULL;
    CLEANUP(certificate_free) gnutls_x509_crt_t leaf = NULL;
    GUARD(cert_paths_in(dir, &paths, err));
    GUARD(keypair_load(paths.cert, paths.key, NULL, &keypair, err));
    GUARD(certificate_read(paths.ca, &ca, err));
    GUARD(certificate_read(paths.cert, &leaf, err));
    *good = is_fresh(leaf, time(NULL)) && is_signed_by(leaf, ca) && cert_names_cover(request, leaf);
    return DONE;
}

result certs_ensure(const char *dir, const struct cert_request *request, struct err *err)
{
    bool good = false;
    struct err unusable = { 0 }; /* why does not matter: new files are the answer to every reason */
    GUARD(check_request(request, err));
    if (inspect(dir, request, &good, &unusable).ok && good)
        return DONE;
    return certs_generate(dir, request, time(NULL), err);
}

result certs_ca_bundle(const char *dir, struct arena *arena, struct str *out, struct err *err)
{
    struct cert_paths paths;
    CLEANUP(pem_free) gnutls_datum_t pem = { 0 };
    CLEANUP(pem_free) gnutls_datum_t base64 = { 0 };
    CLEANUP(certificate_free) gnutls_x509_crt_t ca = NULL;
    GUARD(cert_paths_in(dir, &paths, err));
    GUARD(certificate_read(paths.ca, &ca, err));
    GUARD(gnutls_result(gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_PEM, &pem), "certificate as PEM", err));
    GUARD(gnutls_result(gnutls_base64_encode2(&pem, &base64), "caBundle", err));
    return arena_copy(arena, (struct str){ (const char *)base64.data, base64.size }, out, err);
}
