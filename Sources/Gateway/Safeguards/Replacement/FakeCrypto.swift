/// Invented addresses of cryptocurrencies of the same kind, with right checksums.
enum FakeCrypto {
    static func make(
        like value: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        if value.count == 42, value.starts(with: [0x30, 0x78]) {
            let digits = (0..<40).map { _ in Array("0123456789abcdef".utf8)[random.below(16)] }
            let hasUpper = value.dropFirst(2).contains(where: ASCII.isUpper)
            let hasLower = value.dropFirst(2).contains(where: ASCII.isLower)
            let fake =
                hasUpper && hasLower
                ? CryptoDetector.withEthereumChecksum(digits)
                : hasUpper ? digits.map(ASCII.upper) : digits
            return [0x30, 0x78] + fake
        }
        for prefix in CryptoDetector.bech32Prefixes {
            guard let address = Bech32.address(value, prefix: prefix) else { continue }
            var values = address.values.map { _ in UInt8(random.below(32)) }
            // The bits that fill up the last value are zero.
            let fill = values.count * 5 % 8
            if let last = values.indices.last { values[last] &= 0xFF << UInt8(fill) }
            let text = Bech32.text(prefix: prefix, version: address.version, values: values)
            return value.contains(where: ASCII.isUpper) ? text.map(ASCII.upper) : text
        }
        guard let version = Base58.address(value)?.first else { return nil }
        return Base58.text(ofAddress: [version] + (0..<20).map { _ in UInt8(random.below(256)) })
    }
}
