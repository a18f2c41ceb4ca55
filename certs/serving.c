
#include "certs/serving.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct serving {
    char *cert_path;
    char *key_path;
    char *client_ca_path; /* NULL: clients are not asked */
    pthread_mutex_t lock; /* guards `current` */
    struct keypair *current;
};

void serving_free(struct serving *serving)
{
    if (!serving)
        return;
    keypair_unref(serving->current);
    (void)pthread_mutex_destroy(&serving->lock);
    free(serving->cert_path);
    free(serving->key_path);
    free(serving->client_ca_path);
    free(serving);
}

void serving_freep(struct serving **serving)
{
    serving_free(*serving);
}

static result copy_path(const char *path, char **out, struct err *err)
{
    *out = strdup(path);
    ENSURE(*out, err, ERR_INTERNAL, "out of memory: %zu bytes", strlen(path) + 1);
    return DONE;
}

static result load(const struct serving *serving, struct keypair **out, struct err *err)
{
    return keypair_load(serving->cert_path, serving->key_path, serving->client_ca_path, out, err);
}

result serving_new(const char *cert_path, const char *key_path, const char *client_ca_path, struct serving **out,
                   struct err *err)
{
    CLEANUP(serving_freep) struct serving *serving = calloc(1, sizeof *serving);
    ENSURE(serving, err, ERR_INTERNAL, "out of memory: %zu bytes", sizeof *serving);
    serving->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    GUARD(copy_path(cert_path, &serving->cert_path, err));
    GUARD(copy_path(key_path, &serving->key_path, err));
    if (client_ca_path)
        GUARD(copy_path(client_ca_path, &serving->client_ca_path, err));
    GUARD(load(serving, &serving->current, err));
    *out = MOVE(serving);
    return DONE;
}

static struct keypair *exchange(struct serving *serving, struct keypair *next)
{
    (void)pthread_mutex_lock(&serving->lock);
    struct keypair *old = serving->current;
    serving->current = next;
    (void)pthread_mutex_unlock(&serving->lock);
    return old;
}

result serving_reload(struct serving *serving, bool *changed, struct err *err)
{
    CLEANUP(keypair_freep) struct keypair *next = NULL;
    *changed = false;
    GUARD(load(serving, &next, err));
    struct keypair *old = exchange(serving, keypair_ref(next));
    *changed = !keypair_same(old, next);
    keypair_unref(old); /* outside the lock: the last reference frees a chain and a key */
    return DONE;
}

struct keypair *serving_acquire(struct serving *serving)
{
    (void)pthread_mutex_lock(&serving->lock);
    struct keypair *keypair = keypair_ref(serving->current);
    (void)pthread_mutex_unlock(&serving->lock);
    return keypair;
}

time_t serving_expiry(struct serving *serving)
{
    CLEANUP(keypair_freep) struct keypair *keypair = serving_acquire(serving);
    return keypair_not_after(keypair);
}
