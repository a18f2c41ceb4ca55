
#include "certs/pem_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fd_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void pem_free(gnutls_datum_t *pem)
{
    if (pem->data)
        gnutls_memset(pem->data, 0, pem->size);
    gnutls_free(pem->data);
    *pem = (gnutls_datum_t){ 0 };
}

static result check_file(int fd, const char *path, size_t *size, struct err *err)
{
    struct stat status;
    ENSURE(fstat(fd, &status) == 0, err, ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    ENSURE(S_ISREG(status.st_mode), err, ERR_INPUT, "%s: is not a file", path);
    ENSURE(status.st_size > 0, err, ERR_INPUT, "%s: is empty", path);
    ENSURE(status.st_size <= PEM_FILE_MAX_BYTES, err, ERR_INPUT, "%s: larger than %d bytes, is it the right file?",
           path, (int)PEM_FILE_MAX_BYTES);
    *size = (size_t)status.st_size;
    return DONE;
}

static result read_up_to(int fd, const char *path, size_t size, gnutls_datum_t *pem, struct err *err)
{
    while (pem->size < size) {
        ssize_t got = read(fd, pem->data + pem->size, size - pem->size);
        if (got < 0 && errno == EINTR)
            continue;
        ENSURE(got >= 0, err, ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0) /* cut off since its size was taken: what follows finds the PEM incomplete */
            break;
        pem->size += (unsigned)got;
    }
    return DONE;
}

result pem_read(const char *path, gnutls_datum_t *out, struct err *err)
{
    CLEANUP(pem_free) gnutls_datum_t pem = { 0 };
    size_t size = 0;
    /* O_NONBLOCK: opening a FIFO by mistake must fail, not wait for its writer */
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ENSURE(fd >= 0, err, ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    GUARD(check_file(fd, path, &size, err));
    pem.data = gnutls_malloc(size);
    ENSURE(pem.data, err, ERR_INTERNAL, "%s: out of memory: %zu bytes", path, size);
    GUARD(read_up_to(fd, path, size, &pem, err));
    *out = pem;
    pem = (gnutls_datum_t){ 0 };
    return DONE;
}

static bool write_all(int fd, const gnutls_datum_t *pem)
{
    size_t done = 0;
    while (done < pem->size) {
        ssize_t put = write(fd, pem->data + done, pem->size - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

result pem_draft_write(struct pem_draft *draft, const char *path, const gnutls_datum_t *pem, mode_t mode,
                       struct err *err)
{
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    ENSURE(len >= 0 && (size_t)len < sizeof temporary, err, ERR_INPUT, "%s: the path is too long", path);
    memcpy(draft->path, path, strlen(path) + 1);
    CLEANUP(fd_close) int fd = mkstemp(temporary);
    ENSURE(fd >= 0, err, ERR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
    memcpy(draft->temporary, temporary, sizeof temporary);
    /* fsync: after a power cut a name must not stand for an empty file */
    ENSURE(fchmod(fd, mode) == 0 && write_all(fd, pem) && fsync(fd) == 0, err, ERR_INPUT, "%s: cannot be written: %s",
           path, strerror(errno));
    return DONE;
}

result pem_draft_publish(struct pem_draft *draft, struct err *err)
{
    ENSURE(rename(draft->temporary, draft->path) == 0, err, ERR_INPUT, "%s: cannot be replaced: %s", draft->path,
           strerror(errno));
    draft->temporary[0] = '\0';
    return DONE;
}

void pem_draft_discard(struct pem_draft *draft)
{
    if (draft->temporary[0])
        (void)unlink(draft->temporary);
    draft->temporary[0] = '\0';
}
