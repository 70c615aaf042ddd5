import Domain
import Ledger

/// A provider's export held against the ledger. Pure: both are read before.
struct Reconciliation {
    /// How an amount compares.
    enum State: String, CaseIterable {
        /// The same, or within the tolerance.
        case matched
        /// The export has it and the ledger has nothing of that time and model.
        case missingHere = "missing_here"
        /// The ledger has it and the export has nothing of that time and model.
        case missingThere = "missing_there"
        case different
    }

    /// One amount on both sides.
    struct Line: Equatable {
        /// The beginning of its day or hour; nil for the total over all of them.
        let start: Timestamp?
        /// The upstream's name of the model; nil for all models together.
        let model: String?
        let kind: UsageClass
        let here: Int128
        let there: Int128
        let state: State

        /// What the ledger has more than the export.
        var difference: Int128 { here - there }
    }

    /// Each amount, by time, model and class.
    let lines: [Line]
    /// The same over all times and models.
    let totals: [Line]
    /// Tokens of ours that the gateway counted or bounded itself.
    let estimatedTokens: Int128
    /// Whether the export tells models apart.
    let tellsModels: Bool
    /// The export's models that are known here by another name, and by which.
    let renamed: [(theirs: String, ours: String)]

    /// How many lines are in a state.
    func count(_ state: State) -> Int { lines.count { $0.state == state } }

    private typealias Amounts = [Key: UsageAmounts]

    private struct Key: Hashable {
        let start: Timestamp
        let model: String?
    }

    /// Compares what lies within the range. `upstream` gives the name by which a backend knows a
    /// model alias, `renames` the names here of the export's models where an administrator said
    /// so.
    init(
        _ tally: ExportTally, _ usage: BackendUsage, range: Range<Timestamp>,
        upstream: (_ alias: String, _ backend: String) -> String, renames: [String: String],
        tolerance: Tolerance
    ) {
        let tellsModels = tally.amounts.keys.allSatisfy { $0.model != nil }
        var here = Amounts()
        var estimated: Int128 = 0
        for (group, sums) in usage.sums {
            let model = tellsModels ? upstream(group.model, group.backend) : nil
            here[Key(start: group.start, model: model), default: [:]].add(Self.amounts(sums))
            estimated += sums.estimatedTokens
        }
        let names = ModelNames(ours: Set(here.keys.compactMap(\.model)), renames: renames)
        var there = Amounts()
        var renamed: [String: String] = [:]
        for (group, amounts) in tally.amounts where range.contains(group.start) {
            let model = tellsModels ? group.model.map(names.ours) : nil
            if let theirs = group.model, let model, theirs != model { renamed[theirs] = model }
            there[Key(start: group.start, model: model), default: [:]].add(amounts)
        }
        self.tellsModels = tellsModels
        self.renamed = renamed.sorted { $0.key < $1.key }.map { (theirs: $0.key, ours: $0.value) }
        estimatedTokens = estimated
        let lines = Self.lines(here, there.mapValues(\.rounded), tally.classes, tolerance)
        self.lines = lines
        totals = tally.classes.sorted().map { kind in
            let ours = lines.reduce(0) { $0 + ($1.kind == kind ? $1.here : 0) }
            let theirs = lines.reduce(0) { $0 + ($1.kind == kind ? $1.there : 0) }
            let isSame = tolerance.allows(kind, ours, theirs)
            return Line(
                start: nil, model: nil, kind: kind, here: ours, there: theirs,
                state: isSame ? .matched : .different)
        }
    }

    private static func amounts(_ sums: BackendUsage.Sums) -> UsageAmounts {
        [
            .requests: sums.requests, .prompt: sums.promptTokens, .cached: sums.cachedTokens,
            .cacheWrite: sums.cacheWriteTokens, .completion: sums.completionTokens,
            .cost: sums.costNanoUSD,
        ]
    }

    private static func lines(
        _ here: Amounts, _ there: Amounts, _ classes: Set<UsageClass>, _ tolerance: Tolerance
    ) -> [Line] {
        let keys = Set(here.keys).union(there.keys).sorted {
            ($0.start, $0.model ?? "") < ($1.start, $1.model ?? "")
        }
        return keys.flatMap { key in
            classes.sorted().compactMap { kind -> Line? in
                let ours = here[key]?[kind] ?? 0
                let theirs = there[key]?[kind] ?? 0
                guard ours != 0 || theirs != 0 else { return nil }
                let state: State =
                    if tolerance.allows(kind, ours, theirs) {
                        .matched
                    } else if here[key] == nil {
                        .missingHere
                    } else if there[key] == nil {
                        .missingThere
                    } else {
                        .different
                    }
                return Line(
                    start: key.start, model: key.model, kind: kind, here: ours, there: theirs,
                    state: state)
            }
        }
    }
}

/// How far two amounts may be apart and still match.
enum Tolerance: Equatable {
    /// Not at all.
    case none
    /// So many requests or tokens; nothing for costs.
    case amount(Int128)
    /// So many millionths of the larger one.
    case millionths(Int128)

    /// Reads `0`, `25` or `0.5%`.
    static func parse(_ text: String) -> Tolerance? {
        if text.hasSuffix("%") {
            guard let millionths = DecimalText.scaled(String(text.dropLast()), decimals: 4),
                (0...1_000_000).contains(millionths)
            else { return nil }
            return .millionths(millionths)
        }
        guard let amount = DecimalText.count(text), amount < 1_000_000_000_000 else { return nil }
        return amount == 0 ? Tolerance.none : .amount(amount)
    }

    /// Whether the amounts match.
    func allows(_ kind: UsageClass, _ here: Int128, _ there: Int128) -> Bool {
        let distance = (here - there).magnitude
        return switch self {
        case .none: distance == 0
        case .amount(let most): kind == .cost ? distance == 0 : distance <= most.magnitude
        case .millionths(let most):
            distance.multipliedFullWidth(by: 1_000_000)
                <= max(here.magnitude, there.magnitude).multipliedFullWidth(by: most.magnitude)
        }
    }
}
