/* SPDX-License-Identifier: Apache-2.0
 *
 * The world around the stand-in for ST's HAL.
 */
#ifndef HAL_H
#define HAL_H

/* What a user types, `e` for an error of the DMA; halves of the buffer that come at the start. */
void hal_set_world(const char *typed, int burst);

#endif
