/* SPDX-License-Identifier: Apache-2.0
 *
 * A program of a PIO block that reads a microphone, and what its words mean.
 */
#ifndef MICROPHONE_INPUT_H
#define MICROPHONE_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "hardware/pio.h"

#define MICROPHONE_WORDS 256u   /* of the program in a chunk */
#define MICROPHONE_SAMPLES 256u /* of a chunk at the most */

const pio_program_t *microphone_input_program(void);

/* Prepares a state machine for the program, which is at `offset`; it does not run yet. */
void microphone_input_init(PIO pio, uint machine, uint offset);

/* Makes samples of a chunk. Returns how many. */
size_t microphone_input_samples(const volatile uint32_t *words, int16_t *samples);

/* Samples were lost before those that come next. */
void microphone_input_gap(void);

#endif
