/* SPDX-License-Identifier: Apache-2.0
 *
 * A device with a Cortex-M4 and Arm's Virtual Streaming Interface, where Corstone-300 has it.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdint.h>

typedef enum {
    NonMaskableInt_IRQn = -14,
    HardFault_IRQn = -13,
    MemoryManagement_IRQn = -12,
    BusFault_IRQn = -11,
    UsageFault_IRQn = -10,
    SVCall_IRQn = -5,
    DebugMonitor_IRQn = -4,
    PendSV_IRQn = -2,
    SysTick_IRQn = -1,
    ARM_VSI0_IRQn = 224
} IRQn_Type;

#define __CM4_REV 1u
#define __FPU_PRESENT 0u
#define __MPU_PRESENT 0u
#define __NVIC_PRIO_BITS 3u
#define __Vendor_SysTickConfig 0u

#include "core_cm4.h"

extern uint32_t SystemCoreClock;

#endif
