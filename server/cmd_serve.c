#include "server/clock.h"
#include "server/commands.h"
#include "server/options.h"
#include "server/runtime.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { TICK_MS = 1000, CERTIFICATE_MS = 60 * 1000, DRAIN_POLL_MS = 20 };

static const struct option_row rows[] = {
    { "config", 0, "FILE", "configuration file; the options below override it", OPTION_TEXT,
      offsetof(struct serve_flags, config), 0, 0 },
    { "listen", 0, "ADDR:PORT", "admission port, TLS (default: :9443)", OPTION_TEXT,
      offsetof(struct serve_flags, listen), 0, 0 },
    { "health-listen", 0, "ADDR:PORT", "plain port of /healthz, /readyz and /metrics (default: :8080)", OPTION_TEXT,
      offsetof(struct serve_flags, health_listen), 0, 0 },
    { "policies", 0, "PATH", "file or directory of policies, service accounts, namespaces (repeatable)", OPTION_TEXTS,
      offsetof(struct serve_flags, policies), 0, 0 },
    { "tls-cert", 0, "FILE", "certificate chain, PEM; read again when it changes", OPTION_TEXT,
      offsetof(struct serve_flags, tls_cert), 0, 0 },
    { "tls-key", 0, "FILE", "its private key, PEM", OPTION_TEXT, offsetof(struct serve_flags, tls_key), 0, 0 },
    { "self-signed", 0, "DIR", "make a pair for localhost in DIR instead", OPTION_TEXT,
      offsetof(struct serve_flags, self_signed), 0, 0 },
};

static const struct command_help help = {
    .name = "serve",
    .operands = "",
    .summary = "Answers AdmissionReviews over TLS until SIGTERM. SIGHUP reads the configuration file again.",
    .epilogue = "After SIGTERM /readyz fails, requests are answered for timeouts.shutdownDelaySeconds, then those in\n"
                "flight are finished. SIGINT does not wait for new requests. A second signal leaves at once.\n\n"
                "Exit codes: 0 stopped, 1 left at once, 2 unusable options, configuration, certificate or address.",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
};

struct loop {
    struct runtime runtime;
    int signals;
    bool hurried;        /* a second signal came */
    int64_t leave_at_ms; /* 0: not leaving */
    int64_t certificate_at_ms;
};

/* Before any thread is started: all of them inherit it, so that signals come by the descriptor only. */
static result take_signals(int *out, struct err *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    ENSURE(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0, err, ERR_INTERNAL, "signals: %s", strerror(errno));
    ENSURE(signal(SIGPIPE, SIG_IGN) != SIG_ERR, err, ERR_INTERNAL, "signals: %s", strerror(errno));
    *out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    ENSURE(*out >= 0, err, ERR_INTERNAL, "signals: %s", strerror(errno));
    return DONE;
}

static void leave(struct loop *loop, bool at_once)
{
    struct runtime *runtime = &loop->runtime;
    int64_t delay_ms = at_once ? 0 : runtime->config->shutdown_delay_s * 1000;
    loop->hurried = loop->leave_at_ms != 0;
    if (loop->hurried)
        return;
    atomic_store(&runtime->stopping, true);
    http_say_goodbye(runtime->http);
    log_event(&runtime->log, EVENT_STOPPING, log_number("delaySeconds", delay_ms / 1000));
    loop->leave_at_ms = clock_ms() + delay_ms;
}

static void take_signal(struct loop *loop)
{
    struct signalfd_siginfo signal_info;
    while (read(loop->signals, &signal_info, sizeof signal_info) == (ssize_t)sizeof signal_info) {
        if (signal_info.ssi_signo == SIGHUP)
            runtime_reload_config(&loop->runtime);
        else
            leave(loop, signal_info.ssi_signo == SIGINT);
    }
}

static void take_changes(struct loop *loop, int64_t now_ms)
{
    struct runtime *runtime = &loop->runtime;
    unsigned due = 0;
    if (runtime->watch) {
        watch_read(runtime->watch, now_ms);
        due = watch_due(runtime->watch, now_ms);
    }
    if (due & WATCH_POLICIES)
        runtime_reload_policies(runtime);
    /* Also by the clock: what inotify cannot see, and what expires. */
    if (due & WATCH_CERTIFICATE || now_ms >= loop->certificate_at_ms) {
        runtime_reload_certificate(runtime);
        loop->certificate_at_ms = now_ms + CERTIFICATE_MS;
    }
}

static int wait_ms(const struct loop *loop, int64_t now_ms)
{
    int64_t wait = TICK_MS, left = loop->leave_at_ms - now_ms;
    int quiet = loop->runtime.watch ? watch_wait_ms(loop->runtime.watch, now_ms) : -1;
    if (quiet >= 0 && quiet < wait)
        wait = quiet;
    if (loop->leave_at_ms && left < wait)
        wait = left;
    return wait < 0 ? 0 : (int)wait;
}

/* Until it is time to leave. */
static void run(struct loop *loop)
{
    struct runtime *runtime = &loop->runtime;
    struct pollfd fds[] = { { .fd = loop->signals, .events = POLLIN },
                            { .fd = runtime->watch ? watch_fd(runtime->watch) : -1, .events = POLLIN } };
    loop->certificate_at_ms = clock_ms() + CERTIFICATE_MS;
    while (!loop->hurried && (!loop->leave_at_ms || clock_ms() < loop->leave_at_ms)) {
        (void)poll(fds, sizeof fds / sizeof fds[0], wait_ms(loop, clock_ms()));
        int64_t now_ms = clock_ms();
        take_signal(loop);
        take_changes(loop, now_ms);
        (void)http_sweep(runtime->http, now_ms);
        (void)health_sweep(runtime->health, now_ms);
    }
}

/* Requests in flight are finished, within the time that a request may take. */
static void drain(struct loop *loop)
{
    struct runtime *runtime = &loop->runtime;
    int64_t until_ms = clock_ms() + runtime->config->request_s * 1000;
    http_quiesce(runtime->http);
    while (http_busy(runtime->http) > 0 && !loop->hurried && clock_ms() < until_ms) {
        struct pollfd fd = { .fd = loop->signals, .events = POLLIN };
        (void)poll(&fd, 1, DRAIN_POLL_MS);
        take_signal(loop);
        (void)http_sweep(runtime->http, clock_ms());
    }
}

static result serve(struct loop *loop, const struct serve_flags *flags, struct err *err)
{
    GUARD(take_signals(&loop->signals, err));
    GUARD(runtime_start(&loop->runtime, flags, err));
    run(loop);
    drain(loop);
    log_event(&loop->runtime.log, EVENT_STOPPED, log_flag("atOnce", loop->hurried));
    return DONE;
}

int command_serve(int argc, char **argv)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct serve_flags flags = { 0 };
    struct option_texts operands = { 0 };
    struct loop loop = { .signals = -1 };
    struct err err = { 0 };
    switch (options_read(&help, argc, argv, &arena, &flags, &operands)) {
    case OPTIONS_WRONG: return EXIT_UNUSABLE;
    case OPTIONS_HELP_PRINTED: return EXIT_CLEAN;
    case OPTIONS_READ: break;
    }
    if (operands.count > 0) {
        fprintf(stderr, "sgp-webhook: serve: '%s' is no option; see sgp-webhook serve --help\n", operands.items[0]);
        return EXIT_UNUSABLE;
    }
    bool served = serve(&loop, &flags, &err).ok;
    if (served && loop.hurried)
        _exit(EXIT_REFUSED); /* at once: without waiting for the threads */
    runtime_stop(&loop.runtime);
    if (loop.signals >= 0)
        (void)close(loop.signals);
    if (!served)
        fprintf(stderr, "sgp-webhook: %s\n", err.msg);
    return served ? EXIT_CLEAN : EXIT_UNUSABLE;
}
