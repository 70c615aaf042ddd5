import Domain
import Testing

@Suite struct KeyFormatTests {
    private func text(_ secret: borrowing APIKeySecret) -> [UInt8] {
        var copy: [UInt8] = []
        secret.withBytes { bytes in copy = bytes.map { $0 } }
        return copy
    }

    private func sample() -> [UInt8] {
        let secret = APIKeyFormat.write(
            prefix: "sk-acme", id: KeyID(rawValue: 0xE5_1234_5678_9ABC_DE),
            secret: (0..<32).map { UInt8($0 * 7) })
        return text(secret)
    }

    @Test func `a written key reads back as its id`() {
        #expect(APIKeyFormat.parse(sample()) == KeyID(rawValue: 0xE5_1234_5678_9ABC_DE))
    }

    @Test func `every single changed character is found by form or checksum`() {
        let good = sample()
        for position in good.indices {
            for replacement in Array("0aZ_-!".utf8) where replacement != good[position] {
                var bad = good
                bad[position] = replacement
                let isPrefixLetter = position < 7
                // CRC-32 finds every burst of up to 32 bits, so one character always.
                #expect(APIKeyFormat.parse(bad) == nil, "position \(position) \(isPrefixLetter)")
            }
        }
    }

    @Test(arguments: [
        "", "sk", "Bearer", "sk-acme_short_x", String(repeating: "a", count: 200),
        "_AAAAAAAAAAA_" + String(repeating: "A", count: 49),
        "9k_AAAAAAAAAAA_" + String(repeating: "A", count: 49),
    ])
    func `anything else is no key`(text: String) {
        #expect(APIKeyFormat.parse(Array(text.utf8)) == nil)
    }

    @Test(arguments: [0, 1, 61, 62, UInt64.max, 0xE500_0000_0000_0000])
    func `key ids survive their base-62 form`(value: UInt64) {
        let id = KeyID(rawValue: value)
        #expect(id.description.utf8.count == 11)
        #expect(KeyID(id.description) == id)
        #expect(id.shard.rawValue == Int16(value >> 56))
    }

    @Test func `eleven digits past 64 bits are no key id`() { #expect(KeyID("zzzzzzzzzzz") == nil) }

    @Test func `the checksum is the one that zip and Ethernet use`() {
        #expect(CRC32.checksum("123456789".utf8) == 0xCBF4_3926)
    }

    @Test func `a request id is a UUIDv7 of its instant`() {
        let id = RequestID(at: Timestamp(microseconds: 1_700_000_000_123_456), random: (.max, .max))
        #expect(id.description == "018bcfe5-687b-7fff-bfff-ffffffffffff")
        #expect(RequestID(id.description) == id)
        #expect(RequestID("018bcfe5-687b-7fff-bfff-fffffffffff") == nil)
    }
}
