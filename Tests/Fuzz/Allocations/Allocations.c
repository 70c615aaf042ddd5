#include "Allocations.h"

#include <stdint.h>

// Of the sanitizers' runtime (sanitizer/allocator_interface.h).
extern int __sanitizer_install_malloc_and_free_hooks(
    void (*allocated)(const volatile void *, size_t), void (*freed)(const volatile void *));
extern size_t __sanitizer_get_allocated_size(const volatile void *);

// One thread allocates: the one that runs the inputs.
static int is_counting;
static int64_t held;
static int64_t most;

static void allocated(const volatile void *pointer, size_t bytes) {
    (void)pointer;
    if (!is_counting) { return; }
    held += (int64_t)bytes;
    if (held > most) { most = held; }
}

static void freed(const volatile void *pointer) {
    if (is_counting && pointer) { held -= (int64_t)__sanitizer_get_allocated_size(pointer); }
}

void turnpike_allocations_begin(void) {
    static int is_installed;
    if (!is_installed) {
        is_installed = 1;
        __sanitizer_install_malloc_and_free_hooks(allocated, freed);
    }
    held = 0;
    most = 0;
    is_counting = 1;
}

size_t turnpike_allocations_end(void) {
    is_counting = 0;
    return (size_t)most;
}
