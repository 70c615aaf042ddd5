/// The checksummed writing of Bitcoin's newer addresses (BIP 173 and BIP 350).
enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    private static let generators: [UInt32] = [
        0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3,
    ]
    /// What the checksum of a version 0 address comes to, and of a later one.
    private static let bech32: UInt32 = 1
    private static let bech32m: UInt32 = 0x2BC8_30A3

    private static let values: [UInt8?] = {
        var values = [UInt8?](repeating: nil, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    /// The version of an address and its five-bit values after that, without the checksum; nil
    /// unless the whole of `text` is one. `prefix` is what stands before the last `1`.
    static func address(
        _ text: some BidirectionalCollection<UInt8>, prefix: [UInt8]
    ) -> (version: UInt8, values: [UInt8])? {
        let hasUpper = text.contains(where: ASCII.isUpper)
        if hasUpper, text.contains(where: ASCII.isLower) { return nil }
        let lower = text.map(ASCII.lower)
        guard lower.starts(with: prefix + [0x31]), lower.count <= 90 else { return nil }
        var values: [UInt8] = []
        for byte in lower.dropFirst(prefix.count + 1) {
            guard let value = Self.values[Int(byte)] else { return nil }
            values.append(value)
        }
        // A version, a program of 2 to 40 bytes and six characters of checksum.
        guard values.count >= 11, let version = values.first, version <= 16 else { return nil }
        let goal = version == 0 ? bech32 : bech32m
        guard polymod(expanded(prefix) + values) == goal else { return nil }
        return (version, Array(values.dropFirst().dropLast(6)))
    }

    /// The address of a version and its five-bit values.
    static func text(prefix: [UInt8], version: UInt8, values: [UInt8]) -> [UInt8] {
        let data = [version] + values
        let goal = version == 0 ? bech32 : bech32m
        let checksum =
            polymod(expanded(prefix) + data + [UInt8](repeating: 0, count: 6)) ^ goal
        let tail = (0..<6).map { UInt8((checksum >> (5 * (5 - UInt32($0)))) & 31) }
        return prefix + [0x31] + (data + tail).map { alphabet[Int($0)] }
    }

    private static func expanded(_ prefix: [UInt8]) -> [UInt8] {
        prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 }
    }

    private static func polymod(_ values: [UInt8]) -> UInt32 {
        var check: UInt32 = 1
        for value in values {
            let top = check >> 25
            check = (check & 0x1FF_FFFF) << 5 ^ UInt32(value)
            for (bit, generator) in generators.enumerated() where top >> UInt32(bit) & 1 == 1 {
                check ^= generator
            }
        }
        return check
    }
}
