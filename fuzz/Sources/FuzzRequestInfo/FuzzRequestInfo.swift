// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes what reads the start of a request: its target, options and media types.
//
// Strategy: the first byte chooses the method, the rest is the target, and also each of the fields
// that name media types.
//
// Invariants, whatever the target is:
// - a target that is accepted starts with a slash, and so does its path;
// - no segment is a dot segment or has control characters; none before the path of a proxied
//   backend is empty or has a slash;
// - the segments joined are the path, but for one slash at the end;
// - the attributes of the request come from the segments: what authorization sees is what is
//   routed;
// - a list, watch or deletecollection has no name but one from its field selector.
// Nothing traps.

import MediaTypes
import RequestInfo
import Selectors

private let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", ""]

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequestInfo(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    guard let first = bytes.first else { return 0 }
    let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    checkTarget(rest, method: methods[Int(first) % methods.count])
    checkMediaTypes(String(decoding: rest, as: UTF8.self))
    return 0
}

private func checkTarget(_ bytes: UnsafeRawBufferPointer, method: String) {
    guard let target = try? RequestTarget(parsing: bytes) else { return }
    precondition(bytes.first == UInt8(ascii: "/"), "a target without a slash is accepted")
    precondition(target.path.utf8.first == UInt8(ascii: "/"))
    for segment in target.segments {
        precondition(segment != "." && segment != "..", "a dot segment is accepted")
        precondition(segment.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    }
    let joined = "/" + target.segments.joined(separator: "/")
    precondition(
        target.path == joined || target.path == joined + "/",
        "the path is not its segments"
    )
    if target.proxyPath == nil {
        precondition(target.segments.allSatisfy { !$0.isEmpty && !$0.utf8.contains(0x2F) })
    }
    guard let info = try? RequestInfo(method: method, target: target) else { return }
    precondition(info.path == target.path, "authorization sees another path")
    guard info.isResourceRequest else {
        precondition(info.resource.isEmpty && info.namespace.isEmpty && info.parts.isEmpty)
        checkOptions(target.query)
        return
    }
    precondition(Array(target.segments.suffix(info.parts.count)) == Array(info.parts))
    precondition(info.parts.first == info.resource)
    if info.parts.count > 1 {
        precondition(info.parts.dropFirst().first == info.name, "the name is not the segment")
    } else if !info.name.isEmpty {
        precondition(info.verb == "list" || info.verb == "watch")
        precondition(!info.name.utf8.contains(0x2F))
    }
    if !info.namespace.isEmpty { precondition(target.segments.contains(info.namespace)) }
    checkOptions(target.query)
}

private func checkOptions(_ query: QueryParameters) {
    if var options = try? ListOptions(parsing: query) {
        try? options.check()
        try? options.restrict(toName: "a")
    }
    _ = try? GetOptions(parsing: query)
    _ = try? WriteOptions(parsing: query, kind: "CreateOptions")
    _ = try? PatchOptions(parsing: query, isApply: true)
    _ = try? PatchOptions(parsing: query, isApply: false)
    _ = try? DeleteOptions(parsing: query).check()
    _ = try? TableOptions(parsing: query)
    _ = try? RequestTimeout.limit(query, maximum: .seconds(60))
    _ = try? ResourceVersion.parse(query.string("resourceVersion"))
}

private func checkMediaTypes(_ text: String) {
    for negotiation in [AcceptNegotiation.builtin, .custom, .plain, .discovery] {
        if let result = try? negotiation.negotiate(text) {
            precondition(negotiation.types.contains(result.mediaType))
            precondition(result.form != .table || result.mediaType != .protobuf)
        }
        if let result = try? negotiation.negotiateStream(text) {
            precondition(result.mediaType.hasStream)
        }
    }
    _ = try? RequestBody.mediaType(of: text)
    _ = try? PatchType(contentType: text, accepted: PatchType.builtin)
    _ = try? RouteMediaTypes.checkAccept(
        text,
        produces: RouteMediaTypes.list,
        method: "GET",
        contentLength: nil
    )
    _ = try? RouteMediaTypes.checkPatch(text, accepted: PatchType.builtin)
    _ = ContentCoding.acceptsGzip(text)
    _ = PrettyPrinting.isWanted(pretty: text, userAgent: text)
}
