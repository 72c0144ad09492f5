// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore

/// Reads arbitrary bytes as the messages of etcd's API that this module reads itself, for fuzzers and
/// tests. The first byte chooses the message.
///
/// Whatever the bytes are, nothing traps. What is a message is written in as many bytes as it says,
/// and read again as the same message.
public func fuzzEtcdMessages(_ bytes: UnsafeRawBufferPointer) {
    guard let kind = bytes.first else { return }
    let encoded = Bytes(copying: UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
    switch kind % 12 {
    case 0: checkMessage(RangeRequest.self, encoded)
    case 1: checkMessage(PutRequest.self, encoded)
    case 2: checkMessage(DeleteRangeRequest.self, encoded)
    case 3: checkMessage(TxnRequest.self, encoded)
    case 4: checkMessage(CompactionRequest.self, encoded)
    case 5: checkMessage(WatchStreamRequest.self, encoded)
    case 6: checkMessage(RangeResponse.self, encoded)
    case 7: checkMessage(PutResponse.self, encoded)
    case 8: checkMessage(DeleteRangeResponse.self, encoded)
    case 9: checkMessage(TxnResponse.self, encoded)
    case 10: checkMessage(WatchResponse.self, encoded)
    default: checkKeyValue(encoded)
    }
}

private func write(_ message: some EtcdMessage) -> Bytes {
    let count = message.wireByteCount
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
        written = count
        guard let base = buffer.baseAddress else { return }
        var output = WireOutput(UnsafeMutableRawPointer(base))
        message.write(to: &output)
        precondition(
            output.at == UnsafeMutableRawPointer(base) + count,
            "a message is not as long as it says"
        )
    }
    return Bytes(bytes)
}

private func checkMessage<Message: EtcdMessage & Equatable>(
    _ type: Message.Type,
    _ encoded: Bytes
) {
    guard let message = try? Message(encoded: encoded) else { return }
    let again = try? Message(encoded: write(message))
    precondition(again == message, "a message is read back as another one")
}

private func checkKeyValue(_ encoded: Bytes) {
    guard let keyValue = KeyValue(encoded: encoded) else { return }
    let count = keyValue.encodedByteCount
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
        written = count
        guard let base = buffer.baseAddress else { return }
        let end = keyValue.encode(to: UnsafeMutableRawPointer(base))
        precondition(
            end == UnsafeMutableRawPointer(base) + count,
            "a key is not as long as it says"
        )
    }
    precondition(KeyValue(encoded: Bytes(bytes)) == keyValue, "a key is read back as another one")
}
