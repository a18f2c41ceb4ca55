/* load PORT PATH BODY RATE SECONDS CONNECTIONS [NAMESPACES] - sends a body over TLS to 127.0.0.1 and prints latencies
 * as JSON. At a fixed mean rate, whether the answers keep up or not: requests arrive at random, as those of many
 * clients do, the same in every run, and a latency counts from the moment at which the request was to be sent, so that
 * a server cannot hide a pause by holding up the client. RATE 0: as fast as answers come. With NAMESPACES, the review
 * is sent for one after another of so many. Uses a core of its own entirely. */
/* Before our own headers: GnuTLS has parameters named as our `result`. */
#include <gnutls/gnutls.h>

#include "base/buf.h"
#include "bench/namespaces.h"
#include "server/clock.h"
#include "server/text_file.h"
#include "server/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MAX_BODY_BYTES = 16 * 1024 * 1024, ANSWER_BYTES = 64 * 1024, MAX_CONNECTIONS = 1024, DRAIN_MS = 2000 };
enum { FASTEST_PER_S = 500 * 1000 };

static const double second_ns = 1e9;

struct wire {
    int fd;
    gnutls_session_t tls;
    bool busy;
    int64_t due_ns; /* when the request was to be sent */
    size_t sent;
    size_t got;
    char answer[ANSWER_BYTES];
};

struct load {
    struct str request;
    char *namespace;   /* in the request; NULL: stays as it is */
    size_t namespaces; /* that take turns */
    gnutls_certificate_credentials_t credentials;
    struct wire *wires; /* `count` of them, zeroed until connected */
    size_t count;
    int epoll_fd;
    double rate; /* 0: as fast as answers come */
    uint64_t random;
    int64_t next_ns;  /* when the next request is due */
    int64_t count_ns; /* what is due before is warm-up */
    int64_t *latencies;
    size_t counted, capacity;
    size_t sent, answered;
    size_t late; /* were not sent at once, for want of a connection */
    double seconds;
};

static result connect_wire(struct wire *wire, gnutls_certificate_credentials_t credentials, uint16_t port,
                           struct err *err)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons(port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1;
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ENSURE(wire->fd >= 0 && connect(wire->fd, (const struct sockaddr *)&address, sizeof address) == 0, err,
           ERR_UNAVAILABLE, "cannot connect: %s", strerror(errno));
    (void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ENSURE(gnutls_init(&wire->tls, GNUTLS_CLIENT) == 0 &&
               gnutls_priority_set_direct(wire->tls, tls_priorities(), NULL) == 0 &&
               gnutls_credentials_set(wire->tls, GNUTLS_CRD_CERTIFICATE, credentials) == 0,
           err, ERR_INTERNAL, "no TLS session can be made");
    gnutls_transport_set_int(wire->tls, wire->fd);
    int shaken = gnutls_handshake(wire->tls);
    ENSURE(shaken == 0, err, ERR_UNAVAILABLE, "TLS handshake: %s", gnutls_strerror(shaken));
    ENSURE(fcntl(wire->fd, F_SETFL, O_NONBLOCK) == 0, err, ERR_INTERNAL, "fcntl: %s", strerror(errno));
    return DONE;
}

static result connect_all(struct load *load, uint16_t port, struct err *err)
{
    ENSURE(gnutls_certificate_allocate_credentials(&load->credentials) == 0, err, ERR_INTERNAL, "out of memory");
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    load->wires = calloc(load->count, sizeof load->wires[0]);
    ENSURE(load->epoll_fd >= 0 && load->wires, err, ERR_INTERNAL, "out of memory");
    for (size_t i = 0; i < load->count; i++) {
        struct wire *wire = &load->wires[i];
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = wire };
        GUARD(connect_wire(wire, load->credentials, port, err));
        ENSURE(epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, wire->fd, &event) == 0, err, ERR_INTERNAL, "epoll: %s",
               strerror(errno));
    }
    return DONE;
}

/* The length of the answer when all of it is there, 0 before. */
static result answer_length(const struct wire *wire, size_t *out, struct err *err)
{
    static const char ok[] = "HTTP/1.1 200 ", length_name[] = "Content-Length: ";
    const char *end = memmem(wire->answer, wire->got, "\r\n\r\n", 4);
    *out = 0;
    if (!end)
        return DONE;
    ENSURE(memcmp(wire->answer, ok, sizeof ok - 1) == 0, err, ERR_INPUT, "refused: %.40s", wire->answer);
    const char *length = memmem(wire->answer, (size_t)(end - wire->answer), length_name, sizeof length_name - 1);
    ENSURE(length, err, ERR_INPUT, "an answer without a length");
    size_t whole = (size_t)(end + 4 - wire->answer) + strtoul(length + sizeof length_name - 1, NULL, 10);
    *out = wire->got >= whole ? whole : 0;
    return DONE;
}

static bool would_wait(ssize_t code)
{
    return code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED;
}

static result push(const struct load *load, struct wire *wire, struct err *err)
{
    while (wire->busy && wire->sent < load->request.len) {
        ssize_t sent = gnutls_record_send(wire->tls, load->request.ptr + wire->sent, load->request.len - wire->sent);
        if (would_wait(sent))
            return DONE;
        ENSURE(sent > 0, err, ERR_UNAVAILABLE, "lost the connection: %s", gnutls_strerror((int)sent));
        wire->sent += (size_t)sent;
    }
    return DONE;
}

static void note(struct load *load, const struct wire *wire, int64_t now_ns)
{
    load->answered++;
    if (wire->due_ns >= load->count_ns && load->counted < load->capacity)
        load->latencies[load->counted++] = now_ns - wire->due_ns;
}

static result pull(struct load *load, struct wire *wire, struct err *err)
{
    size_t whole = 0;
    for (;;) {
        ssize_t got = gnutls_record_recv(wire->tls, wire->answer + wire->got, sizeof wire->answer - wire->got);
        if (would_wait(got))
            return DONE;
        ENSURE(got > 0, err, ERR_UNAVAILABLE, "lost the connection: %s", gnutls_strerror((int)got));
        wire->got += (size_t)got;
        GUARD(answer_length(wire, &whole, err));
        if (whole == 0)
            continue;
        note(load, wire, clock_ns());
        wire->busy = false;
        wire->got = 0;
    }
}

static result take_events(struct load *load, struct err *err)
{
    struct epoll_event events[64];
    int count = epoll_wait(load->epoll_fd, events, sizeof events / sizeof events[0], 0);
    for (int i = 0; i < count; i++) {
        struct wire *wire = events[i].data.ptr;
        GUARD(push(load, wire, err));
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            GUARD(pull(load, wire, err));
    }
    return DONE;
}

static struct wire *idle_wire(struct load *load)
{
    for (size_t i = 0; i < load->count; i++)
        if (!load->wires[i].busy)
            return &load->wires[i];
    return NULL;
}

/* The time to the next arrival of a Poisson process; the generator is xorshift64*. */
static int64_t pause_ns(struct load *load)
{
    load->random ^= load->random >> 12;
    load->random ^= load->random << 25;
    load->random ^= load->random >> 27;
    double uniform = (double)((load->random * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
    return (int64_t)(-log1p(-uniform) / load->rate * second_ns);
}

static result send_on(struct load *load, struct wire *wire, int64_t due_ns, struct err *err)
{
    wire->busy = true;
    wire->due_ns = due_ns;
    wire->sent = 0;
    /* a request that waits to be sent is encrypted already: it fits into one record */
    if (load->namespace)
        namespace_write(load->namespace, load->sent, load->namespaces);
    load->sent++;
    return push(load, wire, err);
}

/* What is due is sent; without an idle connection it waits, and its latency grows. */
static result send_due(struct load *load, struct err *err)
{
    for (;;) {
        int64_t now_ns = clock_ns();
        struct wire *wire = load->rate == 0 || now_ns >= load->next_ns ? idle_wire(load) : NULL;
        if (!wire)
            return DONE;
        int64_t due_ns = load->rate == 0 ? now_ns : load->next_ns;
        load->late += now_ns - due_ns > 1000000;
        load->next_ns += load->rate == 0 ? 0 : pause_ns(load);
        GUARD(send_on(load, wire, due_ns, err));
    }
}

static bool is_any_busy(const struct load *load)
{
    for (size_t i = 0; i < load->count; i++)
        if (load->wires[i].busy)
            return true;
    return false;
}

static result make_room(struct load *load, double seconds, struct err *err)
{
    load->capacity = (size_t)((load->rate == 0 ? FASTEST_PER_S : 2 * load->rate) * seconds) + 1000;
    load->latencies = calloc(load->capacity, sizeof load->latencies[0]);
    ENSURE(load->latencies, err, ERR_INTERNAL, "out of memory");
    return DONE;
}

/* A tenth of the time is warm-up, whose latencies are not counted. */
static result run(struct load *load, double seconds, struct err *err)
{
    GUARD(make_room(load, seconds, err));
    int64_t start_ns = clock_ns(), end_ns = start_ns + (int64_t)(seconds * second_ns);
    load->next_ns = start_ns;
    load->count_ns = start_ns + (int64_t)(seconds * second_ns / 10);
    while (clock_ns() < end_ns) {
        GUARD(send_due(load, err));
        GUARD(take_events(load, err));
    }
    end_ns += (int64_t)DRAIN_MS * 1000000;
    while (is_any_busy(load) && clock_ns() < end_ns)
        GUARD(take_events(load, err));
    load->seconds = (double)(clock_ns() - start_ns) / second_ns;
    ENSURE(!is_any_busy(load), err, ERR_UNAVAILABLE, "some requests were not answered");
    ENSURE(load->counted > 0, err, ERR_INPUT, "nothing was counted: a higher rate or a longer time is needed");
    return DONE;
}

static int latency_order(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static double quantile_us(const struct load *load, double share)
{
    return (double)load->latencies[(size_t)(share * (double)(load->counted - 1))] / 1000;
}

static void print(struct load *load)
{
    qsort(load->latencies, load->counted, sizeof load->latencies[0], latency_order);
    char *suite = gnutls_session_get_desc(load->wires[0].tls);
    printf("{\"rate\": %.0f, \"answers\": %zu, \"seconds\": %.6f, \"late\": %zu, \"p50_us\": %.1f, \"p90_us\": %.1f, "
           "\"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f, \"tls\": \"%s\"}\n",
           load->rate, load->answered, load->seconds, load->late, quantile_us(load, 0.5), quantile_us(load, 0.9),
           quantile_us(load, 0.99), quantile_us(load, 0.999), quantile_us(load, 1), suite ? suite : "");
    gnutls_free(suite);
}

/* With the headers that an API server sends. */
static result make_request(struct load *load, const char *path, const char *body_file, struct arena *arena,
                           struct err *err)
{
    struct buf text = buf_in(arena);
    struct str body = { 0 };
    GUARD(text_file_read(body_file, MAX_BODY_BYTES, arena, &body, err));
    buf_print(&text,
              "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: kube-apiserver-admission\r\nContent-Length: %zu\r\n"
              "Accept: application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
              path, body.len);
    buf_put(&text, body);
    GUARD(buf_finish(&text, &load->request, err));
    return load->namespaces ? namespace_find(load->request, &load->namespace, err) : DONE;
}

static void load_end(struct load *load)
{
    for (size_t i = 0; load->wires && i < load->count; i++) {
        if (load->wires[i].tls)
            gnutls_deinit(load->wires[i].tls);
        if (load->wires[i].fd > 0)
            (void)close(load->wires[i].fd);
    }
    if (load->epoll_fd > 0)
        (void)close(load->epoll_fd);
    gnutls_certificate_free_credentials(load->credentials);
    free(load->wires);
    free(load->latencies);
}

static bool read_numbers(struct load *load, int argc, char **argv)
{
    load->rate = strtod(argv[4], NULL);
    load->count = strtoul(argv[6], NULL, 10);
    load->namespaces = argc > 7 ? strtoul(argv[7], NULL, 10) : 0;
    return load->rate >= 0 && load->count > 0 && load->count <= MAX_CONNECTIONS;
}

int main(int argc, char **argv)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(load_end) struct load load = { .random = 88172645463325252ULL };
    struct err err = { 0 };
    if (argc < 7 || argc > 8 || !read_numbers(&load, argc, argv)) {
        fprintf(stderr, "load: PORT PATH BODY RATE SECONDS CONNECTIONS [NAMESPACES]\n");
        return EXIT_FAILURE;
    }
    if (!make_request(&load, argv[2], argv[3], &arena, &err).ok ||
        !connect_all(&load, (uint16_t)strtoul(argv[1], NULL, 10), &err).ok ||
        !run(&load, strtod(argv[5], NULL), &err).ok) {
        fprintf(stderr, "load: %s\n", err.msg);
        return EXIT_FAILURE;
    }
    print(&load);
    return EXIT_SUCCESS;
}
