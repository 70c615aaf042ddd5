/// Finds addresses of cryptocurrencies: base 58 with its checksum (Bitcoin, Litecoin, Dogecoin, Dash,
/// Tron), Bech32 (Bitcoin, Litecoin) and Ethereum's, whose mixed capitals are a checksum (EIP-55).
enum CryptoDetector {
    /// What Bech32 addresses begin with.
    static let bech32Prefixes = ["bc", "tb", "ltc"].map { Array($0.utf8) }
    private static let base58Starts = Set("13LMDXmn2AT9".utf8)

    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let word = text.word(index)
        guard word.count >= 14, word.count <= 90, let first = word.first else { return }
        let isAddress =
            word.count == 42 && word.starts(with: [0x30, 0x78])
            ? isEthereum(Array(word.dropFirst(2)))
            : word.count >= 26 && word.count <= 35 && base58Starts.contains(first)
                && Base58.address(word) != nil
                || bech32Prefixes.contains { Bech32.address(word, prefix: $0) != nil }
        if isAddress {
            found.append(text.finding(.crypto, index, through: index, score: 100))
        }
    }

    /// Whether forty characters are an address: hexadecimal, and either all of one size or with the
    /// capitals that its hash says.
    private static func isEthereum(_ digits: [UInt8]) -> Bool {
        guard digits.allSatisfy({ ASCII.hexValue($0) != nil }) else { return false }
        let isMixed = digits.contains(where: ASCII.isUpper) && digits.contains(where: ASCII.isLower)
        return !isMixed || withEthereumChecksum(digits) == digits
    }

    /// Forty hexadecimal digits with the capitals of EIP-55: a letter is a capital where the
    /// hexadecimal digit of the hash at its place is 8 or more.
    static func withEthereumChecksum(_ digits: [UInt8]) -> [UInt8] {
        let lower = digits.map(ASCII.lower)
        let hash = Keccak256.hash(lower)
        return lower.enumerated().map { index, byte in
            let nibble = index % 2 == 0 ? hash[index / 2] >> 4 : hash[index / 2] & 15
            return nibble >= 8 ? ASCII.upper(byte) : byte
        }
    }
}
