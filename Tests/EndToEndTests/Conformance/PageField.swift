/// One response field that a system's page promises.
struct PageField: Sendable {
    /// Its name in the contract, such as `choices[].index`.
    let name: String
    /// Where it stands.
    let path: String
    /// What it must be.
    let meaning: Meaning
    /// In which answers it stands.
    var place = Place.both
    /// Whether the local engine's answer to a plain question holds it as well.
    var isOfEngine = true

    /// In which answers a field stands.
    enum Place: Sendable { case both, plain, stream }

    /// What a value must be, given the answer around it.
    struct Meaning: Sendable {
        /// Whether a value is right in an answer of the scripted upstream.
        let holds: @Sendable (JSONNode, ConformanceAnswer) -> Bool
        /// The same of the local engine, of whose answers less is known.
        let holdsOfEngine: @Sendable (JSONNode, ConformanceAnswer) -> Bool

        /// A value that is right by itself, whoever answers.
        init(_ holds: @escaping @Sendable (JSONNode, ConformanceAnswer) -> Bool) {
            self.holds = holds
            holdsOfEngine = holds
        }

        /// Exactly this value; of the local engine anything of its JSON type.
        init(exactly json: String) {
            holds = { value, _ in (try? JSONNode(json)) == value }
            holdsOfEngine = { value, _ in (try? JSONNode(json))?.isOfTheKind(of: value) == true }
        }
    }

    /// In the answer, plain and streamed; `path` is where an array's element is meant.
    static func field(_ name: String, at path: String? = nil, _ meaning: Meaning) -> PageField {
        PageField(name: name, path: path ?? name, meaning: meaning)
    }

    /// In plain answers only.
    var onlyPlain: PageField { with { $0.place = .plain } }
    /// In chunks of streams only; one of them has to hold it.
    var onlyStreamed: PageField { with { $0.place = .stream } }
    /// Not in what the local engine says to a plain question.
    var notOfEngine: PageField { with { $0.isOfEngine = false } }

    private func with(_ change: (inout PageField) -> Void) -> PageField {
        var field = self
        change(&field)
        return field
    }

    /// Whether the answer holds it rightly.
    func holds(in answer: ConformanceAnswer, ofEngine: Bool) -> Bool {
        let isRight = ofEngine ? meaning.holdsOfEngine : meaning.holds
        if place == .stream {
            return answer.chunks.contains { $0[path].map { isRight($0, answer) } ?? false }
        }
        return answer.whole[path].map { isRight($0, answer) } ?? false
    }
}

extension PageField.Meaning {
    /// Exactly this JSON value.
    static func exactly(_ json: String) -> Self { Self(exactly: json) }

    /// A text that begins so and goes on.
    static func text(_ prefix: String = "") -> Self {
        Self { value, _ in value.text.map { $0.hasPrefix(prefix) && $0 > prefix } ?? false }
    }

    /// Null.
    static let null = Self { value, _ in value == .null }

    /// A whole number of this or more.
    static func count(from least: Double = 0) -> Self {
        Self { value, _ in value.number.map { $0 >= least && $0.rounded() == $0 } ?? false }
    }

    /// Any number, not negative.
    static let measure = Self { value, _ in value.number.map { $0 >= 0 } ?? false }

    /// The probability's logarithm.
    static let logarithm = Self { value, _ in
        value.number.map { (-9999...0).contains($0) } ?? false
    }

    /// The same as another value of the answer.
    static func same(as path: String) -> Self {
        Self { value, answer in value == answer.whole[path] }
    }

    /// The sum of two other values of the answer.
    static func sum(_ first: String, _ second: String) -> Self {
        Self { value, answer in
            guard let first = answer.whole[first]?.number, let second = answer.whole[second]?.number
            else { return false }
            return value.number == first + second
        }
    }

    /// At most another value of the answer.
    static func atMost(_ path: String) -> Self {
        Self { value, answer in
            guard let value = value.number, let most = answer.whole[path]?.number else {
                return false
            }
            return 0...most ~= value
        }
    }

    /// One of these words.
    static func oneOf(_ words: [String]) -> Self {
        Self { value, _ in value.text.map(words.contains) ?? false }
    }
}
