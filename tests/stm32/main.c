/* SPDX-License-Identifier: Apache-2.0
 *
 * The application on an emulated core, its filter's DMA fed from a file of 32-bit words:
 *
 *     TYPED BURST     what a user types; halves of the buffer that come before the first step
 */
#include "main.h"

#include <stdlib.h>
#include <string.h>

#include "asc_app.h"
#include "platform.h"

static DFSDM_Filter_HandleTypeDef hdfsdm1_filter0;
static UART_HandleTypeDef huart1;
static uint32_t half;

void *_sbrk(ptrdiff_t increment);
void *_sbrk(ptrdiff_t increment) {
    (void)increment;
    return (void *)-1;
}

HAL_StatusTypeDef HAL_DFSDM_FilterRegularStart_DMA(DFSDM_Filter_HandleTypeDef *filter,
                                                   int32_t *buffer, uint32_t length) {
    filter->buffer = buffer;
    filter->length = length;
    return HAL_OK;
}

HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *uart, const uint8_t *data, uint16_t size,
                                    uint32_t timeout) {
    (void)uart, (void)timeout;
    char text[256];
    const size_t part = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, data, part);
    text[part] = '\0';
    platform_print(text);
    return HAL_OK;
}

HAL_StatusTypeDef HAL_UART_Receive(UART_HandleTypeDef *uart, uint8_t *data, uint16_t size,
                                   uint32_t timeout) {
    (void)timeout;
    if (size != 1 || *uart->typed == '\0') {
        return HAL_TIMEOUT;
    }
    *data = (uint8_t)*uart->typed++;
    return HAL_OK;
}

/* Fills the next half of the circular buffer as the DMA does; returns whether there was one. */
static int fill(int file, DFSDM_Filter_HandleTypeDef *filter) {
    const size_t count = filter->length / 2u;
    int32_t *const words = filter->buffer + half * count;
    if (platform_read(file, words, count * sizeof *words) != count * sizeof *words) {
        return 0;
    }
    if (half == 0) {
        HAL_DFSDM_FilterRegConvHalfCpltCallback(filter);
    } else {
        HAL_DFSDM_FilterRegConvCpltCallback(filter);
    }
    half = 1u - half;
    return 1;
}

int main(int argc, char **argv) {
    const int file = platform_open("microphone.bin", "rb");
    huart1.typed = argc > 1 ? argv[1] : "";
    asc_app_init(&hdfsdm1_filter0, &huart1);
    for (int left = argc > 2 ? atoi(argv[2]) : 0; left > 0; left--) {
        (void)fill(file, &hdfsdm1_filter0);
    }
    do {
        if (*huart1.typed == 'e') {
            HAL_DFSDM_FilterErrorCallback(&hdfsdm1_filter0);
            huart1.typed++;
        }
        asc_app_step();
    } while (hdfsdm1_filter0.length > 0 && fill(file, &hdfsdm1_filter0));
    asc_app_step();
    return 0;
}
