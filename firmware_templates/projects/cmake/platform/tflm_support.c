/* SPDX-License-Identifier: Apache-2.0
 *
 * What TensorFlow Lite Micro's library asks of the machine.
 */
#include <stddef.h>

#include "platform.h"

#if defined(__arm__)

/* In libraries for TARGET=cortex_m_generic; takes what prints their messages. */
__attribute__((weak)) void RegisterDebugLogCallback(void (*print)(const char *text));

__attribute__((constructor)) static void print_messages(void) {
    if (RegisterDebugLogCallback != NULL) {
        RegisterDebugLogCallback(platform_print);
    }
}

/* There is no heap: formatting a message must do without. */
void *_sbrk(ptrdiff_t increment);
void *_sbrk(ptrdiff_t increment) {
    (void)increment;
    return (void *)-1;
}

#else

typedef int nothing_t; /* A file must declare something. */

#endif
