// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ObjectModel

/// The one place where the server asks what an object's defaults are.
enum ObjectRules {
    static func setDefaults(_ object: inout APIObject) {}
}
