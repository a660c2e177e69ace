/* SPDX-License-Identifier: Apache-2.0
 * mdsask - how long requests to the metadata service take, seen by an app
 *
 * usage: mdsask REQUESTS   (AC_METADATA_URL in the environment; IPv4 address and port are in it)
 * Prints the medians in microseconds: of requests on one connection, and of requests that make one each. Each asks for
 * the pod's UUID. The first request is not counted: it wakes the service up.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <netinet/tcp.h>

static struct sockaddr_in to = { .sin_family = AF_INET };
static char request[512];

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* a reply with its Content-Length and so much body */
static void ask(int fd)
{
	char reply[4096], *body = NULL;
	size_t n = 0, want = 0;

	if (write(fd, request, strlen(request)) != (ssize_t)strlen(request))
		die("write");
	while (!body || n < want) {
		ssize_t r = read(fd, reply + n, sizeof(reply) - 1 - n);
		if (r <= 0)
			die("read");
		n += (size_t)r;
		reply[n] = '\0';
		body = strstr(reply, "\r\n\r\n");
		const char *len = strcasestr(reply, "\r\ncontent-length:");
		if (body && !len)
			die("no length");
		if (body)
			want = (size_t)(body + 4 - reply) + (size_t)atoi(len + 17);
	}
	if (strncmp(reply, "HTTP/1.1 200 ", 13) != 0) {
		fprintf(stderr, "mdsask: %.40s\n", reply);
		exit(1);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

int main(int argc, char **argv)
{
	const char *url = getenv("AC_METADATA_URL");
	int n = argc > 1 ? atoi(argv[1]) : 1000;
	char host[64], path[256] = "";
	unsigned port;

	if (!url || n < 1 || sscanf(url, "http://%63[0-9.]:%u%255s", host, &port, path) < 2) {
		fprintf(stderr, "mdsask: AC_METADATA_URL: %s\n", url ? url : "not set");
		return 1;
	}
	double *us = calloc((size_t)n, sizeof(*us));
	if (!us)
		die("memory");
	to.sin_port = htons((unsigned short)port);
	inet_pton(AF_INET, host, &to.sin_addr);
	snprintf(request, sizeof(request), "GET %s/acMetadata/v1/pod/uuid HTTP/1.1\r\nHost: %s\r\nMetadata-Flavor: AppContainer\r\n\r\n",
		 path, host);
	int fd = connected();
	ask(fd);
	for (int i = 0; i < n; i++) {
		double begin = now_us();
		ask(fd);
		us[i] = now_us() - begin;
	}
	close(fd);
	printf("%.1f ", median(us, n));
	for (int i = 0; i < n; i++) {
		double begin = now_us();
		fd = connected();
		ask(fd);
		close(fd);
		us[i] = now_us() - begin;
	}
	printf("%.1f\n", median(us, n));
	return 0;
}
