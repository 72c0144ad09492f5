// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KubernetesAPI
package import ObjectModel
import Protobuf
import RequestInfo
import ResourceTable
package import Selectors
package import WatchCache

extension ResourceStore {
    /// How long a read waits for the cache to become as fresh as it has to be.
    private static let freshness: Duration = .seconds(3)
    /// The same, where only further writes tell that it is.
    private static let freshnessByEvents: Duration = .milliseconds(500)
    /// How many keys are read from the store at once.
    private static let storePage = 500

    /// The filter of a list or watch.
    package func filter(
        namespace: String,
        labels: LabelSelector,
        fields: FieldSelector
    ) throws(StatusError) -> WatchFilter {
        do throws(WatchFilter.UnknownField) {
            return try WatchFilter(
                namespace: namespace,
                isNamespaced: self.resource.isNamespaced,
                labels: labels,
                fields: fields,
                self.cache.form.fields
            )
        } catch {
            throw .badRequest("field label not supported: \(error.name)")
        }
    }

    /// Lists objects.
    package func list(_ query: ListQuery) async throws(StatusError) -> ListResult {
        if !query.continueToken.isEmpty {
            guard let token = ContinueToken(parsing: query.continueToken) else {
                throw .badRequest("continue key is not valid: unable to read the token")
            }
            if !query.resourceVersion.isEmpty, query.resourceVersion != "0" {
                throw .badRequest(ResourceVersion.continueConflictMessage)
            }
            let key = [UInt8](query.filter.prefix) + token.start
            if token.revision < 0 {
                try await self.becomeFresh()
                return self.page(query, self.snapshot(query), from: Bytes(key))
            }
            return try await self.listStored(query, at: token.revision, from: Bytes(key))
        }
        let version = try Self.revision(query.resourceVersion)
        if query.resourceVersionMatch == "Exact" {
            return try await self.listStored(query, at: version, from: query.filter.prefix)
        }
        guard self.shared.isReady else {
            return try await self.listStored(query, at: 0, from: query.filter.prefix)
        }
        if query.resourceVersion.isEmpty {
            guard try await self.isFreshInTime() else {
                return try await self.listStored(query, at: 0, from: query.filter.prefix)
            }
        } else {
            try await self.waitFor(version)
        }
        return self.page(query, self.snapshot(query), from: query.filter.prefix)
    }

    private func snapshot(_ query: ListQuery) -> ResourceCache.Snapshot {
        self.cache.snapshot(applied: self.shared.applied, for: query.filter)
    }

    /// Returns when the cache has every write that was made before the call.
    private func becomeFresh() async throws(StatusError) {
        guard try await self.isFreshInTime() else {
            throw .timeout("the cache did not become fresh in time", retryAfterSeconds: 1)
        }
    }

    /// The same; false when the cache does not get there in time.
    private func isFreshInTime() async throws(StatusError) -> Bool {
        let revision = try await self.mapped { () throws(StoreError) in
            try await self.shared.currentRevision()
        }
        // A store whose word on progress cannot be taken may say nothing at all.
        let timeout = self.shared.trustsProgress ? Self.freshness : Self.freshnessByEvents
        return await self.shared.waitUntilApplied(revision, timeout: timeout)
    }

    /// Waits until the cache has a revision.
    package func waitFor(_ revision: Int64) async throws(StatusError) {
        if revision <= self.shared.applied { return }
        if await self.shared.waitUntilApplied(revision, timeout: Self.freshness) { return }
        throw Self.tooLarge(revision, current: self.shared.applied)
    }

    /// The failure of a read at a version that is not there yet.
    private static func tooLarge(_ revision: Int64, current: Int64) -> StatusError {
        StatusError(
            .timeout,
            code: 504,
            "Timeout: Too large resource version: \(revision), current: \(current)",
            details: MetaV1.StatusDetails.with {
                $0.retryAfterSeconds = 1
                $0.causes.append(
                    MetaV1.StatusCause.with {
                        $0.reason = "ResourceVersionTooLarge"
                        $0.message = "Too large resource version"
                    }
                )
            }
        )
    }

    /// The revision that a request states.
    package static func revision(_ text: String) throws(StatusError) -> Int64 {
        do {
            return Int64(clamping: try ResourceVersion.parse(text))
        } catch {
            throw .badRequest(ResourceVersion.message(error))
        }
    }

    // MARK: - From the cache

    private func page(
        _ query: ListQuery,
        _ snapshot: ResourceCache.Snapshot,
        from key: Bytes
    ) -> ListResult {
        var result = ListResult(objects: [], revision: snapshot.revision)
        let filter = query.filter
        if let key = filter.key {
            if let object = snapshot.objects[key], filter.matches(object) {
                result.objects = [object]
            }
            return result
        }
        let objects = snapshot.objects
        var run = objects.run(from: key, within: filter.prefix)
        guard filter.hasSelectors else {
            let count = objects.count(run)
            let limit = query.limit > 0 ? min(query.limit, count) : count
            result.objects = objects.prefix(limit, of: run)
            if limit < count, let last = result.objects.last {
                result.continueToken = self.token(after: last, filter, at: snapshot.revision)
                result.remaining = Int64(count - limit)
            }
            return result
        }
        while let object = objects.next(&run) {
            guard filter.matchesSelectors(object) else { continue }
            if query.limit > 0, result.objects.count == query.limit {
                guard let last = result.objects.last else { break }
                result.continueToken = self.token(after: last, filter, at: snapshot.revision)
                break
            }
            result.objects.append(object)
        }
        return result
    }

    private func token(
        after object: CachedObject,
        _ filter: WatchFilter,
        at revision: Int64
    ) -> String {
        let start = [UInt8](object.key.slice(filter.prefix.count..<object.key.count)) + [0]
        return ContinueToken(revision: revision, start: start).text
    }

    // MARK: - From the store

    /// Lists at a revision, 0 being the present one.
    private func listStored(
        _ query: ListQuery,
        at wanted: Int64,
        from key: Bytes
    ) async throws(StatusError) -> ListResult {
        let filter = query.filter
        let end = RangeEnd.prefix(self.storeKey(filter.prefix))
        var start = self.storeKey(key)
        var result = ListResult(objects: [], revision: wanted)
        while true {
            let room = query.limit > 0 ? query.limit - result.objects.count : Self.storePage
            let request = RangeRequest(
                key: start,
                rangeEnd: end,
                limit: Int64(filter.hasSelectors ? Self.storePage : min(room, Self.storePage)),
                revision: result.revision
            )
            let page = try await self.range(request, result, filter)
            if result.revision == 0 { result.revision = page.header.revision }
            for keyValue in page.kvs {
                let key = keyValue.key.slice(self.cache.prefix.count..<keyValue.key.count)
                guard let object = CachedObject.make(key: key, keyValue, self.cache.form),
                    filter.matches(object)
                else { continue }
                if query.limit > 0, result.objects.count == query.limit {
                    guard let last = result.objects.last else { return result }
                    result.continueToken = self.token(after: last, filter, at: result.revision)
                    return result
                }
                result.objects.append(object)
            }
            guard page.more, let last = page.kvs.last else { return result }
            if !filter.hasSelectors, query.limit > 0, result.objects.count >= query.limit,
                let last = result.objects.last
            {
                result.continueToken = self.token(after: last, filter, at: result.revision)
                result.remaining = page.count - Int64(page.kvs.count)
                return result
            }
            start = Bytes([UInt8](last.key) + [0])
        }
    }

    private func range(
        _ request: RangeRequest,
        _ result: ListResult,
        _ filter: WatchFilter
    ) async throws(StatusError) -> RangeResponse {
        do throws(StoreError) {
            return try await self.shared.store.range(request)
        } catch {
            if error == .futureRevision {
                throw Self.tooLarge(request.revision, current: self.shared.applied)
            }
            guard error == .compacted else { throw StatusError(store: error) }
            throw self.expired(request, filter)
        }
    }

    /// The failure of a list whose revision is gone; with a token to go on with the present state
    /// when it was under way.
    private func expired(_ request: RangeRequest, _ filter: WatchFilter) -> StatusError {
        let prefix = self.cache.prefix.count + filter.prefix.count
        guard request.key.count > prefix else {
            return .expired("The resourceVersion for the provided list is too old.")
        }
        var error = StatusError.expired(
            "The provided continue parameter is too old to display a consistent list result. You "
                + "can start a new list without the continue parameter, or use the continue token "
                + "in this response to retrieve the remainder of the results. Continuing with the "
                + "provided token results in an inconsistent list - objects that were created, "
                + "modified, or deleted between the time the first chunk was returned and now may "
                + "show up in the list."
        )
        error.status.metadata.`continue` =
            ContinueToken(
                revision: -1,
                start: [UInt8](request.key.slice(prefix..<request.key.count))
            ).text
        return error
    }

    // MARK: - Watching

    /// Watches the resource.
    ///
    /// - Parameter startsWithState: whether the present state comes first.
    package func watch(
        _ filter: WatchFilter,
        resourceVersion: String,
        startsWithState: Bool
    ) async throws(StatusError) -> Watcher {
        let version = try Self.revision(resourceVersion)
        guard self.shared.isReady else {
            throw .tooManyRequests(
                "storage is (re)initializing",
                retryAfterSeconds: 1
            )
        }
        if startsWithState {
            if resourceVersion.isEmpty {
                try await self.becomeFresh()
            } else {
                try await self.waitFor(version)
            }
            return self.cache.watchFromNow(applied: self.shared.applied, filter)
        }
        try await self.waitFor(version)
        do throws(Watcher.Failure) {
            return try self.cache.watch(after: version, filter)
        } catch {
            throw .expired("too old resource version: \(version) (\(self.shared.applied))")
        }
    }
}
