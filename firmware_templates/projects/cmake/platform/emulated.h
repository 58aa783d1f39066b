/* SPDX-License-Identifier: Apache-2.0
 *
 * What emulated.c and the file of a core's family, cortex_m.c or riscv.c, need of each other.
 */
#ifndef EMULATED_H
#define EMULATED_H

#include <stdint.h>

/* The core's: hands an operation to the emulator or debugger. */
int32_t semihosting(uint32_t operation, const void *argument);

/* For the core's start-up code, once it has a stack. */
void prepare_memory(void);
void run_main(void);

/* For what must not happen: leaves the emulator. */
void fault_handler(void);

#endif
