#ifndef TURNPIKE_ALLOCATIONS_H
#define TURNPIKE_ALLOCATIONS_H

#include <stddef.h>

/// Begins to count what is allocated beyond what is there now.
void turnpike_allocations_begin(void);

/// Stops counting. The most bytes that were held at once since the beginning.
size_t turnpike_allocations_end(void);

#endif
