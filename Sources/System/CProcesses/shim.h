// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// What glibc's spawn.h shows to _GNU_SOURCE only.

#ifndef APUS_CPROCESSES_SHIM_H
#define APUS_CPROCESSES_SHIM_H

#include <spawn.h>

int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

enum { APUS_SPAWN_SETSID = 0x80 };

#endif
