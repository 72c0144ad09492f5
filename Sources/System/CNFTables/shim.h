// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

#include <malloc.h>
#include <nftables/libnftables.h>
