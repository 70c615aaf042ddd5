import Synchronization

/// One open request's claim on its leases, to be settled exactly once.
///
/// Noncopyable: settling it twice, or keeping it after settling, does not compile. Forgetting it is
/// counted in ``DroppedReservations``, which stays zero in a correct program; the ledger then
/// settles it at its bound.
public struct Reservation: ~Copyable, Sendable {
    /// The request that holds it.
    public let requestID: RequestID
    /// Who called.
    public let principal: Principal
    /// One claim per account that the request is subject to; empty when no quota applies.
    public let claims: Claims
    /// The most tokens it may use.
    public let bound: TokenBound
    /// The model alias asked for.
    public let model: String
    /// The backend chosen.
    public let backend: String
    /// The price in force at admission, if the model has one.
    public let price: Price?
    /// Admission in the ledger's time: it decides the periods and the day of the usage record.
    public let admittedAt: Timestamp
    private var isSettled = false

    /// Makes the reservation of an admitted request. Called by a ledger.
    public init(_ request: AdmissionRequest, claims: Claims, admittedAt: Timestamp) {
        requestID = request.requestID
        principal = request.principal
        self.claims = claims
        bound = request.bound
        model = request.model
        backend = request.backend
        price = request.price
        self.admittedAt = admittedAt
    }

    /// Marks the reservation settled. Called by a ledger, once the settlement is on its way.
    public consuming func settled() { isSettled = true }

    deinit {
        if !isSettled { DroppedReservations.count() }
    }
}

/// Counts reservations that went out of scope unsettled: a bug, never weather.
public enum DroppedReservations {
    private static let dropped = Atomic<Int>(0)

    /// How many there were since the process started.
    public static var total: Int { dropped.load(ordering: .relaxed) }

    static func count() { dropped.add(1, ordering: .relaxed) }
}

/// Carries a reservation into a closure that may outlive its function, which cannot own one.
public final class ReservationBox: Sendable {
    private let content: Mutex<Reservation?>

    /// Puts a reservation in.
    public init(_ reservation: consuming Reservation) { content = Mutex(reservation) }

    /// Takes it out; nil for everybody but the first.
    public func take() -> Reservation? {
        content.withLock { content in content.take() }
    }
}
