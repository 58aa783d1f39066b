/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_H
#define MAIN_H

#include "stm32l4xx_hal.h"

#endif
