// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

#include <nghttp2/nghttp2.h>
