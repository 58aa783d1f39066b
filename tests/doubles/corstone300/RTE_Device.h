/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RTE_DEVICE_H
#define RTE_DEVICE_H

#define RTE_USART0 1

#endif
