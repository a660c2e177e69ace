/* SPDX-License-Identifier: Apache-2.0
 * mbedTLS's entropy, from getrandom(2)
 *
 * mbedTLS itself knows the system call only under glibc; with musl it would read /dev/urandom, and a
 * chroot or an early initramfs has no /dev.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/random.h>

int mbedtls_hardware_poll(void *data, unsigned char *out, size_t len, size_t *out_len);

int mbedtls_hardware_poll(void *data, unsigned char *out, size_t len, size_t *out_len)
{
	ssize_t n;

	(void)data;
	do
		n = getrandom(out, len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -0x003C; /* MBEDTLS_ERR_ENTROPY_SOURCE_FAILED */
	*out_len = (size_t)n;
	return 0;
}
