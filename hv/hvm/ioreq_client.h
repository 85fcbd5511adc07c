/* Private to hvm/: synchronous requests to device models (ioreq_client.c). */
#ifndef HVM_IOREQ_CLIENT_H
#define HVM_IOREQ_CLIENT_H

#include <xen/xen.h>
#include <xen/hvm/ioreq.h>
#include "hvm/hvm_state.h"

struct ioreq_server;

/* Post *r for v, wait for the answer (in r->data). A server that goes away answers all-ones. ROUTE_CRASH: the domain
 * dies, or its device model broke the protocol. */
enum io_route ioreq_forward(struct vcpu *v, struct ioreq_server *s, struct ioreq *r);

#endif
