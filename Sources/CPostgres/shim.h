#ifndef TURNPIKE_CPOSTGRES_SHIM_H
#define TURNPIKE_CPOSTGRES_SHIM_H

#include <libpq-fe.h>
#include <sys/prctl.h>

/* Names the calling thread for debuggers and `ps -L`; the kernel keeps 15 bytes. Here because the
   function is variadic in C. */
static inline void turnpike_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

#endif
