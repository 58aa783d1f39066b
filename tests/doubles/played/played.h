/* SPDX-License-Identifier: Apache-2.0
 *
 * A microphone that plays the samples of in.pcm, for doubles of operating systems on a computer.
 * Its thread and the application's take turns, so that nothing depends on their speed; but from the
 * read that FLOODING_READ names on, FLOOD reads do not wait, as if the application were slow.
 */
#ifndef PLAYED_H
#define PLAYED_H

#include <stddef.h>
#include <stdint.h>

#define FLOOD 100

/* To be called before the others. Returns 0, or -1 if there is no in.pcm. */
int played_open(void);

/* The microphone's thread: returns samples once the application waits for more; ends the program
 * with the last. */
void played_read(int16_t *samples, size_t count);

/* The microphone's thread: there are more samples. */
void played_give(void);

/* The application: waits for more samples. */
void played_wait(void);

/* Starts the microphone's thread. */
void played_start(void (*run)(void));

#endif
