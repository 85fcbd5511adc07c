/*
 * Error numbers. Functions return 0 (or a count) or -EXXX; the values are the ABI's (Linux x86),
 * so an error passes through a hypercall unchanged. Hosted code takes them from libc.
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#if __STDC_HOSTED__
#include <errno.h>
#else
#define EPERM      1
#define ENOENT     2
#define ESRCH      3
#define EINTR      4
#define EIO        5
#define ENXIO      6
#define E2BIG      7
#define ENOEXEC    8
#define EAGAIN     11
#define ENOMEM     12
#define EACCES     13
#define EFAULT     14
#define EBUSY      16
#define EEXIST     17
#define EXDEV      18
#define ENODEV     19
#define EINVAL     22
#define ENOSPC     28
#define ERANGE     34
#define ENOSYS     38
#define ENODATA    61
#define EPROTO     71
#define EOVERFLOW  75
#define EOPNOTSUPP 95
#define ENOBUFS    105
#define ETIMEDOUT  110
#endif
/* Internal: the hypercall is to be continued; never seen by a guest. */
#ifndef ERESTART
#define ERESTART 85
#endif

#endif
