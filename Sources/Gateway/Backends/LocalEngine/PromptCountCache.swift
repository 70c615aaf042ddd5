import Domain
import OpenSSL

/// The lengths of prompts that the engine was asked for lately, so that a prompt that comes again
/// costs no question: a request that is tried again, or one that asks to be told of an overflow, which
/// must be sure once it has a slot. Pure, and bounded: two generations of which the older is
/// forgotten whole when the younger is full.
struct PromptCountCache {
    /// Stands for one prompt of one team.
    ///
    /// Of one team, since how soon a count comes would tell others what a team has asked. A digest,
    /// since a prompt is not to be kept.
    struct Key: Hashable {
        private let digest: [UInt8]

        /// The key of what is counted: the whole text that the engine is sent for it.
        init(_ counted: [UInt8], of team: BackendCall.Team) {
            var hash = SHA256()
            hash.update(Array("\(team.id.rawValue) ".utf8))
            hash.update(counted)
            digest = hash.finalize()
        }
    }

    private let capacity: Int
    private var young: [Key: Int64] = [:]
    private var old: [Key: Int64] = [:]
    /// How often the engine was asked since all was forgotten.
    private(set) var questions = 0

    /// Room for the last `capacity` prompts, and at most as many again.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// How many are known.
    var size: Int { young.count + old.count }

    /// The length of a prompt in tokens; nil if nobody has counted it lately.
    mutating func count(of key: Key) -> Int64? {
        if let count = young[key] { return count }
        guard let count = old.removeValue(forKey: key) else { return nil }
        // What is asked for again stays for another generation.
        keep(count, of: key)
        return count
    }

    /// Takes note of what the engine said.
    mutating func note(_ count: Int64, of key: Key) {
        questions += 1
        keep(count, of: key)
    }

    private mutating func keep(_ count: Int64, of key: Key) {
        if young.count >= capacity {
            old = young
            young = [:]
        }
        young[key] = count
    }

    /// Forgets all: another model may be behind the same name.
    mutating func clear() { self = PromptCountCache(capacity: capacity) }
}

extension BackendCall {
    /// The call with nothing but what its prompt is made of: what may be counted once for all that
    /// differ in how they are answered.
    var counted: BackendCall {
        var prompt = ChatCompletionRequest(model: request.model, messages: request.messages)
        prompt.tools = request.tools
        prompt.format = request.format
        prompt.reasoning = request.reasoning
        var call = self
        call.request = prompt
        call.completionBound = 1
        return call
    }
}
