#include "server/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    { "serve", command_serve, "answer AdmissionReviews over TLS" },
    { "review", command_review, "answer one AdmissionReview from a file, as the server would" },
    { "check", command_check, "check manifests, in CI or before kubectl apply" },
    { "explain", command_explain, "say which policies select each pod, why, and what it gets" },
    { "limits", command_limits, "print the branch interfaces of EC2 instance types" },
    { "certs", command_certs, "make a CA and a serving certificate for local use" },
    { "version", command_version, "print the version" },
};

static void print_help(FILE *out)
{
    fprintf(out, "Usage: sgp-webhook COMMAND [OPTION]...\n\n"
                 "Admission webhook for security groups for pods on Amazon EKS.\n\nCommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].summary);
    fprintf(out,
            "\nsgp-webhook COMMAND --help says more. Exit codes: 0 fine, 1 refused, 2 unusable input or options.\n");
}

/* What could not be written was not said. */
static int finished(int code)
{
    if (code == EXIT_UNUSABLE || (fflush(stdout) == 0 && !ferror(stdout)))
        return code;
    fprintf(stderr, "sgp-webhook: standard output: %s\n", strerror(errno));
    return EXIT_UNUSABLE;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return finished(EXIT_CLEAN);
    }
    if (strcmp(name, "--version") == 0)
        return finished(command_version(1, argv + 1));
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return finished(commands[i].run(argc - 1, argv + 1));
    if (*name)
        fprintf(stderr, "sgp-webhook: '%s' is no command\n\n", name);
    print_help(stderr);
    return EXIT_UNUSABLE;
}
