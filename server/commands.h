/* server/commands.h - the subcommands. Each gets its own argv, with its name as argv[0], and returns the exit code. */
#ifndef SGP_SERVER_COMMANDS_H
#define SGP_SERVER_COMMANDS_H

/* 0: fine; 1: refused; 2: unusable input or options. What is wrong stands on standard error, "sgp-webhook: …". */
enum { EXIT_CLEAN = 0, EXIT_REFUSED = 1, EXIT_UNUSABLE = 2 };

int command_serve(int argc, char **argv);
int command_review(int argc, char **argv);
int command_check(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_limits(int argc, char **argv);
int command_certs(int argc, char **argv);
int command_version(int argc, char **argv);

#endif
