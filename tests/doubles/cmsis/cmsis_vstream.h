/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of CMSIS-Driver's interface of streams. Not Arm's header.
 */
#ifndef CMSIS_DOUBLE_VSTREAM_H
#define CMSIS_DOUBLE_VSTREAM_H

#include <stdint.h>

#define VSTREAM_MODE_CONTINUOUS 0u
#define VSTREAM_EVENT_DATA 1u

#define VSTREAM_OK 0
#define VSTREAM_ERROR (-1)
#define VSTREAM_ERROR_PARAMETER (-2)

typedef struct {
    uint32_t active : 1;
    uint32_t overflow : 1;
    uint32_t underflow : 1;
    uint32_t eos : 1;
    uint32_t reserved : 28;
} vStreamStatus_t;

typedef void (*vStreamEvent_t)(uint32_t events);

typedef struct {
    int32_t (*Initialize)(vStreamEvent_t event);
    int32_t (*Uninitialize)(void);
    int32_t (*SetBuf)(void *buffer, uint32_t size, uint32_t block_size);
    int32_t (*Start)(uint32_t mode);
    int32_t (*Stop)(void);
    void *(*GetBlock)(void);
    int32_t (*ReleaseBlock)(void);
    vStreamStatus_t (*GetStatus)(void);
} const vStreamDriver_t;

#endif
