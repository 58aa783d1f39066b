/* SPDX-License-Identifier: Apache-2.0
 *
 * What a board layer says of the board: the device, and the UART of STDOUT.
 */
#ifndef LAYER_H
#define LAYER_H

#include "corstone300.h"
#define RETARGET_STDIO_UART 0

#endif
