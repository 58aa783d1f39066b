/* SPDX-License-Identifier: Apache-2.0
 *
 * What the README of drop-in sources asks of a board: here an emulated Cortex-M of Arm's MPS2, its
 * microphone a file in.pcm whose samples a timer's interrupt hands over in chunks at the real pace.
 *
 * LOST_CHUNK: number of the chunk that the microphone loses and tells of.
 */
#ifndef BOARD_H
#define BOARD_H

#include "asc_listen.h"

/* The application's; a test gives its main this name. */
int application(void);
void microphone_received(const int16_t *pcm, size_t count, int lost);

void microphone_start(void);
void show(const asc_result_t *result);
void wait_for_interrupt(void);
__attribute__((noreturn)) void stop(int status);

#endif
