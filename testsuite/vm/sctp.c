/* SPDX-License-Identifier: Apache-2.0
 * sctp - the smallest server and client: sctp serve PORT; sctp ask ADDRESS PORT
 *
 * The server tells each client its address, as the server sees it, which the client prints.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int serve(int fd, struct sockaddr_in *a)
{
	char text[INET_ADDRSTRLEN];
	socklen_t len = sizeof(*a);

	if (bind(fd, (struct sockaddr *)a, sizeof(*a)) < 0 || listen(fd, 5) < 0)
		return fail("listen");
	for (;;) {
		int c = accept(fd, (struct sockaddr *)a, &len);
		if (c < 0)
			return fail("accept");
		inet_ntop(AF_INET, &a->sin_addr, text, sizeof(text));
		if (send(c, text, strlen(text), 0) < 0)
			perror("send");
		close(c);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	char got[64];

	alarm(argc == 4 ? 10 : 0);
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
	if (fd < 0)
		return fail("socket");
	if (argc < 3)
		return 2;
	a.sin_port = htons((unsigned short)atoi(argv[argc - 1]));
	if (argc == 3)
		return serve(fd, &a);
	inet_pton(AF_INET, argv[2], &a.sin_addr);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return fail("connect");
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);
	if (n <= 0)
		return fail("recv");
	printf("%.*s\n", (int)n, got);
	return 0;
}
