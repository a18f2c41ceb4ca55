#include "server/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SYNTAX "is not ADDRESS:PORT, such as 127.0.0.1:8443, [::1]:8443 or :8443"

struct host_port {
    char host[256];
    char port[8];
};

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && text[digits] == '\0' && strtol(text, NULL, 10) <= 65535;
}

static result split(struct str address, struct host_port *out, struct err *err)
{
    const char *colon = address.len ? memrchr(address.ptr, ':', address.len) : NULL;
    ENSURE(colon, err, ERR_INPUT, "'%.*s' " SYNTAX, STR_ARGS(address));
    struct str host = { address.ptr, (size_t)(colon - address.ptr) };
    struct str port = { colon + 1, address.len - host.len - 1 };
    bool bracketed = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (bracketed)
        host = (struct str){ host.ptr + 1, host.len - 2 };
    /* ::1 without brackets: its last colon belongs to the address */
    ENSURE(bracketed || !memchr(host.ptr, ':', host.len), err, ERR_INPUT, "'%.*s' " SYNTAX, STR_ARGS(address));
    ENSURE(host.len < sizeof out->host, err, ERR_INPUT, "'%.*s' " SYNTAX, STR_ARGS(address));
    (void)snprintf(out->host, sizeof out->host, "%.*s", STR_ARGS(host));
    (void)snprintf(out->port, sizeof out->port, "%.*s", STR_ARGS(port));
    ENSURE(port.len < sizeof out->port && is_port(out->port), err, ERR_INPUT,
           "'%.*s': the port has to be a number from 0 to 65535", STR_ARGS(address));
    return DONE;
}

result socket_check(struct str address, struct err *err)
{
    struct host_port ignored;
    return split(address, &ignored, err);
}

static void free_addresses(struct addrinfo **addresses)
{
    if (*addresses)
        freeaddrinfo(*addresses);
}

static int open_socket(const struct addrinfo *address)
{
    int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* after a restart, connections of the old process may still linger on the port */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* "::" is every address, whatever net.ipv6.bindv6only says */
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

/* No host is every address: IPv6 with IPv4 in it, or IPv4 where the machine has no IPv6. */
static result open_first(const struct host_port *at, const char *const *hosts, size_t count, struct str address,
                         int *out, struct err *err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    int reason = 0;
    for (size_t i = 0; i < count; i++) {
        CLEANUP(free_addresses) struct addrinfo *found = NULL;
        int failure = getaddrinfo(hosts[i], at->port, &hints, &found);
        ENSURE(failure == 0, err, ERR_INPUT, "'%.*s': %s", STR_ARGS(address), gai_strerror(failure));
        for (const struct addrinfo *candidate = found; candidate; candidate = candidate->ai_next) {
            *out = open_socket(candidate);
            if (*out >= 0)
                return DONE;
            reason = errno;
        }
        if (reason != EAFNOSUPPORT && reason != EADDRNOTAVAIL)
            break;
    }
    char words[128];
    return err_set(err, ERR_UNAVAILABLE, "cannot listen at '%.*s': %s", STR_ARGS(address),
                   strerror_r(reason, words, sizeof words));
}

result socket_listen(struct str address, int *out, struct err *err)
{
    struct host_port at = { 0 };
    int fd = -1;
    GUARD(split(address, &at, err));
    const char *const every[] = { "::", "0.0.0.0" }, *const named[] = { at.host };
    if (at.host[0] == '\0')
        GUARD(open_first(&at, every, 2, address, &fd, err));
    else
        GUARD(open_first(&at, named, 1, address, &fd, err));
    *out = fd;
    return DONE;
}

result socket_address(int socket_fd, struct arena *arena, struct str *address, unsigned *port, struct err *err)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t size = sizeof bound;
    char host[INET6_ADDRSTRLEN], service[8];
    ENSURE(getsockname(socket_fd, (struct sockaddr *)&bound, &size) == 0 &&
               getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, service, sizeof service,
                           NI_NUMERICHOST | NI_NUMERICSERV) == 0,
           err, ERR_INTERNAL, "cannot tell the address of the listening socket");
    GUARD(arena_print(arena, address, err, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, service));
    *port = (unsigned)strtoul(service, NULL, 10);
    return DONE;
}
