// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// The messages of this module are in `Generated`, which `benchmarks/prepare` makes.
