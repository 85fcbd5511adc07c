/* State of all domains and vCPUs on the console (dump.c). */
#ifndef HVM_DUMP_H
#define HVM_DUMP_H

void hvm_dump_all(void);

#endif
