// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc

/// Reads a bbolt file: etcd's data file, or a snapshot of one.
///
/// The file is somebody else's, so everything is checked: places lie inside the file, pages are
/// what they say, and no page is reached twice.
///
/// Source: go.etcd.io/bbolt 1.3 `page.go`, `db.go`, `bucket.go`.
package struct BoltFile: ~Copyable {
    private enum Limit {
        static let depth = 64
    }

    private let path: String
    private let base: UnsafeMutableRawPointer
    private let file: UnsafeRawBufferPointer
    private let pageBytes: Int
    private let rootPage: UInt64
    /// The number of pages in use or free.
    private let pageCount: UInt64

    /// What follows the file: etcd's tools put a SHA-256 behind it.
    package let trailer: [UInt8]

    /// Opens and maps a file.
    ///
    /// - Throws: `damaged` if it is not a bbolt file, `failed` if it cannot be read.
    package init(opening path: String) throws(BackendError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unusable(SystemError("open", path).text) }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw .failed(SystemError("stat", path).text) }
        let count = Int(info.st_size)
        guard count >= 4 * 512 else { throw .damaged("\(path): it is too short for a snapshot") }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
            base != MAP_FAILED
        else { throw .failed(SystemError("mmap", path).text) }
        let file = UnsafeRawBufferPointer(start: base, count: count)
        guard let meta = Self.newestMeta(file) else {
            munmap(base, count)
            throw .damaged("\(path): it has no sound meta page of a bbolt file")
        }
        self.path = path
        self.base = base
        self.file = file
        self.pageBytes = meta.pageBytes
        self.rootPage = meta.root
        self.pageCount = meta.pageCount
        // Files are multiples of 512 bytes; a digest makes the difference.
        let extra = count % 512
        self.trailer = extra == SHA256.digestBytes ? [UInt8](file[(count - extra)...]) : []
    }

    deinit {
        munmap(self.base, self.file.count)
    }

    /// The size of the database in bytes.
    package var byteCount: Int64 { Int64(self.pageCount) * Int64(self.pageBytes) }

    private struct Meta {
        var pageBytes: Int
        var root: UInt64
        var pageCount: UInt64
        var transaction: UInt64
    }

    private static func newestMeta(_ file: UnsafeRawBufferPointer) -> Meta? {
        let first = self.meta(file, at: 0)
        // The second meta page is one page further, and pages may have other sizes.
        let sizes = first.map { [$0.pageBytes] } ?? [4096, 8192, 16384, 65536, 1024, 2048, 32768]
        let second = sizes.lazy.compactMap { self.meta(file, at: $0) }.first
        guard let first else { return second }
        guard let second else { return first }
        return second.transaction > first.transaction ? second : first
    }

    private static func meta(_ file: UnsafeRawBufferPointer, at page: Int) -> Meta? {
        let start = page + Bolt.pageHeaderBytes
        guard start + Bolt.metaBytes <= file.count else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: file[start..<(start + Bolt.metaBytes)])
        let pageBytes = Int(Frame.load(bytes, 8, as: UInt32.self))
        let meta = Meta(
            pageBytes: pageBytes,
            root: Frame.load(bytes, 16, as: UInt64.self),
            pageCount: Frame.load(bytes, 40, as: UInt64.self),
            transaction: Frame.load(bytes, 48, as: UInt64.self)
        )
        guard Frame.load(bytes, 0, as: UInt32.self) == Bolt.magic,
            Frame.load(bytes, 4, as: UInt32.self) == Bolt.version,
            Frame.load(bytes, 56, as: UInt64.self) == Bolt.checksum(bytes[..<56]),
            pageBytes >= 512, pageBytes & (pageBytes - 1) == 0,
            meta.pageCount <= UInt64(file.count / pageBytes)
        else { return nil }
        return meta
    }

    // MARK: - Digest

    /// Whether the digest behind the file is that of the file.
    package func trailerIsRight() -> Bool {
        var sha = SHA256()
        sha.update(UnsafeRawBufferPointer(rebasing: self.file[..<(self.file.count - 32)]))
        return sha.finish() == self.trailer
    }

    // MARK: - Content

    /// A bucket of the file.
    package struct Bucket {
        package let name: [UInt8]
        fileprivate let value: UnsafeRawBufferPointer
    }

    /// All buckets, in order.
    package func buckets() throws(BackendError) -> [Bucket] {
        var found: [Bucket] = []
        var visited: Set<UInt64> = []
        try self.walk(self.rootPage, &visited, depth: 0) { flags, key, value in
            if flags & Bolt.bucketElement != 0 {
                found.append(Bucket(name: [UInt8](key), value: value))
            }
            return true
        }
        return found
    }

    /// Gives `body` the entries of a bucket in order, until it answers false. Buckets inside are
    /// left out.
    package func forEach(
        in bucket: Bucket,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(BackendError) {
        let text = String(decoding: bucket.name, as: UTF8.self)
        guard bucket.value.count >= Bolt.bucketBytes else {
            throw .damaged("\(self.path): bucket \(text) is cut off")
        }
        let root = Frame.load(bucket.value, 0, as: UInt64.self)
        if root == 0 {
            let page = UnsafeRawBufferPointer(rebasing: bucket.value[Bolt.bucketBytes...])
            _ = try self.walkLeaf(page, number: 0) { flags, key, value in
                flags & Bolt.bucketElement != 0 || body(key, value)
            }
            return
        }
        var visited: Set<UInt64> = []
        try self.walk(root, &visited, depth: 0) { flags, key, value in
            flags & Bolt.bucketElement != 0 || body(key, value)
        }
    }

    private func damaged(_ page: UInt64, _ what: String) -> BackendError {
        .damaged("\(self.path): page \(page) \(what)")
    }

    /// A page with its overflow.
    private func page(_ number: UInt64) throws(BackendError) -> UnsafeRawBufferPointer {
        guard number < self.pageCount else { throw self.damaged(number, "is outside of the file") }
        let start = Int(number) * self.pageBytes
        let header = UnsafeRawBufferPointer(rebasing: self.file[start..<(start + 16)])
        guard Frame.load(header, 0, as: UInt64.self) == number else {
            throw self.damaged(number, "says that it is another page")
        }
        let overflow = UInt64(Frame.load(header, 12, as: UInt32.self))
        guard overflow < self.pageCount, number + overflow < self.pageCount else {
            throw self.damaged(number, "reaches beyond the file")
        }
        let end = start + (Int(overflow) + 1) * self.pageBytes
        return UnsafeRawBufferPointer(rebasing: self.file[start..<end])
    }

    @discardableResult
    private func walk(
        _ number: UInt64,
        _ visited: inout Set<UInt64>,
        depth: Int,
        _ body: (UInt32, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(BackendError) -> Bool {
        guard depth < Limit.depth, visited.insert(number).inserted else {
            throw self.damaged(number, "is reached twice")
        }
        let page = try self.page(number)
        switch Frame.load(page, 8, as: UInt16.self) {
        case Bolt.Flag.leaf:
            return try self.walkLeaf(page, number: number, body)
        case Bolt.Flag.branch:
            let count = Int(Frame.load(page, 10, as: UInt16.self))
            guard Bolt.pageHeaderBytes + count * Bolt.elementBytes <= page.count else {
                throw self.damaged(number, "has elements outside of it")
            }
            for index in 0..<count {
                let at = Bolt.pageHeaderBytes + index * Bolt.elementBytes
                let child = Frame.load(page, at + 8, as: UInt64.self)
                if try !self.walk(child, &visited, depth: depth + 1, body) { return false }
            }
            return true
        default:
            throw self.damaged(number, "is of the wrong kind")
        }
    }

    private func walkLeaf(
        _ page: UnsafeRawBufferPointer,
        number: UInt64,
        _ body: (UInt32, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(BackendError) -> Bool {
        guard page.count >= Bolt.pageHeaderBytes else {
            throw self.damaged(number, "is cut off")
        }
        let count = Int(Frame.load(page, 10, as: UInt16.self))
        guard Bolt.pageHeaderBytes + count * Bolt.elementBytes <= page.count else {
            throw self.damaged(number, "has elements outside of it")
        }
        for index in 0..<count {
            let at = Bolt.pageHeaderBytes + index * Bolt.elementBytes
            let flags = Frame.load(page, at, as: UInt32.self)
            let position = Int(Frame.load(page, at + 4, as: UInt32.self))
            let keyBytes = Int(Frame.load(page, at + 8, as: UInt32.self))
            let valueBytes = Int(Frame.load(page, at + 12, as: UInt32.self))
            let start = at + position
            guard start + keyBytes + valueBytes <= page.count else {
                throw self.damaged(number, "has element \(index) outside of it")
            }
            let key = page[start..<(start + keyBytes)]
            let value = page[(start + keyBytes)..<(start + keyBytes + valueBytes)]
            let goesOn = body(
                flags,
                UnsafeRawBufferPointer(rebasing: key),
                UnsafeRawBufferPointer(rebasing: value)
            )
            if !goesOn { return false }
        }
        return true
    }
}
