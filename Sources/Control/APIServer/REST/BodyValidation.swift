// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RequestInfo

/// How unknown fields of a body are treated; the name of the type is taken where JSON is read.
typealias BodyValidation = FieldValidation
