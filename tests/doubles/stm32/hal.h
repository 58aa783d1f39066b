/* SPDX-License-Identifier: Apache-2.0
 *
 * The world around the stand-in for ST's HAL.
 */
#ifndef HAL_H
#define HAL_H

/* What comes at the start: halves of the buffer, errors of the DMA. */
void hal_set_world(int burst, int errors);

#endif
