// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Defaulting
import ObjectModel
import Registry
import Scalars

/// The one place where the server asks what an object's defaults are.
enum ObjectRules {
    static func setDefaults(_ object: inout APIObject) {
        Defaulter.setDefaults(&object, now: .current())
    }
}
