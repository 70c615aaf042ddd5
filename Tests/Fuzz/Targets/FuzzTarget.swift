/// One parser under the fuzzer: what it is fed, and what must hold whatever that is.
protocol FuzzTarget {
    /// Feeds one input; a property that does not hold ends the process through ``Property``.
    static func run(_ input: [UInt8])
}

/// The targets, by the names that `deploy/fuzz` takes.
enum FuzzTargets: String, CaseIterable {
    case request, stream, key, text, journal, setting

    /// What runs the inputs.
    var target: any FuzzTarget.Type {
        switch self {
        case .request: RequestTarget.self
        case .stream: StreamTarget.self
        case .key: KeyTarget.self
        case .text: TextTarget.self
        case .journal: JournalTarget.self
        case .setting: SettingTarget.self
        }
    }
}
