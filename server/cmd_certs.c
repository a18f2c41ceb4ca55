#include "certs/generate.h"
#include "server/commands.h"
#include "server/options.h"

#include <stdio.h>
#include <time.h>

struct certs_options {
    struct option_texts dns;
    struct option_texts ips;
    long days;
};

static const struct option_row rows[] = {
    { "dns", 0, "NAME", "a DNS name of the server (repeatable; default: localhost)", OPTION_TEXTS,
      offsetof(struct certs_options, dns), 0, 0 },
    { "ip", 0, "ADDR", "an IP address of the server (repeatable; default: 127.0.0.1, ::1)", OPTION_TEXTS,
      offsetof(struct certs_options, ips), 0, 0 },
    { "days", 0, "N", "lifetime of both certificates (default: 365)", OPTION_NUMBER,
      offsetof(struct certs_options, days), 1, CERT_MAX_DAYS },
};

static const struct command_help help = {
    .name = "certs",
    .operands = "DIR",
    .summary =
        "Makes DIR/ca.crt, DIR/tls.crt and DIR/tls.key (ECDSA P-256) for local use and prints the caBundle of a\n"
        "webhook configuration. The key of the CA is not kept: each run makes another CA.",
    .epilogue = "Exit codes: 0 done, 2 unusable options or directory.",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
};

static result make_certs(const char *dir, const struct certs_options *options, struct arena *arena, struct err *err)
{
    static const char *const local_dns[] = { "localhost" }, *const local_ips[] = { "127.0.0.1", "::1" };
    struct cert_request request = { options->dns.items, options->dns.count, options->ips.items, options->ips.count,
                                    (unsigned)options->days };
    struct str bundle = { 0 };
    if (request.dns_count == 0 && request.ip_count == 0)
        request = (struct cert_request){ local_dns, 1, local_ips, 2, (unsigned)options->days };
    GUARD(certs_generate(dir, &request, time(NULL), err));
    GUARD(certs_ca_bundle(dir, arena, &bundle, err));
    printf("%.*s\n", STR_ARGS(bundle));
    return DONE;
}

int command_certs(int argc, char **argv)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct certs_options options = { .days = 365 };
    struct option_texts operands = { 0 };
    struct err err = { 0 };
    switch (options_read(&help, argc, argv, &arena, &options, &operands)) {
    case OPTIONS_WRONG: return EXIT_UNUSABLE;
    case OPTIONS_HELP_PRINTED: return EXIT_CLEAN;
    case OPTIONS_READ: break;
    }
    if (operands.count != 1) {
        fprintf(stderr, "sgp-webhook: certs: name one directory; see sgp-webhook certs --help\n");
        return EXIT_UNUSABLE;
    }
    if (make_certs(operands.items[0], &options, &arena, &err).ok)
        return EXIT_CLEAN;
    fprintf(stderr, "sgp-webhook: %s\n", err.msg);
    return EXIT_UNUSABLE;
}
