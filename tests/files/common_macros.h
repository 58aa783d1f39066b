/* SPDX-License-Identifier: Apache-2.0
 *
 * Macros that ST's HAL, CMSIS, Arduino's cores, Zephyr, the Pico SDK, FreeRTOS, ESP-IDF and Windows
 * define, or that programs often do. A source that uses one of these names for something of its own
 * does not compile behind this header.
 */
#ifdef __cplusplus
#include <cmath>
#include <cstdlib>
#else
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#endif
#include <stdint.h>

/* Arduino and Zephyr: functions that are macros */
#undef min
#undef max
#undef abs
#define min(a, b) @min
#define max(a, b) @max
#define abs(x) @abs
#define round(x) @round
#define clamp(value, low, high) @clamp
#define constrain(value, low, high) @constrain
#define radians(x) @radians
#define degrees(x) @degrees
#define sq(x) @sq
#define bit(b) @bit
#define bitRead(value, b) @bitRead
#define bitSet(value, b) @bitSet
#define bitClear(value, b) @bitClear
#define word(...) @word
#define lowByte(w) @lowByte
#define highByte(w) @highByte
#define interrupts() @interrupts
#define noInterrupts() @noInterrupts
#define likely(x) @likely
#define unlikely(x) @unlikely
#define send(a, b, c, d) @send
#define F(text) @F
#define _BV(b) @_BV
#define BIT(n) @BIT
#define BIT_MASK(n) @BIT_MASK
#define ABS(x) @ABS
#define MIN(a, b) @MIN
#define MAX(a, b) @MAX
#define CLAMP(value, low, high) @CLAMP
#define ARRAY_SIZE(array) @ARRAY_SIZE
#define CONTAINER_OF(pointer, type, field) @CONTAINER_OF
#define ROUND_UP(x, align) @ROUND_UP
#define ROUND_DOWN(x, align) @ROUND_DOWN
#define DIV_ROUND_UP(n, d) @DIV_ROUND_UP
#define KB(x) @KB
#define MB(x) @MB
#define KHZ(x) @KHZ
#define MHZ(x) @MHZ
#define IN_RANGE(value, low, high) @IN_RANGE
#define IS_ALIGNED(pointer, align) @IS_ALIGNED
#define POINTER_TO_UINT(x) @POINTER_TO_UINT
#define STRINGIFY(x) @STRINGIFY
#define CONCAT(a, b) @CONCAT
#define COND_CODE_1(flag, yes, no) @COND_CODE_1
#define LISTIFY(length, macro, separator) @LISTIFY
#define REPEAT(n) @REPEAT
#define SWAP(a, b) @SWAP
#define ASSERT(condition) @ASSERT
#define UNUSED(x) @UNUSED
#define ARG_UNUSED(x) @ARG_UNUSED
#define SET_BIT(r, b) @SET_BIT
#define CLEAR_BIT(r, b) @CLEAR_BIT
#define READ_BIT(r, b) @READ_BIT
#define CLEAR_REG(r) @CLEAR_REG
#define WRITE_REG(r, v) @WRITE_REG
#define READ_REG(r) @READ_REG
#define MODIFY_REG(r, c, s) @MODIFY_REG
#define POSITION_VAL(v) @POSITION_VAL

/* ST and CMSIS: values and words */
#define SET @SET
#define RESET @RESET
#define ENABLE @ENABLE
#define DISABLE @DISABLE
#define SUCCESS @SUCCESS
#define __IO @__IO
#define __I @__I
#define __O @__O
#define DMA1 @DMA1
#define TIM1 @TIM1
#define SPI1 @SPI1
#define ADC1 @ADC1
#define RNG @RNG
#define CRC @CRC
#define HASH @HASH
#define DSI @DSI
#define SAI1 @SAI1
#define RCC @RCC
#define PWR @PWR
#define FLASH @FLASH
#define GPIOA @GPIOA
#define SCB @SCB
#define NVIC @NVIC
#define SysTick @SysTick
#define DWT @DWT
#define ITM @ITM

/* Arduino: values */
#define PI @PI
#define HALF_PI @HALF_PI
#define TWO_PI @TWO_PI
#define EULER @EULER
#define DEG_TO_RAD @DEG_TO_RAD
#define HIGH @HIGH
#define LOW @LOW
#define INPUT @INPUT
#define OUTPUT @OUTPUT
#define CHANGE @CHANGE
#define FALLING @FALLING
#define RISING @RISING
#define DEC @DEC
#define HEX @HEX
#define OCT @OCT
#define BIN @BIN
#define B0 @B0
#define B1 @B1
#define B00000001 @B00000001
#define A0 @A0
#define A1 @A1
#define A2 @A2
#define SS @SS
#define SDA @SDA
#define SCL @SCL
#define DEFAULT @DEFAULT
#define EXTERNAL @EXTERNAL
#define SERIAL @SERIAL
#define DISPLAY @DISPLAY

/* Windows, mbed, and what programs define */
#define IN @IN
#define OUT @OUT
#define BLOCK @BLOCK
#define BUFFER_SIZE @BUFFER_SIZE
#define BUFSIZE @BUFSIZE
#define HEADER_SIZE @HEADER_SIZE
#define SIZE @SIZE
#define COUNT @COUNT
#define INDEX @INDEX
#define MASK @MASK
#define SAMPLES @SAMPLES
#define CHANNELS @CHANNELS
#define WIDTH @WIDTH
#define HEIGHT @HEIGHT
#define ROWS @ROWS
#define COLUMNS @COLUMNS
#define VALUE @VALUE
#define TEXT @TEXT
#define DATA @DATA
#define END @END
#define TRUE @TRUE
#define FALSE @FALSE
#define YES @YES
#define NO @NO
#define OK @OK
#define ERROR @ERROR
#define INLINE @INLINE
#define PACKED @PACKED
#define ALIGN @ALIGN
#define CONST @CONST
#define STATIC @STATIC
#define VOID @VOID
#define BYTE @BYTE
#define WORD @WORD
#define BOOL @BOOL
#define CHAR @CHAR
#define INT @INT
#define LONG @LONG
#define VERSION @VERSION
#define DEBUG @DEBUG
#define TEST @TEST
#define TIMEOUT @TIMEOUT
#define STACK_SIZE @STACK_SIZE
#define PRIORITY @PRIORITY
#define SAMPLE_RATE @SAMPLE_RATE
#define FRAME_SIZE @FRAME_SIZE
#define N @N
#define M @M
#define K @K
#define X @X
#define Y @Y
#define I @I
#define J @J
