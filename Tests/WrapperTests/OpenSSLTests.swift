import Glibc
import Testing

@testable import OpenSSL

/// Measuring costs time and needs a quiet machine, so it is done when asked for.
private enum OpenSSLBenchmark {
    static var isAsked: Bool { getenv("TURNPIKE_BENCHMARK") != nil }
}

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}

private func bytes(hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

@Suite struct OpenSSLSHA256 {
    /// From FIPS 180-4's examples and NIST's "SHA256ShortMsg" and "LongMsg" vectors.
    static let vectors: [(message: [UInt8], digest: String)] = [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
        ([0xbd], "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"),
    ]

    @Test(arguments: vectors.indices)
    func `the published digests are computed in one call`(_ index: Int) {
        let (message, digest) = Self.vectors[index]
        #expect(hex(SHA256.hash(message)) == digest)
        #expect(hex(SHA256.hash(message.span)) == digest)
        #expect(hex(message.withUnsafeBytes { SHA256.hash($0) }) == digest)
    }

    @Test(arguments: vectors.indices)
    func `pieces of any size give the digest of the whole`(_ index: Int) {
        let (message, digest) = Self.vectors[index]
        for size in [1, 63, 64, 65, 4096] where message.count / size < 20_000 {
            var hash = SHA256()
            for start in stride(from: 0, to: message.count, by: size) {
                hash.update([])
                hash.update(Array(message[start..<min(start + size, message.count)]))
            }
            let result = hash.finalize()
            #expect(hex(result) == digest)
        }
    }

    @Test func `a hash that is dropped unfinished harms nothing`() {
        for _ in 0..<100 {
            var hash = SHA256()
            hash.update([1, 2, 3])
        }
        #expect(hex(SHA256.hash([])) == Self.vectors[0].digest)
    }
}

@Suite struct OpenSSLHMACSHA256 {
    /// RFC 4231, cases 1 to 4, 6 and 7 (5 is about truncated tags).
    static let vectors: [(key: [UInt8], message: [UInt8], tag: String)] = [
        (
            [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            bytes(hex: "0102030405060708090a0b0c0d0e0f10111213141516171819"),
            [UInt8](repeating: 0xcd, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array(
                ("This is a test using a larger than block-size key and a larger than block-size"
                    + " data. The key needs to be hashed before being used by the HMAC algorithm.")
                    .utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test(arguments: vectors.indices)
    func `the tags of RFC 4231 are computed, again and again`(_ index: Int) throws {
        let (key, message, tag) = Self.vectors[index]
        let hmac = try HMACSHA256(key: key)
        for _ in 0..<3 {
            #expect(hex(hmac.authenticate(message)) == tag)
            #expect(hex(hmac.authenticate(message.span)) == tag)
            var written = [UInt8](repeating: 0, count: 32)
            var span = written.mutableSpan
            hmac.authenticate(message.span, into: &span)
            #expect(hex(written) == tag)
        }
    }

    @Test func `the tag of parts is the tag of their concatenation`() throws {
        let (key, message, tag) = Self.vectors[5]
        let hmac = try HMACSHA256(key: key)
        let parts = [[], Array(message[..<1]), Array(message[1..<70]), [], Array(message[70...])]
        #expect(hex(hmac.authenticate(parts: parts)) == tag)
        #expect(hmac.authenticate(parts: []) == hmac.authenticate([]))
    }

    @Test func `one key serves many threads at once with the same tags`() async throws {
        let hmac = try HMACSHA256(key: Self.vectors[1].key)
        let messages = (0..<200).map { [UInt8](repeating: UInt8($0), count: $0) }
        let expected = try messages.map { message in
            try HMACSHA256(key: Self.vectors[1].key).authenticate(message)
        }
        let wrong = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<20).reduce(0) { wrong, _ in
                        zip(messages, expected).reduce(wrong) { wrong, pair in
                            wrong + (hmac.authenticate(pair.0) == pair.1 ? 0 : 1)
                        }
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }

    @Test func `an empty key is refused in words that hold no secret`() {
        let error = #expect(throws: OpenSSLError.self) { try HMACSHA256(key: []) }
        #expect(error?.debugDescription.contains("the key is empty") == true)
        #expect(error?.description == "cryptography failed: setting an HMAC key")
    }

    @Test func `the key may be erased once it is taken`() throws {
        var key = Self.vectors[0].key
        let hmac = try HMACSHA256(key: key)
        Zeroise.erase(&key)
        #expect(key == [UInt8](repeating: 0, count: 20))
        #expect(hex(hmac.authenticate(Self.vectors[0].message)) == Self.vectors[0].tag)
    }

    @Test(.enabled(if: OpenSSLBenchmark.isAsked))
    func `an HMAC of 80 bytes takes little more than its hashing`() throws {
        let hmac = try HMACSHA256(key: [UInt8](repeating: 7, count: 32))
        let message = [UInt8](repeating: 9, count: 80)
        var tag = [UInt8](repeating: 0, count: 32)
        let rounds = 1_000_000
        let elapsed = ContinuousClock().measure {
            for _ in 0..<rounds {
                var span = tag.mutableSpan
                hmac.authenticate(message.span, into: &span)
            }
        }
        let nanoseconds = elapsed / .nanoseconds(rounds)
        print("HMAC-SHA-256 of 80 bytes: \(nanoseconds) ns")
        #expect(nanoseconds < 3000)
    }
}

@Suite struct OpenSSLSecrets {
    static let comparisons: [(left: [UInt8], right: [UInt8], equal: Bool)] = [
        ([], [], true), ([0], [0], true), ([1, 2, 3], [1, 2, 3], true),
        ([0], [], false), ([], [0], false), ([1, 2, 3], [1, 2], false),
        ([1, 2, 3], [1, 2, 4], false), ([9, 2, 3], [1, 2, 3], false), ([0], [0x80], false),
    ]

    @Test(arguments: comparisons.indices)
    func `equal means the same length and the same bytes`(_ index: Int) {
        let (left, right, equal) = Self.comparisons[index]
        #expect(ConstantTime.equal(left, right) == equal)
        #expect(ConstantTime.equal(left.span, right.span) == equal)
    }

    @Test func `a difference at any one bit is seen`() {
        let left = [UInt8](repeating: 0x5a, count: 32)
        for bit in 0..<256 {
            var right = left
            right[bit / 8] ^= 1 << (bit % 8)
            #expect(!ConstantTime.equal(left, right))
        }
    }

    @Test func `random bytes do not repeat and have the length asked for`() throws {
        let drawn = try (0..<1000).map { _ in try SecureRandom.bytes(16) }
        #expect(drawn.allSatisfy { $0.count == 16 })
        #expect(Set(drawn).count == 1000)
        #expect(Set(try (0..<1000).map { _ in try SecureRandom.uint64() }).count == 1000)
        #expect(Set(try (0..<1000).map { _ in try SecureRandom.uint128() }).count == 1000)
        #expect(try SecureRandom.bytes(0).isEmpty)
    }

    @Test func `every bit of a random number is sometimes set and sometimes clear`() throws {
        let drawn = try (0..<200).map { _ in try SecureRandom.uint64() }
        #expect(drawn.reduce(0, |) == .max)
        #expect(drawn.reduce(.max, &) == 0)
    }

    @Test(arguments: [-1, SecureRandom.mostBytes + 1])
    func `a count out of range is refused`(_ count: Int) {
        #expect(throws: OpenSSLError.self) { try SecureRandom.bytes(count) }
    }

    @Test func `an error takes the library's queue with it and shows it only in detail`() {
        let error = #expect(throws: OpenSSLError.self) {
            try FetchedDigest(named: "no-such-digest")
        }
        #expect(error?.reasons.isEmpty == false)
        #expect(error?.reasons.allSatisfy { $0.code != 0 && !$0.text.isEmpty } == true)
        #expect(error?.debugDescription.contains("unsupported") == true)
        #expect(error?.description == "cryptography failed: finding a digest")
        #expect(OpenSSLError.drainingQueue("looking again").reasons.isEmpty)
    }

    @Test func `erasing empty bytes is harmless`() {
        var none: [UInt8] = []
        Zeroise.erase(&none)
        #expect(none.isEmpty)
    }
}
