/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec WM8994 behind which the board's two MP34DT01 are: the left one is heard in timeslot 1
 * of AIF1, which is the lower 16 bits of the left slot of 32.
 */
#ifndef ASC_CODEC_H
#define ASC_CODEC_H

#include "main.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Prepares the codec; its master clock must run, 256 times the sample rate. Returns HAL_OK, or the
 * HAL's code of a write that failed.
 *
 * i2c: the bus that the codec is on, which the HAL has initialised. */
HAL_StatusTypeDef asc_codec_start(I2C_HandleTypeDef *i2c);

#ifdef __cplusplus
}
#endif

#endif
