// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KubernetesAPI
import ObjectModel
import RequestInfo

/// The one place where objects become tables.
enum Tabulator {
    /// Whether tables can be asked for.
    static let isAvailable = false

    /// The JSON of a table of objects.
    static func table(
        _ call: ResourceCall,
        _ objects: [Answer],
        _ encoder: ObjectEncoder,
        _ query: QueryParameters,
        version: String,
        list: MetaV1.ListMeta?
    ) throws(StatusError) -> Bytes {
        throw .notAcceptable("tables are not served")
    }
}
