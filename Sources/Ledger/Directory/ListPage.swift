/// Some rows of a list in the order of a key: those behind a place, so that what is created or
/// deleted meanwhile neither repeats nor hides another row.
public struct ListPage<Place: Sendable & Hashable>: Sendable, Hashable {
    /// Only what comes after this; nil for the beginning.
    public let after: Place?
    /// At most so many rows.
    public let limit: Int

    /// Makes a page's bounds.
    public init(after: Place?, limit: Int) {
        self.after = after
        self.limit = limit
    }
}

/// Which of the keys there are a list has.
public struct KeySelection: Sendable, Hashable {
    /// By what has become of them.
    public enum Life: Int16, Sendable, Hashable {
        /// Those that are not over: neither revoked nor expired.
        case lasting = 1
        case revoked = 2
        case any = 3
    }

    /// By what has become of them.
    public var life: Life
    /// Only those whose digest is under this pepper; nil for all.
    public var pepper: Int16?

    /// Makes a selection.
    public init(life: Life, pepper: Int16?) {
        self.life = life
        self.pepper = pepper
    }

    /// Whether a key in that state, under that pepper, is in the list.
    public func has(_ state: KeyRecord.State, pepper: Int16) -> Bool {
        if let wanted = self.pepper, wanted != pepper { return false }
        switch (life, state) {
        case (.any, _), (.revoked, .revoked): return true
        case (.lasting, .expired), (.lasting, .revoked), (.revoked, _): return false
        case (.lasting, _): return true
        }
    }
}
