/* SPDX-License-Identifier: Apache-2.0
 *
 * The application of all projects of a network alone: runs its golden inputs on the board, says
 * whether the outputs are the expected ones, and what an inference costs. A project says how to
 * print and what counts the core's cycles:
 *
 *     static const asc_check_t check = {.print = print, .line_end = "\n", .ticks = asc_cycles};
 *     const int status = asc_check(&check);
 *
 * It prints these lines: "golden NAME passed TICKS" for each golden input, with FAILED or unchecked
 * in place of passed; "arena BYTES"; "selftest CODE" with what it returns.
 */
#ifndef ASC_CHECK_H
#define ASC_CHECK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the application is made of; the caller owns it.
 *
 * print: writes a text that ends with a zero; it is called by asc_check only.
 * line_end: text that ends a line, "\n" or "\r\n".
 * ticks: returns a count of 32 bits that wraps around, such as the core's cycles. */
typedef struct {
    void (*print)(const char *text);
    const char *line_end;
    uint32_t (*ticks)(void);
} asc_check_t;

/* Runs all golden inputs. Returns 0 if none failed, 1 if one did, or the negative error of the
 * network. */
int asc_check(const asc_check_t *check);

#ifdef __cplusplus
}
#endif

#endif
