import Domain
import Logging

extension EngineResidency {
    /// What looks after the engines of a configuration; nil where all are always loaded.
    ///
    /// Throws when the budget, in bytes, has no room for those that are always loaded, or beside them
    /// for one of the others.
    static func make(
        for engines: [LocalEngineConfiguration], budget: Int64?, time: any TimeSource,
        logger: Logger
    ) throws(BackendFault) -> EngineResidency? {
        var known: [String: EngineResidencyMachine.Engine] = [:]
        for engine in engines {
            let memory = EngineMemory.estimate(engine)
            known[engine.name] =
                switch engine.start {
                case .always: .init(isKept: true, memory: memory, idleUnload: .zero)
                case .onDemand(let idle): .init(isKept: false, memory: memory, idleUnload: idle)
                }
        }
        try check(known, against: budget)
        guard known.values.contains(where: { !$0.isKept }) else { return nil }
        return EngineResidency(
            known, budget: budget, policy: .init(), time: time, logger: logger)
    }

    /// Throws when a budget, in bytes, has no room for those that are always loaded, or beside them
    /// for one of the others.
    static func check(
        _ engines: [String: EngineResidencyMachine.Engine], against budget: Int64?
    ) throws(BackendFault) {
        guard let budget else { return }
        let kept = engines.values.filter(\.isKept).reduce(0) { $0 + $1.memory }
        for (name, engine) in engines.sorted(by: { $0.key < $1.key }) {
            let needed = engine.isKept ? kept : kept + engine.memory
            guard needed > budget else { continue }
            let beside = engine.isKept ? "with" : "beside"
            throw BackendFault(
                backend: name,
                description: "the engine needs about \(megabytes(engine.memory)) MB, and "
                    + "\(beside) those that are always loaded \(megabytes(needed)) of the "
                    + "\(megabytes(budget)) MB that engines may take")
        }
    }

    private static func megabytes(_ bytes: Int64) -> Int64 { (bytes + 999_999) / 1_000_000 }
}
