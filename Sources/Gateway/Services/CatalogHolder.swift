public import Domain
import Synchronization

/// Holds the catalog that requests resolve against: an immutable snapshot, swapped whole.
public final class CatalogHolder: Sendable {
    private let state: Mutex<Catalog>

    /// Starts with a snapshot.
    public init(_ catalog: Catalog) { state = Mutex(catalog) }

    /// The snapshot in force. A request reads it once.
    public var current: Catalog { state.withLock { $0 } }

    /// Replaces the snapshot; requests that have resolved already keep the old one.
    public func replace(with catalog: Catalog) { state.withLock { $0 = catalog } }
}
