/* SPDX-License-Identifier: Apache-2.0
 *
 * What the projects use of ST's HAL for the STM32L4, in place of it: the DFSDM's DMA plays a file,
 * the UART is the emulator's console, where serial.bin is what the computer sends. Settings are
 * kept where their effect shows, else ignored.
 */
#ifndef STM32L4XX_HAL_H
#define STM32L4XX_HAL_H

#include <stdint.h>

typedef enum { HAL_OK, HAL_ERROR, HAL_BUSY, HAL_TIMEOUT } HAL_StatusTypeDef;
enum { DISABLE, ENABLE };

#define HAL_MAX_DELAY 0xFFFFFFFFu

/* Numbers that the HAL has names for; only that they differ matters. */
enum {
    DFSDM_CHANNEL_2 = 2,
    DFSDM_CHANNEL_3 = 3,
    DFSDM_CHANNEL_EXTERNAL_INPUTS = 100,
    DFSDM_CHANNEL_FASTSINC_ORDER,
    DFSDM_CHANNEL_OUTPUT_CLOCK_AUDIO,
    DFSDM_CHANNEL_SAME_CHANNEL_PINS,
    DFSDM_CHANNEL_SPI_CLOCK_INTERNAL,
    DFSDM_CHANNEL_SPI_RISING,
    DFSDM_CHANNEL_STANDARD_MODE,
    DFSDM_CONTINUOUS_CONV_ON,
    DFSDM_FILTER_SINC3_ORDER,
    DFSDM_FILTER_SW_TRIGGER,
    DMA_CIRCULAR,
    DMA_MDATAALIGN_WORD,
    DMA_MINC_ENABLE,
    DMA_PDATAALIGN_WORD,
    DMA_PERIPH_TO_MEMORY,
    DMA_PINC_DISABLE,
    DMA_PRIORITY_HIGH,
    DMA_REQUEST_0,
    FLASH_LATENCY_4,
    GPIO_AF6_DFSDM1,
    GPIO_AF7_USART1,
    GPIO_AF7_USART2,
    GPIO_MODE_AF_PP,
    GPIO_MODE_OUTPUT_PP,
    GPIO_NOPULL,
    GPIO_SPEED_FREQ_HIGH,
    GPIO_SPEED_FREQ_LOW,
    RCC_HCLK_DIV1,
    RCC_LSE_ON,
    RCC_MSIRANGE_6,
    RCC_MSI_ON,
    RCC_PERIPHCLK_SAI1,
    RCC_PLLP_DIV17,
    RCC_PLLP_DIV7,
    RCC_PLLQ_DIV2,
    RCC_PLLR_DIV2,
    RCC_PLLSAI1_SAI1CLK,
    RCC_PLLSOURCE_MSI,
    RCC_PLL_ON,
    RCC_SAI1CLKSOURCE_PLLSAI1,
    RCC_SYSCLKSOURCE_PLLCLK,
    RCC_SYSCLK_DIV1,
    UART_HWCONTROL_NONE,
    UART_MODE_TX_RX,
    UART_OVERSAMPLING_16,
    UART_PARITY_NONE,
    UART_STOPBITS_1,
    UART_WORDLENGTH_8B
};
enum {
    RCC_CLOCKTYPE_SYSCLK = 1,
    RCC_CLOCKTYPE_HCLK = 2,
    RCC_CLOCKTYPE_PCLK1 = 4,
    RCC_CLOCKTYPE_PCLK2 = 8,
    RCC_OSCILLATORTYPE_LSE = 16,
    RCC_OSCILLATORTYPE_MSI = 32,
    GPIO_PIN_1 = 1 << 1,
    GPIO_PIN_2 = 1 << 2,
    GPIO_PIN_6 = 1 << 6,
    GPIO_PIN_7 = 1 << 7,
    GPIO_PIN_9 = 1 << 9
};
typedef enum { DMA1_Channel4_IRQn = 14, USART1_IRQn = 37, USART2_IRQn = 38 } IRQn_Type;

/* Peripherals have names and no registers. */
typedef struct {
    int unused;
} Registers;
typedef Registers GPIO_TypeDef;
typedef enum { GPIO_PIN_RESET, GPIO_PIN_SET } GPIO_PinState;
extern Registers registers[];
#define GPIOA (&registers[0])
#define GPIOB (&registers[1])
#define GPIOD (&registers[2])
#define GPIOE (&registers[3])
#define USART1 (&registers[4])
#define USART2 (&registers[5])
#define DMA1_Channel4 (&registers[6])
#define DFSDM1_Channel2 (&registers[7])
#define DFSDM1_Filter0 (&registers[8])
#define DFSDM1_Channel3 (&registers[9])
#define GPIOC (&registers[10])
#define GPIOH (&registers[11])

#define __HAL_RCC_DFSDM1_CLK_ENABLE() ((void)0)
#define __HAL_RCC_DMA1_CLK_ENABLE() ((void)0)
#define __HAL_RCC_GPIOA_CLK_ENABLE() ((void)0)
#define __HAL_RCC_GPIOB_CLK_ENABLE() ((void)0)
#define __HAL_RCC_GPIOC_CLK_ENABLE() ((void)0)
#define __HAL_RCC_GPIOD_CLK_ENABLE() ((void)0)
#define __HAL_RCC_GPIOE_CLK_ENABLE() ((void)0)
#define __HAL_RCC_GPIOH_CLK_ENABLE() ((void)0)
#define __HAL_RCC_PWR_CLK_ENABLE() ((void)0)
#define __HAL_RCC_USART1_CLK_ENABLE() ((void)0)
#define __HAL_RCC_USART2_CLK_ENABLE() ((void)0)
#define __HAL_LINKDMA(handle, member, dma) ((handle)->member = &(dma))

typedef struct {
    uint32_t OscillatorType, LSEState, MSIState, MSIClockRange;
    struct {
        uint32_t PLLState, PLLSource, PLLM, PLLN, PLLP, PLLQ, PLLR;
    } PLL;
} RCC_OscInitTypeDef;

typedef struct {
    uint32_t ClockType, SYSCLKSource, AHBCLKDivider, APB1CLKDivider, APB2CLKDivider;
} RCC_ClkInitTypeDef;

typedef struct {
    uint32_t PeriphClockSelection, Sai1ClockSelection;
    struct {
        uint32_t PLLSAI1Source, PLLSAI1M, PLLSAI1N, PLLSAI1P, PLLSAI1Q, PLLSAI1R, PLLSAI1ClockOut;
    } PLLSAI1;
} RCC_PeriphCLKInitTypeDef;

typedef struct {
    uint32_t Pin, Mode, Pull, Speed, Alternate;
} GPIO_InitTypeDef;

typedef struct {
    Registers *Instance;
    struct {
        uint32_t Request, Direction, PeriphInc, MemInc, PeriphDataAlignment, MemDataAlignment;
        uint32_t Mode, Priority;
    } Init;
} DMA_HandleTypeDef;

typedef struct {
    Registers *Instance;
    struct {
        struct {
            uint32_t Activation, Selection, Divider;
        } OutputClock;
        struct {
            uint32_t Multiplexer, DataPacking, Pins;
        } Input;
        struct {
            uint32_t Type, SpiClock;
        } SerialInterface;
        struct {
            uint32_t FilterOrder, Oversampling;
        } Awd;
        int32_t Offset;
        uint32_t RightBitShift;
    } Init;
} DFSDM_Channel_HandleTypeDef;

typedef struct {
    Registers *Instance;
    struct {
        struct {
            uint32_t Trigger, FastMode, DmaMode;
        } RegularParam;
        struct {
            uint32_t Trigger, ScanMode, DmaMode;
        } InjectedParam;
        struct {
            uint32_t SincOrder, Oversampling, IntOversampling;
        } FilterParam;
    } Init;
    DMA_HandleTypeDef *hdmaReg;
} DFSDM_Filter_HandleTypeDef;

typedef struct {
    Registers *Instance;
    struct {
        uint32_t BaudRate, WordLength, StopBits, Parity, Mode, HwFlowCtl, OverSampling;
    } Init;
} UART_HandleTypeDef;

HAL_StatusTypeDef HAL_Init(void);
void HAL_IncTick(void);
uint32_t HAL_GetTick(void);
void HAL_Delay(uint32_t milliseconds);
void HAL_PWR_EnableBkUpAccess(void);
HAL_StatusTypeDef HAL_RCC_OscConfig(const RCC_OscInitTypeDef *settings);
HAL_StatusTypeDef HAL_RCC_ClockConfig(const RCC_ClkInitTypeDef *settings, uint32_t latency);
HAL_StatusTypeDef HAL_RCCEx_PeriphCLKConfig(const RCC_PeriphCLKInitTypeDef *settings);
void HAL_RCCEx_EnableMSIPLLMode(void);
void HAL_GPIO_WritePin(GPIO_TypeDef *port, uint16_t pin, GPIO_PinState state);
void HAL_GPIO_Init(GPIO_TypeDef *port, const GPIO_InitTypeDef *settings);
void HAL_NVIC_SetPriority(IRQn_Type number, uint32_t priority, uint32_t sub);
void HAL_NVIC_EnableIRQ(IRQn_Type number);
HAL_StatusTypeDef HAL_DMA_Init(DMA_HandleTypeDef *dma);
HAL_StatusTypeDef HAL_DMA_Abort(DMA_HandleTypeDef *dma);
void HAL_DMA_IRQHandler(DMA_HandleTypeDef *dma);
HAL_StatusTypeDef HAL_DFSDM_ChannelInit(DFSDM_Channel_HandleTypeDef *channel);
HAL_StatusTypeDef HAL_DFSDM_FilterInit(DFSDM_Filter_HandleTypeDef *filter);
HAL_StatusTypeDef HAL_DFSDM_FilterConfigRegChannel(DFSDM_Filter_HandleTypeDef *filter,
                                                   uint32_t channel, uint32_t mode);
HAL_StatusTypeDef HAL_DFSDM_FilterRegularStart_DMA(DFSDM_Filter_HandleTypeDef *filter,
                                                   int32_t *buffer, uint32_t length);
HAL_StatusTypeDef HAL_DFSDM_FilterRegularStop(DFSDM_Filter_HandleTypeDef *filter);
void HAL_DFSDM_FilterRegConvHalfCpltCallback(DFSDM_Filter_HandleTypeDef *filter);
void HAL_DFSDM_FilterRegConvCpltCallback(DFSDM_Filter_HandleTypeDef *filter);
void HAL_DFSDM_FilterErrorCallback(DFSDM_Filter_HandleTypeDef *filter);
HAL_StatusTypeDef HAL_UART_Init(UART_HandleTypeDef *uart);
HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *uart, const uint8_t *data, uint16_t size,
                                    uint32_t timeout);
HAL_StatusTypeDef HAL_UART_Receive_IT(UART_HandleTypeDef *uart, uint8_t *data, uint16_t size);
void HAL_UART_ErrorCallback(UART_HandleTypeDef *uart);
void HAL_UART_RxCpltCallback(UART_HandleTypeDef *uart);
void HAL_UART_IRQHandler(UART_HandleTypeDef *uart);

#endif
