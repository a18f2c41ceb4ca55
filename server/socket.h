/* server/socket.h - listening sockets from addresses as people write them. */
#ifndef SGP_SERVER_SOCKET_H
#define SGP_SERVER_SOCKET_H

#include "base/arena.h"

/* Whether the address is written as socket_listen() takes it; nothing is looked up. ERR_INPUT: it is not. */
result socket_check(struct str address, struct err *err);
/* Listens at ADDRESS:PORT: "127.0.0.1:8443", "[::1]:8443", "localhost:8443"; "[::]:8443" and ":8443" are all addresses,
 * IPv4 too; port 0 takes a free one. The descriptor is the caller's to close.
 * ERR_INPUT: no such address; ERR_UNAVAILABLE: it cannot be had now. */
result socket_listen(struct str address, int *out, struct err *err);
/* The address and port that the socket really has. */
result socket_address(int socket_fd, struct arena *arena, struct str *address, unsigned *port, struct err *err);

#endif
