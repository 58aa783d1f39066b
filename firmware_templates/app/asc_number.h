/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as text without printf, which would take more flash than what prints them.
 */
#ifndef ASC_NUMBER_H
#define ASC_NUMBER_H

#include <stdint.h>

enum { ASC_NUMBER_SIZE = 12 };

/* Returns the text of a number, inside `text`. */
static inline const char *asc_number(char text[ASC_NUMBER_SIZE], int is_negative,
                                     uint32_t magnitude) {
    char *digit = text + ASC_NUMBER_SIZE - 1;
    *digit = '\0';
    do {
        digit--;
        *digit = (char)('0' + (int)(magnitude % 10u));
        magnitude /= 10u;
    } while (magnitude > 0);
    if (is_negative) {
        digit--;
        *digit = '-';
    }
    return digit;
}

#endif
