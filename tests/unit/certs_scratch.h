/* tests/unit/certs_scratch.h - directories with certificates to damage. Failures end the test. */
#ifndef SGP_TESTS_UNIT_CERTS_SCRATCH_H
#define SGP_TESTS_UNIT_CERTS_SCRATCH_H

#include "certs/generate.h"

enum { DAY_S = 24 * 60 * 60, DAYS = 30 };

/* localhost, sgp-webhook.kube-system.svc, *.example.com, 127.0.0.1 and ::1 for DAYS. */
extern const struct cert_request ordinary;

/* A directory with a pair of files to damage, and one with another pair to take them from. */
struct scratch {
    char root[64];
    char dir[80]; /* of `ours` */
    struct cert_paths ours;
    struct cert_paths other;
};

/* `issued_at` is that of the pair to damage; the other one is new. Owner: the caller, scratch_remove(). */
struct scratch scratch_new(time_t issued_at);
void scratch_remove(struct scratch *scratch);
void remove_tree(const char *path);

/* What can happen to a file, as the rows of the tests name it. */
enum damage { NONE, MISSING, EMPTY, GARBAGE, HUGE_FILE, DIRECTORY, FOREIGN, ENCRYPTED };
/* FOREIGN takes the bytes of the file `foreign`. ENCRYPTED is for private keys. */
void damage_file(const char *path, const char *foreign, enum damage damage);

/* At most `capacity` bytes; returns how many. */
size_t file_read(const char *path, char *out, size_t capacity);
void file_write(const char *path, const void *bytes, size_t size);
void file_copy(const char *from, const char *to);
size_t entries_in(const char *path);

void must(struct outcome outcome, const struct err *err);

#endif
