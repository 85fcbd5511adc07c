/*
 * What the hypervisor and its toolstack agree on beyond Xen's public headers.
 *
 * Owns: numbers only.
 */
#ifndef IOREQ_PRIVATE_ABI_H
#define IOREQ_PRIVATE_ABI_H

/*
 * HVM parameter: how the vCPUs are grouped, threads in a core in bits 15:0, cores in a package in bits 31:16. Set by the
 * toolstack before the guest runs for the first time; without it all vCPUs are cores of one package. The number is the
 * first that Xen 4.17 does not use.
 */
#define PRIVATE_HVM_PARAM_TOPOLOGY 39
#define PRIVATE_HVM_PARAMS         40

#endif
