// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KeyValueStore

// MARK: - Writes with a callback

/// The writes that a server is asked for all the time, without a task that waits.
///
/// `completion` is called once: by the writer when the write is durable, or on the caller's thread if
/// the answer is known at once. It must return quickly.
extension EmbeddedStore {
    /// Writes one key.
    package func put(
        _ request: PutRequest,
        then completion: @escaping @Sendable (Result<PutResponse, StoreError>) -> Void
    ) {
        self.write(.put(request), then: completion) { result in
            if case .put(let response) = result { response } else { nil }
        }
    }

    /// Deletes keys.
    package func deleteRange(
        _ request: DeleteRangeRequest,
        then completion: @escaping @Sendable (Result<DeleteRangeResponse, StoreError>) -> Void
    ) {
        self.write(.deleteRange(request), then: completion) { result in
            if case .deleteRange(let response) = result { response } else { nil }
        }
    }

    /// Runs a transaction; one that only reads on the caller's thread.
    package func txn(
        _ request: TxnRequest,
        then completion: @escaping @Sendable (Result<TxnResponse, StoreError>) -> Void
    ) {
        if RequestCheck.isReadOnly(request) {
            do throws(StoreError) {
                try RequestCheck.check(request, self.options.limits)
                return completion(.success(try self.readTxn(request)))
            } catch {
                return completion(.failure(error))
            }
        }
        self.write(.txn(request), then: completion) { result in
            if case .txn(let response) = result { response } else { nil }
        }
    }

    /// Gives up history; if asked to, the answer waits until it is off the disk.
    package func compact(
        _ request: CompactionRequest,
        then completion: @escaping @Sendable (Result<CompactionResponse, StoreError>) -> Void
    ) {
        self.write(.compact(request), then: completion) { result in
            if case .compact(let response) = result { response } else { nil }
        }
    }

    /// Checks a write, hands it to the writer, and calls back with what `answer` finds in the
    /// result.
    func write<Response: Sendable>(
        _ request: WriteRequest,
        then completion: @escaping @Sendable (Result<Response, StoreError>) -> Void,
        answer: @escaping @Sendable (WriteResult) -> Response?
    ) {
        let bytes: Int
        do throws(StoreError) {
            bytes = try RequestCheck.checkedByteCount(request, self.options.limits)
        } catch {
            return completion(.failure(error))
        }
        self.submit(request, bytes: bytes) { result in
            if let response = answer(result) {
                completion(.success(response))
            } else if case .failure(let error) = result {
                completion(.failure(error))
            } else {
                // It would be our own bug.
                let text = "apus: the writer's answer does not fit the request"
                completion(.failure(StoreError(.internal, text)))
            }
        }
    }

    /// Waits for what `body` hands to its callback.
    func waiting<Response: Sendable>(
        _ body: (@escaping @Sendable (Result<Response, StoreError>) -> Void) -> Void
    ) async throws(StoreError) -> Response {
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Response, StoreError>, Never>) in
            body { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}
