/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMSIS_DRIVER_CONFIG_H
#define CMSIS_DRIVER_CONFIG_H

#include "corstone300.h"
#include "uart_cmsdk_drv.h"

extern struct uart_cmsdk_dev_t UART0_CMSDK_DEV;

#endif
