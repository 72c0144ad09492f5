// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

#ifndef APUS_ALLOCATION_COUNTER_H
#define APUS_ALLOCATION_COUNTER_H

#include <stdint.h>

/// The number of times this thread has been given memory by malloc, calloc, realloc and their aligned
/// kin since it began. A realloc counts once, whether or not the memory moves.
uint64_t apus_allocation_count(void);

#endif
