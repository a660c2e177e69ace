/* SPDX-License-Identifier: Apache-2.0
 * What the pod tells the host side.
 */
#include "stage1-init/event.h"

#include <sys/socket.h>
#include <unistd.h>

#include "testsuite/unit/unit.h"

TEST(last_words, "event: what the pod said is heard, though it ended without having heard us")
{
	struct event sent = { .type = EVENT_FAILED, .value = 254 }, ev;
	pid_t sender;
	int fds[2], fd;

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	err_set_text(&sent.err, 1, "why");
	CHECK_INT(event_send(fds[0], &(struct event){ .type = EVENT_NOTE }, -1), 0);
	CHECK_INT(event_send(fds[1], &sent, -1), 0);
	close(fds[1]);
	CHECK_INT(event_receive(fds[0], &ev, &fd, &sender), 1);
	CHECK_INT(ev.type, EVENT_FAILED);
	CHECK_STR(ev.err.msg, "why");
	CHECK_INT(event_receive(fds[0], &ev, &fd, &sender), -1);
	close(fds[0]);
}

UNIT_MAIN(last_words)
