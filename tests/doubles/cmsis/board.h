/* SPDX-License-Identifier: Apache-2.0
 *
 * What a board layer's header says: the UART of STDOUT.
 */
#ifndef BOARD_H
#define BOARD_H

#define RETARGET_STDIO_UART 3

#endif
