/// The claims of one request, in the order of the accounts it is subject to.
///
/// Made for every request and passed from admission to settlement, so the few that a request has
/// are kept in place: a list of up to ``capacityInPlace`` allocates nothing.
public struct Claims: Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
    /// How many claims fit without an allocation: a quota of tokens at the three levels of tenancy,
    /// and one more.
    public static let capacityInPlace = 4

    private var inPlace = InlineArray<4, Claim?>(repeating: nil)
    /// The claims beyond those in place.
    private var rest: [Claim] = []

    /// How many claims there are.
    public private(set) var count = 0

    /// Makes a list without claims, as of a request that no quota limits.
    public init() {}

    /// Makes a list of claims.
    public init(_ claims: some Sequence<Claim>) {
        for claim in claims { append(claim) }
    }

    /// Makes a list of the claims written down.
    public init(arrayLiteral claims: Claim...) { self.init(claims) }

    /// The position of the first claim.
    public var startIndex: Int { 0 }

    /// The position after the last claim.
    public var endIndex: Int { count }

    /// The claim at a position; a position outside the list stops the program, as an array's does.
    public subscript(position: Int) -> Claim {
        guard position < Self.capacityInPlace, let claim = inPlace[position] else {
            return rest[position - Self.capacityInPlace]
        }
        return claim
    }

    /// Adds a claim at the end.
    public mutating func append(_ claim: Claim) {
        if count < Self.capacityInPlace {
            inPlace[count] = claim
        } else {
            rest.append(claim)
        }
        count += 1
    }
}

extension Claims: Hashable {
    /// Whether both hold the same claims in the same order.
    public static func == (one: Claims, other: Claims) -> Bool { one.elementsEqual(other) }

    /// Feeds every claim into a hash.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        for claim in self { hasher.combine(claim) }
    }
}
