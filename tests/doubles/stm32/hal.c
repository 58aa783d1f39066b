/* SPDX-License-Identifier: Apache-2.0
 *
 * The program ends with the file that the microphone plays.
 */
#include "hal.h"

#include <stdlib.h>

#include "emulated.h"
#include "platform.h"
#include "stm32l4xx_hal.h"

Registers registers[12];

static DFSDM_Filter_HandleTypeDef *microphone;
static int32_t *dma_buffer;
static size_t dma_half;
static int is_second_half;
static int is_filter_on;
static int is_dma_on;
static int passes_without_microphone = 8;
static int file;
static int errors_at_start;
static int halves_at_start;

void hal_set_world(int burst, int errors) {
    halves_at_start = burst;
    errors_at_start = errors;
}

void *_sbrk(ptrdiff_t increment);
void *_sbrk(ptrdiff_t increment) {
    (void)increment;
    return (void *)-1;
}

static void leave(void) {
    const uint32_t sys_exit_extended = 0x20;
    const uint32_t block[2] = {0x20026, 0};
    semihosting(sys_exit_extended, block);
}

/* Fills the next half of the circular buffer as the DMA does. */
static void fill(void) {
    if (!is_dma_on || !is_filter_on) {
        return;
    }
    int32_t *const half = dma_buffer + (is_second_half ? dma_half : 0);
    const size_t size = dma_half * sizeof *half;
    if (platform_read(file, half, size) != size) {
        leave();
    }
    if (is_second_half) {
        HAL_DFSDM_FilterRegConvCpltCallback(microphone);
    } else {
        HAL_DFSDM_FilterRegConvHalfCpltCallback(microphone);
    }
    is_second_half = !is_second_half;
}

/* As in ST's HAL: an error ends the DMA's transfer and leaves the filter running. */
static void fail(void) {
    is_dma_on = 0;
    HAL_DFSDM_FilterErrorCallback(microphone);
}

HAL_StatusTypeDef HAL_DMA_Abort(DMA_HandleTypeDef *dma) {
    const HAL_StatusTypeDef status = is_dma_on ? HAL_OK : HAL_ERROR;
    (void)dma;
    is_dma_on = 0;
    return status;
}

HAL_StatusTypeDef HAL_DFSDM_FilterRegularStop(DFSDM_Filter_HandleTypeDef *filter) {
    const HAL_StatusTypeDef status = is_filter_on ? HAL_OK : HAL_ERROR;
    (void)filter;
    is_filter_on = 0;
    return status;
}

HAL_StatusTypeDef HAL_DFSDM_FilterRegularStart_DMA(DFSDM_Filter_HandleTypeDef *filter,
                                                   int32_t *buffer, uint32_t length) {
    if (is_filter_on) {
        return HAL_ERROR;
    }
    is_filter_on = 1;
    is_dma_on = 1;
    is_second_half = 0;
    if (microphone != NULL) { /* goes on in the file */
        return HAL_OK;
    }
    microphone = filter;
    dma_buffer = buffer;
    dma_half = length / 2u;
    file = platform_open("microphone.bin", "rb");
    if (file < 0) {
        return HAL_ERROR;
    }
    for (; halves_at_start > 0; halves_at_start--) {
        fill();
    }
    for (; errors_at_start > 0; errors_at_start--) {
        fail();
    }
    return HAL_OK;
}

HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *uart, const uint8_t *data, uint16_t size,
                                    uint32_t timeout) {
    const uint32_t sys_writec = 0x03;
    (void)uart, (void)timeout;
    for (uint16_t i = 0; i < size; i++) {
        semihosting(sys_writec, data + i);
    }
    return HAL_OK;
}

static uint8_t *awaited;

/* Hands over bytes as long as the application asks for the next. */
static void receive(UART_HandleTypeDef *uart, int most) {
    static int serial;
    if (serial == 0) {
        serial = platform_open("serial.bin", "rb");
    }
    for (; most > 0 && awaited != NULL && serial > 0; most--) {
        if (platform_read(serial, awaited, 1) == 0) {
            return;
        }
        awaited = NULL;
        HAL_UART_RxCpltCallback(uart);
    }
}

/* Applications ask for input in every pass: time for the next bytes and samples. */
HAL_StatusTypeDef HAL_UART_Receive_IT(UART_HandleTypeDef *uart, uint8_t *data, uint16_t size) {
    static int is_interrupt;
    const HAL_StatusTypeDef status = awaited == NULL ? HAL_OK : HAL_BUSY;
    if (size != 1) {
        return HAL_ERROR;
    }
    awaited = data;
    if (!is_interrupt) {
        const int bytes_in_a_pass = 64;
        is_interrupt = 1;
        receive(uart, bytes_in_a_pass);
        is_interrupt = 0;
        if (microphone == NULL && passes_without_microphone-- == 0) {
            leave();
        }
        if (microphone != NULL) {
            fill();
        }
    }
    return status;
}

void HAL_UART_IRQHandler(UART_HandleTypeDef *uart) {
    (void)uart;
}

HAL_StatusTypeDef HAL_Init(void) {
    return HAL_OK;
}

void HAL_IncTick(void) {
}

uint32_t HAL_GetTick(void) {
    static uint32_t seconds;
    return 1000u * seconds++;
}

void HAL_Delay(uint32_t milliseconds) {
    (void)milliseconds;
}

void HAL_PWR_EnableBkUpAccess(void) {
}

HAL_StatusTypeDef HAL_RCC_OscConfig(const RCC_OscInitTypeDef *settings) {
    return settings->PLL.PLLN == 40 ? HAL_OK : HAL_ERROR;
}

HAL_StatusTypeDef HAL_RCC_ClockConfig(const RCC_ClkInitTypeDef *settings, uint32_t latency) {
    return settings->ClockType == 15 && latency == FLASH_LATENCY_4 ? HAL_OK : HAL_ERROR;
}

HAL_StatusTypeDef HAL_RCCEx_PeriphCLKConfig(const RCC_PeriphCLKInitTypeDef *settings) {
    return settings->PLLSAI1.PLLSAI1M == 1 ? HAL_OK : HAL_ERROR;
}

void HAL_RCCEx_EnableMSIPLLMode(void) {
}

/* The boards as ST's BSPs wire them: the pins of the DFSDM, and what supplies the microphones. */
static const struct {
    const Registers *channel, *port, *supply_port;
    uint32_t pins, supply_pin;
} boards[] = {
    {DFSDM1_Channel2, GPIOE, NULL, GPIO_PIN_7 | GPIO_PIN_9, 0},           /* B-L475E-IOT01A */
    {DFSDM1_Channel3, GPIOC, GPIOH, GPIO_PIN_2 | GPIO_PIN_7, GPIO_PIN_1}, /* 32L496GDISCOVERY */
};

static const Registers *filter_port, *high_port, *supplying_port;
static uint32_t filter_pins, high_pin, supplying_pin;

void HAL_GPIO_WritePin(GPIO_TypeDef *port, uint16_t pin, GPIO_PinState state) {
    high_port = port;
    high_pin = state == GPIO_PIN_SET ? pin : 0u;
}

void HAL_GPIO_Init(GPIO_TypeDef *port, const GPIO_InitTypeDef *settings) {
    if (settings->Mode == GPIO_MODE_OUTPUT_PP) {
        supplying_port = port == high_port ? port : NULL;
        supplying_pin = settings->Pin & high_pin;
    } else if (settings->Alternate == GPIO_AF6_DFSDM1) {
        filter_port = port;
        filter_pins = settings->Pin;
    }
}

static int is_wired(const Registers *channel) {
    for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++) {
        if (boards[i].channel == channel) {
            return boards[i].port == filter_port && boards[i].pins == filter_pins &&
                   boards[i].supply_port == supplying_port && boards[i].supply_pin == supplying_pin;
        }
    }
    return 0;
}

void HAL_NVIC_SetPriority(IRQn_Type number, uint32_t priority, uint32_t sub) {
    (void)number, (void)priority, (void)sub;
}

void HAL_NVIC_EnableIRQ(IRQn_Type number) {
    (void)number;
}

HAL_StatusTypeDef HAL_DMA_Init(DMA_HandleTypeDef *dma) {
    return dma->Init.Mode == DMA_CIRCULAR ? HAL_OK : HAL_ERROR;
}

void HAL_DMA_IRQHandler(DMA_HandleTypeDef *dma) {
    (void)dma;
}

HAL_StatusTypeDef HAL_DFSDM_ChannelInit(DFSDM_Channel_HandleTypeDef *channel) {
    return is_wired(channel->Instance) ? HAL_OK : HAL_ERROR;
}

HAL_StatusTypeDef HAL_DFSDM_FilterInit(DFSDM_Filter_HandleTypeDef *filter) {
    return filter->hdmaReg != NULL && filter->Init.RegularParam.DmaMode ? HAL_OK : HAL_ERROR;
}

HAL_StatusTypeDef HAL_DFSDM_FilterConfigRegChannel(DFSDM_Filter_HandleTypeDef *filter,
                                                   uint32_t channel, uint32_t mode) {
    (void)filter;
    return (channel == 2 || channel == 3) && mode == DFSDM_CONTINUOUS_CONV_ON ? HAL_OK : HAL_ERROR;
}

HAL_StatusTypeDef HAL_UART_Init(UART_HandleTypeDef *uart) {
    return uart->Init.BaudRate == 115200 ? HAL_OK : HAL_ERROR;
}
