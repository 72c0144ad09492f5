// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

#include <nftables/libnftables.h>
