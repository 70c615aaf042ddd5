/// The number that stands for a name in ledger rows: the low 31 bits of its FNV-1a hash (64 bits).
/// Every node comes to the same number without asking; a lane does not open when two names meet in
/// one.
enum NameNumber {
    static func of(_ name: String) -> Int32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int32(truncatingIfNeeded: hash & 0x7FFF_FFFF)
    }
}
