/// Where the node's random numbers come from: the operating system's generator, through OpenSSL.
public struct LedgerRandom: Sendable {
    private let next: @Sendable () -> UInt64

    /// Makes a source of a function that gives 64 random bits a call.
    public init(_ next: @escaping @Sendable () -> UInt64) { self.next = next }

    /// 63 random bits, never zero: an id.
    func positive() -> Int64 { max(1, Int64(next() >> 1)) }

    /// 128 random bits: an epoch.
    func epoch() -> UInt128 { UInt128(next()) << 64 | UInt128(next()) }

    /// 64 random bits.
    func bits() -> UInt64 { next() }
}
