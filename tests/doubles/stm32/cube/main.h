/* SPDX-License-Identifier: Apache-2.0 */
#include "stm32l4xx_hal.h"
