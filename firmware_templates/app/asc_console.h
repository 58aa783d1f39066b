/* SPDX-License-Identifier: Apache-2.0
 *
 * The application of all projects that listen: prints the scene that the microphone hears, and what
 * was lost because the core was busy. It is made once per image, over asc_listen.h; a project says
 * how to print and starts its microphone:
 *
 *     static const asc_console_t console = {.print = print, .line_end = "\n"};
 *     int status = asc_console_start(&console);
 *     if (status == ASC_NET_OK) { status = microphone_start(); }
 *     while (status >= 0) {
 *         status = asc_console_step(&console);
 *         if (status == ASC_RESULT_NONE) { wait_for_an_interrupt(); }
 *     }
 *     asc_console_stop(&console, status);
 *
 * It prints these lines: "selftest CODE" with a code of asc_selftest.h; "scene LABEL SCORE ..."
 * with the decision and the smoothed int8 score of each label; "overruns COUNT NAME COUNT" when a
 * count has changed; "stopped CODE".
 */
#ifndef ASC_CONSOLE_H
#define ASC_CONSOLE_H

#include <stdint.h>

#include "asc_listen.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the console is made of; the caller owns it, and keeps it while the application runs.
 *
 * print: writes a text that ends with a zero; it is called by the functions below only.
 * line_end: text that ends a line, "\n" or "\r\n".
 * counter_name, counter: name of a count of the microphone's driver and the function that returns
 *     it, such as buffers that came too late; NULL and NULL if the driver counts nothing. */
typedef struct {
    void (*print)(const char *text);
    const char *line_end;
    const char *counter_name;
    uint32_t (*counter)(void);
} asc_console_t;

/* Runs the self-test, prints its code, and makes ready for the first sample. To be called once.
 * Returns ASC_NET_OK, the code of a self-test that failed (above 0), or the negative error of the
 * network. A code other than ASC_NET_OK means that the microphone must not be started. */
int asc_console_start(const asc_console_t *console);

/* Prints the line of the self-test again, for whoever has opened the terminal since.
 *
 * started: what asc_console_start returned. */
void asc_console_repeat(const asc_console_t *console, int started);

/* Works on the samples that have come, and prints a decision that is ready and counts that changed.
 * Returns ASC_RESULT_NEW, ASC_RESULT_NONE once it has to wait for samples, or the negative error
 * that stopped the classifier. */
int asc_console_step(const asc_console_t *console);

/* Prints that the application has stopped.
 *
 * status: what a function above returned, or an error of the microphone's driver. */
void asc_console_stop(const asc_console_t *console, int status);

#ifdef __cplusplus
}
#endif

#endif
