/// What a limit would have done to requests that were served: a proposed quota, tried on the past.
///
/// Pure. Takes requests in the order of their admission, each with what it was charged in the end,
/// and lets one in when its charge still fits the period. A gateway decides by a request's bound,
/// which is larger than its charge while the request runs: near the limit it would have refused a
/// little earlier, and what it refused leaves room for later requests in both.
public struct QuotaReplay: Sendable {
    /// The requests of one day, in UTC.
    public struct Day: Sendable, Equatable {
        /// Requests that would have been served.
        public var servedRequests: Int64 = 0
        /// What they were charged, in the quota's resource.
        public var used: Int128 = 0
        /// Requests that would have been refused.
        public var refusedRequests: Int64 = 0
        /// What they were charged when they were served.
        public var refused: Int128 = 0
        /// When the first of them came.
        public var firstRefusal: Timestamp?
        /// When a soft limit would first have warned: when its lowest threshold was reached.
        public var firstWarning: Timestamp?
        /// When all of a soft limit was used.
        public var exhausted: Timestamp?

        /// A day without requests.
        public init() {}
    }

    /// What is limited.
    public let resource: Resource
    /// Over which period.
    public let period: Period
    /// The proposed limit, in tokens, requests or nano-dollars.
    public let limit: Int64
    /// Where a soft limit warns; nil for a hard one.
    public let softThresholds: QuotaThresholds?
    /// In how many periods a soft limit would have warned.
    public private(set) var warnedPeriods: Int64 = 0
    /// Every day that had a request.
    public private(set) var days: [CalendarDay: Day] = [:]
    /// The least limit under which nothing would have been refused: what the busiest period used.
    public private(set) var leastLimit: Int128 = 0

    private var start: CalendarDay?
    private var used: Int128 = 0
    private var wanted: Int128 = 0

    /// A replay of nothing so far. A limit is not negative. With `softThresholds` it refuses nothing,
    /// and what it notes is when they are reached.
    public init(
        resource: Resource, period: Period, limit: Int64, softThresholds: QuotaThresholds? = nil
    ) {
        precondition(limit >= 0, "a quota is not negative")
        self.resource = resource
        self.period = period
        self.limit = limit
        self.softThresholds = softThresholds
    }

    /// One request, admitted at `instant`, not before the one before it, and charged `charge` of the
    /// resource.
    public mutating func take(charge: Int64, at instant: Timestamp) {
        let start = period.start(at: instant)
        if start != self.start { (self.start, used, wanted) = (start, 0, 0) }
        wanted += Int128(charge)
        leastLimit = max(leastLimit, wanted)
        var day = days[instant.day] ?? Day()
        if let softThresholds {
            warn(of: charge, at: instant, softThresholds, in: &day)
        }
        if softThresholds != nil || used + Int128(charge) <= Int128(limit) {
            used += Int128(charge)
            day.servedRequests += 1
            day.used += Int128(charge)
        } else {
            day.refusedRequests += 1
            day.refused += Int128(charge)
            day.firstRefusal = day.firstRefusal ?? instant
        }
        days[instant.day] = day
    }

    /// Notes which thresholds a charge reaches that were not reached before it.
    private mutating func warn(
        of charge: Int64, at instant: Timestamp, _ thresholds: QuotaThresholds, in day: inout Day
    ) {
        func isReached(_ percent: Int64, by units: Int128) -> Bool {
            QuotaThresholds.reaches(percent, used: Int64(clamping: units), limit: limit)
        }
        let after = used + Int128(charge)
        let new = thresholds.percents.filter {
            isReached($0, by: after) && !isReached($0, by: used)
        }
        if let lowest = thresholds.percents.first, new.contains(lowest) {
            warnedPeriods += 1
            day.firstWarning = day.firstWarning ?? instant
        }
        if new.contains(100) { day.exhausted = day.exhausted ?? instant }
    }
}
