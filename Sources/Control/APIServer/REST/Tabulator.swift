// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import ObjectModel
import Registry
import RequestInfo
import ResourceTable
import Scalars
import Tables

/// Makes tables of objects, for `kubectl get`.
struct Tabulator: Sendable {
    private let printer: TablePrinter
    private let encoder: ObjectEncoder
    private let include: TableOptions.IncludeObject
    private let apiVersion: String

    /// - Parameter version: that of `meta.k8s.io` which was asked for.
    init(
        _ call: ResourceCall,
        _ encoder: ObjectEncoder,
        _ query: QueryParameters,
        version: String
    ) throws(StatusError) {
        self.printer = TablePrinter(group: call.resource.group, kind: call.resource.kind)
        self.encoder = encoder
        self.apiVersion = "meta.k8s.io/\(version)"
        do throws(ParameterError) {
            self.include = try TableOptions(parsing: query).includeObject
        } catch {
            throw StatusError(parameter: error)
        }
    }

    /// The JSON of a table of objects.
    ///
    /// - Parameter hasColumns: whether the table says what its columns are.
    func table(
        _ objects: [Answer],
        _ metadata: MetaV1.ListMeta,
        hasColumns: Bool = true
    ) throws(StatusError) -> Bytes {
        let now = Timestamp.current()
        var rows: [DynamicValue] = []
        rows.reserveCapacity(objects.count)
        do {
            for object in objects {
                rows.append(
                    self.printer.row(
                        try self.encoder.object(object).dynamicValue(),
                        include: self.include,
                        now: now
                    )
                )
            }
            let table = try self.printer.table(
                rows,
                metadata: metadata,
                apiVersion: self.apiVersion,
                withDefinitions: hasColumns
            )
            return Bytes(table.json())
        } catch let error as StatusError {
            throw error
        } catch {
            throw .internalError("unable to print the object: \(error)")
        }
    }
}
