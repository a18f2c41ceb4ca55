
#include "certs/keypair.h"

#include "certs/gnutls.h"
#include "certs/pem_file.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLOCK_SKEW_S = 5 * 60, /* how far our clock may be behind that of whoever issued the certificate */
    SHA256_BYTES = 32,
    TIME_TEXT_BYTES = sizeof "-2147481748-01-01T00:00:00Z",
};

/* What a pair was loaded from, without keeping the private key's text in memory. An absent file: zeros. */
struct origin {
    unsigned char cert[SHA256_BYTES];
    unsigned char key[SHA256_BYTES];
    unsigned char client_ca[SHA256_BYTES];
};

struct keypair {
    atomic_uint references;
    gnutls_certificate_credentials_t credentials;
    time_t not_after;
    bool asks_client;
    struct origin origin;
};

struct pem_input {
    const char *path; /* NULL: there is none */
    gnutls_datum_t pem;
};

struct inputs {
    struct pem_input cert;
    struct pem_input key;
    struct pem_input client_ca;
};

struct chain {
    gnutls_x509_crt_t *items;
    unsigned count;
};

static void inputs_free(struct inputs *inputs)
{
    pem_free(&inputs->cert.pem);
    pem_free(&inputs->key.pem);
    pem_free(&inputs->client_ca.pem);
}

static void chain_free(struct chain *chain)
{
    for (unsigned i = 0; i < chain->count; i++)
        gnutls_x509_crt_deinit(chain->items[i]);
    gnutls_free(chain->items);
}

static void key_free(gnutls_x509_privkey_t *key)
{
    if (*key)
        gnutls_x509_privkey_deinit(*key);
}

static result input_read(struct pem_input *input, unsigned char digest[SHA256_BYTES], struct err *err)
{
    if (!input->path)
        return DONE;
    GUARD(pem_read(input->path, &input->pem, err));
    int code = gnutls_hash_fast(GNUTLS_DIG_SHA256, input->pem.data, input->pem.size, digest);
    return gnutls_result(code, "SHA-256", err);
}

static result inputs_read(struct inputs *inputs, struct origin *origin, struct err *err)
{
    GUARD(input_read(&inputs->cert, origin->cert, err));
    GUARD(input_read(&inputs->key, origin->key, err));
    return input_read(&inputs->client_ca, origin->client_ca, err);
}

static const char *time_text(time_t when, char out[TIME_TEXT_BYTES])
{
    struct tm utc;
    if (!gmtime_r(&when, &utc) || strftime(out, TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        return "an unknown time";
    return out;
}

static result check_lifetime(const char *path, gnutls_x509_crt_t leaf, time_t now, struct err *err)
{
    char text[TIME_TEXT_BYTES];
    time_t from = gnutls_x509_crt_get_activation_time(leaf);
    time_t until = gnutls_x509_crt_get_expiration_time(leaf);
    ENSURE(from != (time_t)-1 && until != (time_t)-1, err, ERR_INPUT, "%s: the certificate has no lifetime", path);
    ENSURE(now <= until, err, ERR_INPUT, "%s: the certificate has been expired since %s", path, time_text(until, text));
    ENSURE(now >= from - CLOCK_SKEW_S, err, ERR_INPUT, "%s: the certificate is not valid until %s", path,
           time_text(from, text));
    return DONE;
}

static result chain_read(const struct pem_input *input, struct chain *chain, struct err *err)
{
    int code = gnutls_x509_crt_list_import2(&chain->items, &chain->count, &input->pem, GNUTLS_X509_FMT_PEM,
                                            GNUTLS_X509_CRT_LIST_SORT);
    ENSURE(code >= 0, err, ERR_INPUT, "%s: is not a certificate chain in PEM form: %s", input->path,
           gnutls_strerror(code));
    ENSURE(chain->count > 0, err, ERR_INPUT, "%s: holds no certificate", input->path);
    return DONE;
}

static result key_read(const struct pem_input *input, gnutls_x509_privkey_t *key, struct err *err)
{
    GUARD(gnutls_result(gnutls_x509_privkey_init(key), "private key", err));
    int code = gnutls_x509_privkey_import2(*key, &input->pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    ENSURE(code != GNUTLS_E_DECRYPTION_FAILED, err, ERR_INPUT, "%s: is encrypted, has to be a key without password",
           input->path);
    ENSURE(code >= 0, err, ERR_INPUT, "%s: is not a private key in PEM form: %s", input->path, gnutls_strerror(code));
    return DONE;
}

static result take_certificate(struct keypair *keypair, const struct inputs *inputs, struct err *err)
{
    CLEANUP(chain_free) struct chain chain = { 0 };
    CLEANUP(key_free) gnutls_x509_privkey_t key = NULL;
    GUARD(chain_read(&inputs->cert, &chain, err));
    GUARD(check_lifetime(inputs->cert.path, chain.items[0], time(NULL), err));
    GUARD(key_read(&inputs->key, &key, err));
    int code = gnutls_certificate_set_x509_key(keypair->credentials, chain.items, (int)chain.count, key);
    ENSURE(code != GNUTLS_E_CERTIFICATE_KEY_MISMATCH, err, ERR_INPUT,
           "%s: is not the key of the first certificate in %s", inputs->key.path, inputs->cert.path);
    ENSURE(code >= 0, err, ERR_INPUT, "%s: cannot be used: %s", inputs->cert.path, gnutls_strerror(code));
    keypair->not_after = gnutls_x509_crt_get_expiration_time(chain.items[0]);
    return DONE;
}

static result take_client_ca(struct keypair *keypair, const struct pem_input *input, struct err *err)
{
    if (!input->path)
        return DONE;
    int count = gnutls_certificate_set_x509_trust_mem(keypair->credentials, &input->pem, GNUTLS_X509_FMT_PEM);
    ENSURE(count >= 0, err, ERR_INPUT, "%s: is not a list of certificates in PEM form: %s", input->path,
           gnutls_strerror(count));
    ENSURE(count > 0, err, ERR_INPUT, "%s: holds no certificate", input->path);
    keypair->asks_client = true;
    return DONE;
}

static result keypair_begin(struct keypair **out, struct err *err)
{
    *out = calloc(1, sizeof **out);
    ENSURE(*out, err, ERR_INTERNAL, "out of memory: %zu bytes", sizeof **out);
    atomic_init(&(*out)->references, 1);
    return gnutls_result(gnutls_certificate_allocate_credentials(&(*out)->credentials), "credentials", err);
}

result keypair_load(const char *cert_path, const char *key_path, const char *client_ca_path, struct keypair **out,
                    struct err *err)
{
    CLEANUP(keypair_freep) struct keypair *keypair = NULL;
    CLEANUP(inputs_free)
    struct inputs inputs = { { cert_path, { 0 } }, { key_path, { 0 } }, { client_ca_path, { 0 } } };
    GUARD(keypair_begin(&keypair, err));
    GUARD(inputs_read(&inputs, &keypair->origin, err));
    GUARD(take_certificate(keypair, &inputs, err));
    GUARD(take_client_ca(keypair, &inputs.client_ca, err));
    *out = MOVE(keypair);
    return DONE;
}

struct keypair *keypair_ref(struct keypair *keypair)
{
    atomic_fetch_add_explicit(&keypair->references, 1, memory_order_relaxed);
    return keypair;
}

void keypair_unref(struct keypair *keypair)
{
    /* acquire and release: whoever frees it must see what the others did with it before */
    if (!keypair || atomic_fetch_sub_explicit(&keypair->references, 1, memory_order_acq_rel) != 1)
        return;
    if (keypair->credentials)
        gnutls_certificate_free_credentials(keypair->credentials);
    free(keypair);
}

void keypair_freep(struct keypair **keypair)
{
    keypair_unref(*keypair);
}

time_t keypair_not_after(const struct keypair *keypair)
{
    return keypair->not_after;
}

bool keypair_same(const struct keypair *a, const struct keypair *b)
{
    return memcmp(&a->origin, &b->origin, sizeof a->origin) == 0;
}

result keypair_use(struct keypair *keypair, struct gnutls_session_int *session, struct err *err)
{
    int code = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, keypair->credentials);
    GUARD(gnutls_result(code, "setting the certificate of a connection", err));
    if (keypair->asks_client)
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    return DONE;
}

result keypair_client_verified(struct gnutls_session_int *session, bool *verified, struct err *err)
{
    unsigned char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st wanted = { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = purpose };
    unsigned status = 0;
    *verified = false;
    int code = gnutls_certificate_verify_peers(session, &wanted, 1, &status);
    if (code == GNUTLS_E_NO_CERTIFICATE_FOUND)
        return DONE;
    GUARD(gnutls_result(code, "verifying the client's certificate", err));
    *verified = status == 0;
    return DONE;
}
