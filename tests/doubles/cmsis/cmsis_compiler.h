/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of CMSIS-Core's compiler header: waiting for events and setting one. Not Arm's header.
 */
#ifndef CMSIS_DOUBLE_COMPILER_H
#define CMSIS_DOUBLE_COMPILER_H

#define __WFE() ((void)0)
#define __SEV() ((void)0)

#endif
