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
        let bytes: Int
        do throws(StoreError) {
            try RequestCheck.check(request)
            bytes = RequestCheck.byteCount(request)
            try RequestCheck.check(bytes: bytes, self.options.limits)
        } catch {
            return completion(.failure(error))
        }
        self.submit(.put(request), bytes: bytes) { result in
            guard case .put(let response) = result else {
                return completion(.failure(result.error))
            }
            completion(.success(response))
        }
    }

    /// Deletes keys.
    package func deleteRange(
        _ request: DeleteRangeRequest,
        then completion: @escaping @Sendable (Result<DeleteRangeResponse, StoreError>) -> Void
    ) {
        let bytes: Int
        do throws(StoreError) {
            try RequestCheck.check(request)
            bytes = RequestCheck.byteCount(request)
            try RequestCheck.check(bytes: bytes, self.options.limits)
        } catch {
            return completion(.failure(error))
        }
        self.submit(.deleteRange(request), bytes: bytes) { result in
            guard case .deleteRange(let response) = result else {
                return completion(.failure(result.error))
            }
            completion(.success(response))
        }
    }

    /// Runs a transaction; one that only reads on the caller's thread.
    package func txn(
        _ request: TxnRequest,
        then completion: @escaping @Sendable (Result<TxnResponse, StoreError>) -> Void
    ) {
        let bytes: Int
        do throws(StoreError) {
            try RequestCheck.check(request, self.options.limits)
            if RequestCheck.isReadOnly(request) {
                return completion(.success(try self.readTxn(request)))
            }
            bytes = RequestCheck.byteCount(request)
            try RequestCheck.check(bytes: bytes, self.options.limits)
        } catch {
            return completion(.failure(error))
        }
        self.submit(.txn(request), bytes: bytes) { result in
            guard case .txn(let response) = result else {
                return completion(.failure(result.error))
            }
            completion(.success(response))
        }
    }

    /// Gives up history; if asked to, the answer waits until it is off the disk.
    package func compact(
        _ request: CompactionRequest,
        then completion: @escaping @Sendable (Result<CompactionResponse, StoreError>) -> Void
    ) {
        self.submit(.compact(request), bytes: 0) { result in
            guard case .compact(let response) = result else {
                return completion(.failure(result.error))
            }
            completion(.success(response))
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

extension WriteResult {
    /// The error of a write that did not get the answer it asked for.
    fileprivate var error: StoreError {
        if case .failure(let error) = self { return error }
        return StoreError(.internal, "apus: the writer's answer does not fit the request")
    }
}
