#define _POSIX_C_SOURCE 200809L

#include "certs/keypair.h"

#include "certs/gnutls.h"
#include "certs/serving.h"
#include "tests/unit/certs_scratch.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

TCase *keypair_cases(void);

START_TEST(keypair_loads)
{
    time_t now = time(NULL);
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(now);
    CLEANUP(keypair_freep) struct keypair *pair = NULL;
    CLEANUP(keypair_freep) struct keypair *again = NULL;
    CLEANUP(keypair_freep) struct keypair *with_ca = NULL;
    CLEANUP(keypair_freep) struct keypair *other = NULL;
    struct err err = { 0 };
    must(keypair_load(scratch.ours.cert, scratch.ours.key, NULL, &pair, &err), &err);
    must(keypair_load(scratch.ours.cert, scratch.ours.key, NULL, &again, &err), &err);
    must(keypair_load(scratch.ours.cert, scratch.ours.key, scratch.ours.ca, &with_ca, &err), &err);
    must(keypair_load(scratch.other.cert, scratch.other.key, NULL, &other, &err), &err);
    ck_assert_int_eq(keypair_not_after(pair), now + DAYS * DAY_S);
    ck_assert(keypair_same(pair, again));
    ck_assert(!keypair_same(pair, with_ca));
    ck_assert(!keypair_same(pair, other));
}
END_TEST

START_TEST(keypair_loads_a_chain)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(keypair_freep) struct keypair *pair = NULL;
    struct err err = { 0 };
    char chain[16384];
    size_t size = file_read(scratch.ours.cert, chain, 8192);
    size += file_read(scratch.ours.ca, chain + size, 8192);
    file_write(scratch.ours.cert, chain, size);
    must(keypair_load(scratch.ours.cert, scratch.ours.key, NULL, &pair, &err), &err);
}
END_TEST

static const struct {
    int age_days;
    enum damage cert, key, client_ca;
    const char *message;
} refused_pairs[] = {
    { 0, MISSING, NONE, NONE, "tls.crt: cannot be opened: No such file" },
    { 0, NONE, MISSING, NONE, "tls.key: cannot be opened: No such file" },
    { 0, NONE, NONE, MISSING, "ca.crt: cannot be opened: No such file" },
    { 0, EMPTY, NONE, NONE, "tls.crt: is empty" },
    { 0, HUGE_FILE, NONE, NONE, "tls.crt: larger than 1048576 bytes" },
    { 0, DIRECTORY, NONE, NONE, "tls.crt: is not a file" },
    { 0, GARBAGE, NONE, NONE, "tls.crt: is not a certificate chain in PEM form" },
    { 0, NONE, GARBAGE, NONE, "tls.key: is not a private key in PEM form" },
    { 0, NONE, NONE, GARBAGE, "ca.crt: is not a list of certificates in PEM form" },
    { 0, NONE, ENCRYPTED, NONE, "tls.key: is encrypted" },
    { 0, NONE, FOREIGN, NONE, "tls.key: is not the key of the first certificate in" },
    { 0, FOREIGN, NONE, NONE, "tls.key: is not the key of the first certificate in" },
    { DAYS + 1, NONE, NONE, NONE, "tls.crt: the certificate has been expired since 20" },
    { -1, NONE, NONE, NONE, "tls.crt: the certificate is not valid until 20" },
};

START_TEST(keypair_refuses)
{
    CLEANUP(scratch_remove)
    struct scratch scratch = scratch_new(time(NULL) - (time_t)refused_pairs[_i].age_days * DAY_S);
    struct keypair *pair = NULL;
    struct err err = { 0 };
    damage_file(scratch.ours.cert, scratch.other.cert, refused_pairs[_i].cert);
    damage_file(scratch.ours.key, scratch.other.key, refused_pairs[_i].key);
    damage_file(scratch.ours.ca, scratch.other.ca, refused_pairs[_i].client_ca);
    ck_assert(!keypair_load(scratch.ours.cert, scratch.ours.key, scratch.ours.ca, &pair, &err).ok);
    ck_assert_ptr_null(pair);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_msg(strstr(err.msg, refused_pairs[_i].message) != NULL, "%s", err.msg);
}
END_TEST

/* The five minutes that a certificate is made to begin early, and five more. */
START_TEST(keypair_forgives_clock_skew)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL) + 9 * 60);
    CLEANUP(keypair_freep) struct keypair *pair = NULL;
    struct err err = { 0 };
    must(keypair_load(scratch.ours.cert, scratch.ours.key, NULL, &pair, &err), &err);
}
END_TEST

START_TEST(keypair_unref_takes_null)
{
    keypair_unref(NULL);
    serving_free(NULL);
}
END_TEST

/* The two ends of a connection; the server's first. */
struct connection {
    gnutls_session_t server;
    gnutls_session_t client;
    gnutls_certificate_credentials_t client_credentials;
    int sockets[2];
};

static void connection_close(struct connection *connection)
{
    gnutls_deinit(connection->server);
    gnutls_deinit(connection->client);
    gnutls_certificate_free_credentials(connection->client_credentials);
    (void)close(connection->sockets[0]);
    (void)close(connection->sockets[1]);
}

static gnutls_session_t session_new(unsigned side, int socket)
{
    gnutls_session_t session;
    ck_assert_int_eq(fcntl(socket, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(gnutls_init(&session, side | GNUTLS_NONBLOCK), 0);
    ck_assert_int_eq(gnutls_set_default_priority(session), 0);
    gnutls_transport_set_int(session, socket);
    return session;
}

/* A client that trusts the CA at `ca_path` and expects to reach localhost. */
static struct connection connection_open(const char *ca_path)
{
    struct connection connection = { 0 };
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, connection.sockets), 0);
    connection.server = session_new(GNUTLS_SERVER, connection.sockets[0]);
    /* FORCE: presents its certificate whichever CAs the server names */
    connection.client = session_new(GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT, connection.sockets[1]);
    ck_assert_int_eq(gnutls_certificate_allocate_credentials(&connection.client_credentials), 0);
    ck_assert_int_eq(
        gnutls_certificate_set_x509_trust_file(connection.client_credentials, ca_path, GNUTLS_X509_FMT_PEM), 1);
    ck_assert_int_eq(gnutls_credentials_set(connection.client, GNUTLS_CRD_CERTIFICATE, connection.client_credentials),
                     0);
    gnutls_session_set_verify_cert(connection.client, "localhost", 0);
    return connection;
}

/* Turn by turn in one thread; true when both ends have finished. */
static bool handshake(struct connection *connection)
{
    int server = GNUTLS_E_AGAIN, client = GNUTLS_E_AGAIN;
    for (int turn = 0; turn < 100 && (server != 0 || client != 0); turn++) {
        if (client != 0)
            client = gnutls_handshake(connection->client);
        if (server != 0)
            server = gnutls_handshake(connection->server);
        if (gnutls_error_is_fatal(server) || gnutls_error_is_fatal(client))
            return false;
    }
    return server == 0 && client == 0;
}

START_TEST(session_presents_its_pair)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(keypair_freep) struct keypair *pair = NULL;
    CLEANUP(connection_close) struct connection trusting = connection_open(scratch.ours.ca);
    CLEANUP(connection_close) struct connection distrusting = connection_open(scratch.other.ca);
    struct err err = { 0 };
    bool verified = true;
    must(keypair_load(scratch.ours.cert, scratch.ours.key, NULL, &pair, &err), &err);
    must(keypair_use(pair, trusting.server, &err), &err);
    must(keypair_use(pair, distrusting.server, &err), &err);
    ck_assert(handshake(&trusting));
    ck_assert(!handshake(&distrusting));
    must(keypair_client_verified(trusting.server, &verified, &err), &err);
    ck_assert(!verified);
    ck_assert_int_eq(gnutls_certificate_client_get_request_status(trusting.client), 0);
}
END_TEST

/* A client certificate that is its own CA, into the files of `paths`. */
static void client_make(const struct cert_paths *paths, const char *purpose)
{
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem = { 0 };
    ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
    ck_assert_int_eq(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, 256, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_init(&certificate), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_version(certificate, 3), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_serial(certificate, "\1", 1), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_dn(certificate, "CN=client", NULL), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_activation_time(certificate, time(NULL) - DAY_S), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + DAY_S), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_key(certificate, key), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_key_purpose_oid(certificate, purpose, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), 0);
    file_write(paths->cert, pem.data, pem.size);
    file_write(paths->ca, pem.data, pem.size);
    gnutls_free(pem.data);
    ck_assert_int_eq(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
    file_write(paths->key, pem.data, pem.size);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
}

static const struct {
    const char *purpose; /* of the client's certificate; NULL: it presents none */
    bool known;          /* it comes from the client CA */
    bool verified;
} clients[] = {
    { NULL, false, false },
    { GNUTLS_KP_TLS_WWW_CLIENT, true, true },
    { GNUTLS_KP_TLS_WWW_CLIENT, false, false },
    { GNUTLS_KP_TLS_WWW_SERVER, true, false },
};

START_TEST(client_is_verified)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(connection_close) struct connection connection = connection_open(scratch.ours.ca);
    CLEANUP(keypair_freep) struct keypair *pair = NULL;
    struct err err = { 0 };
    bool verified = !clients[_i].verified;
    unsigned presented = 0;
    if (clients[_i].purpose) {
        client_make(&scratch.other, clients[_i].purpose);
        ck_assert_int_ge(gnutls_certificate_set_x509_key_file(connection.client_credentials, scratch.other.cert,
                                                              scratch.other.key, GNUTLS_X509_FMT_PEM),
                         0);
    }
    must(keypair_load(scratch.ours.cert, scratch.ours.key, clients[_i].known ? scratch.other.ca : scratch.ours.ca,
                      &pair, &err),
         &err);
    must(keypair_use(pair, connection.server, &err), &err);
    ck_assert(handshake(&connection));
    ck_assert_int_ne(gnutls_certificate_client_get_request_status(connection.client), 0);
    ck_assert((gnutls_certificate_get_peers(connection.server, &presented) != NULL) == (clients[_i].purpose != NULL));
    must(keypair_client_verified(connection.server, &verified, &err), &err);
    ck_assert(verified == clients[_i].verified);
}
END_TEST

static struct serving *serving_of(const struct scratch *scratch)
{
    struct serving *serving = NULL;
    struct err err = { 0 };
    must(serving_new(scratch->ours.cert, scratch->ours.key, scratch->ours.ca, &serving, &err), &err);
    return serving;
}

START_TEST(serving_refuses_what_does_not_load)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    struct serving *serving = NULL;
    struct err err = { 0 };
    ck_assert(!serving_new(scratch.ours.cert, scratch.other.key, NULL, &serving, &err).ok);
    ck_assert_ptr_null(serving);
    ck_assert_ptr_nonnull(strstr(err.msg, "is not the key of"));
}
END_TEST

START_TEST(reload_of_the_same_bytes_changes_nothing)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(serving_freep) struct serving *serving = serving_of(&scratch);
    struct err err = { 0 };
    bool changed = true;
    must(serving_reload(serving, &changed, &err), &err);
    ck_assert(!changed);
}
END_TEST

START_TEST(reload_takes_new_files)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL) - DAY_S);
    CLEANUP(serving_freep) struct serving *serving = serving_of(&scratch);
    CLEANUP(keypair_freep) struct keypair *before = serving_acquire(serving);
    struct err err = { 0 };
    bool changed = false;
    time_t expiry = serving_expiry(serving);
    must(certs_generate(scratch.dir, &ordinary, time(NULL), &err), &err);
    must(serving_reload(serving, &changed, &err), &err);
    ck_assert(changed);
    ck_assert_int_gt(serving_expiry(serving), expiry);
    CLEANUP(keypair_freep) struct keypair *after = serving_acquire(serving);
    ck_assert(!keypair_same(before, after));
    ck_assert_int_eq(keypair_not_after(before), expiry); /* whoever has the old one keeps it whole */
}
END_TEST

START_TEST(reload_takes_a_new_client_ca)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(serving_freep) struct serving *serving = serving_of(&scratch);
    struct err err = { 0 };
    bool changed = false;
    file_copy(scratch.other.ca, scratch.ours.ca);
    must(serving_reload(serving, &changed, &err), &err);
    ck_assert(changed);
}
END_TEST

static const struct {
    enum damage cert, key;
    const char *message;
} refused_reloads[] = {
    { MISSING, NONE, "tls.crt: cannot be opened" },
    { GARBAGE, NONE, "tls.crt: is not a certificate chain in PEM form" },
    { NONE, EMPTY, "tls.key: is empty" },
    { FOREIGN, NONE, "tls.key: is not the key of the first certificate in" },
    { NONE, FOREIGN, "tls.key: is not the key of the first certificate in" },
};

START_TEST(reload_keeps_the_old_pair)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(serving_freep) struct serving *serving = serving_of(&scratch);
    CLEANUP(keypair_freep) struct keypair *before = serving_acquire(serving);
    struct err err = { 0 };
    bool changed = true;
    damage_file(scratch.ours.cert, scratch.other.cert, refused_reloads[_i].cert);
    damage_file(scratch.ours.key, scratch.other.key, refused_reloads[_i].key);
    ck_assert(!serving_reload(serving, &changed, &err).ok);
    ck_assert(!changed);
    ck_assert_msg(strstr(err.msg, refused_reloads[_i].message) != NULL, "%s", err.msg);
    CLEANUP(keypair_freep) struct keypair *after = serving_acquire(serving);
    ck_assert_ptr_eq(before, after);
}
END_TEST

START_TEST(acquired_pair_outlives_serving)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(connection_close) struct connection connection = connection_open(scratch.ours.ca);
    struct serving *serving = serving_of(&scratch);
    CLEANUP(keypair_freep) struct keypair *pair = serving_acquire(serving);
    struct err err = { 0 };
    serving_free(serving);
    must(keypair_use(pair, connection.server, &err), &err);
    ck_assert(handshake(&connection));
}
END_TEST

enum { ACQUISITIONS = 10000, RELOADS = 50 };

static void *acquire_often(void *serving)
{
    for (int i = 0; i < ACQUISITIONS; i++)
        keypair_unref(serving_acquire(serving));
    return NULL;
}

START_TEST(acquire_while_reloading)
{
    CLEANUP(scratch_remove) struct scratch scratch = scratch_new(time(NULL));
    CLEANUP(serving_freep) struct serving *serving = serving_of(&scratch);
    struct err err = { 0 };
    bool changed;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, acquire_often, serving), 0);
    for (int i = 0; i < RELOADS; i++)
        must(serving_reload(serving, &changed, &err), &err);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

TCase *keypair_cases(void)
{
    TCase *cases = tcase_create("keypair");
    tcase_add_test(cases, keypair_loads);
    tcase_add_test(cases, keypair_loads_a_chain);
    tcase_add_loop_test(cases, keypair_refuses, 0, ROWS(refused_pairs));
    tcase_add_test(cases, keypair_forgives_clock_skew);
    tcase_add_test(cases, keypair_unref_takes_null);
    tcase_add_test(cases, session_presents_its_pair);
    tcase_add_loop_test(cases, client_is_verified, 0, ROWS(clients));
    tcase_add_test(cases, serving_refuses_what_does_not_load);
    tcase_add_test(cases, reload_of_the_same_bytes_changes_nothing);
    tcase_add_test(cases, reload_takes_new_files);
    tcase_add_test(cases, reload_takes_a_new_client_ca);
    tcase_add_loop_test(cases, reload_keeps_the_old_pair, 0, ROWS(refused_reloads));
    tcase_add_test(cases, acquired_pair_outlives_serving);
    tcase_add_test(cases, acquire_while_reloading);
    return cases;
}
